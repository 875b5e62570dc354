"""What of a message a person typed, and what a client, a terminal or a command put there. Hot."""

from __future__ import annotations

import re

# What the client wraps into a user message although no person typed it.
NOT_TYPED = re.compile(
    r"\s*(?:<(?:command-|local-command|bash-(?:input|stdout|stderr)|task-notification|teammate-|"
    r"user-memory-input|user-prompt-submit-hook|tool_use_error)|\[Request interrupted by user|"
    r"Caveat: The messages below|This session is being continued from a previous)"
)
# What it adds to words that a person did type.
ADDED = re.compile(
    r"<(?P<tag>system-reminder|ide_selection|ide_opened_file|ide_diagnostics|persisted-output|"
    r"new-diagnostics|local-command-\w+|command-\w+|bash-\w+|task-notification)\b[^>]*>"
    r".*?(?:</(?P=tag)>|\Z)",
    re.DOTALL,
)
COMMAND = re.compile(r"\s*/(?P<name>[\w:.-]+)(?=\s|$)")
FENCED = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
EDGE = 2_000  # characters of each end of a long text


def own_words(message: str) -> str:
    """Return what a person typed of a user message, a command among it as it was typed."""
    return "" if NOT_TYPED.match(message) else ADDED.sub(" ", message).strip()


def ends(text: str) -> str:
    """Keep both ends of a long text: what lies between was pasted."""
    return text if len(text) <= 2 * EDGE else f"{text[:EDGE]}\n{text[-EDGE:]}"


def statement(prompt: str) -> str:
    """Return what a person said with a prompt; a command and its arguments say nothing."""
    text = own_words(prompt)
    return "" if COMMAND.match(text) else text
