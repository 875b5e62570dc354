"""Reads who said what from the end of a transcript of Claude Code. Hot.

Only words that a person typed and text that the assistant wrote come out of here: no tool result,
no tool input, nothing that a hook, a command, a subagent or the client itself put in between. The
file's format is not ours: what is not understood is passed over.
"""

from __future__ import annotations

import json
import os
import re
from collections import namedtuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, NamedTuple

WINDOWS = (262_144, 2_097_152, 16_777_216)  # bytes from the end; a turn of many tools is long
LINE_LIMIT = 1_048_576  # bytes

USER, ASSISTANT = "user", "assistant"
# What the client wraps into a user message although no person typed it, and what it adds to one.
NOT_TYPED = re.compile(
    r"\s*(?:<(?:command-|local-command|bash-(?:input|stdout|stderr)|task-notification|teammate-|"
    r"user-memory-input|user-prompt-submit-hook|tool_use_error)|\[Request interrupted by user|"
    r"Caveat: The messages below|This session is being continued from a previous)"
)
ADDED = re.compile(
    r"<(system-reminder|ide_selection|ide_opened_file|ide_diagnostics|persisted-output|"
    r"new-diagnostics)>.*?(?:</\1>|\Z)",
    re.DOTALL,
)
MACHINE_MADE = (
    "isMeta",
    "isSidechain",
    "isCompactSummary",
    "isVisibleInTranscriptOnly",
    "isApiErrorMessage",
    "toolUseResult",
    "sourceToolAssistantUUID",
    "sourceToolUseID",
    "turnCompanion",
    "textNotTyped",
    "handedOff",
)

if TYPE_CHECKING:

    class Said(NamedTuple):
        """One text of the conversation; `prompt` names its turn where the client tells."""

        speaker: str
        text: str
        prompt: str
        is_first: bool  # opens a turn; words typed while the assistant works do not

else:
    Said = namedtuple("Said", "speaker text prompt is_first")


def read_turn(path: str, prompt: str, earlier: int) -> tuple[list[Said], list[Said]]:
    """Return the last turn and at most `earlier` texts before it; empty when it cannot be read.

    The turn is the one named `prompt`, else the last that a person opened.
    """
    said: list[Said] = []
    start = None
    for window in WINDOWS:
        said, is_whole = _read_end(path, window)
        start = _start(said, prompt)
        if is_whole or (start is not None and start >= earlier):
            break
    if start is None:
        return [], []
    return said[start:], said[max(0, start - earlier) : start]


def _start(said: list[Said], prompt: str) -> int | None:
    opened = [index for index, one in enumerate(said) if one.is_first]
    named = [index for index in opened if prompt and said[index].prompt == prompt]
    if named:
        return named[0]
    return opened[-1] if opened else None


def _read_end(path: str, size: int) -> tuple[list[Said], bool]:
    try:
        with open(path, "rb") as file:
            length = file.seek(0, os.SEEK_END)
            file.seek(max(0, length - size))
            data = file.read(size)
    except (OSError, ValueError):
        return [], True
    lines = data.split(b"\n")
    is_whole = length <= size
    return [said for line in lines[0 if is_whole else 1 :] for said in _read_line(line)], is_whole


def _read_line(line: bytes) -> Iterator[Said]:
    # Most of a transcript is tool results and the client's own records: not worth parsing.
    if len(line) > LINE_LIMIT or b'"tool_result"' in line or b'"api-request' in line[:40]:
        return
    if not any(mark in line for mark in (b'"user"', b'"assistant"', b'"queued_command"')):
        return
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return
    if isinstance(entry, dict) and not any(entry.get(mark) for mark in MACHINE_MADE):
        yield from _read_entry(entry)


def _read_entry(entry: dict[str, Any]) -> Iterator[Said]:
    kind = entry.get("type")
    prompt = str(entry.get("promptId") or "")
    if kind == "attachment":
        queued = entry.get("attachment")
        if isinstance(queued, dict) and _was_queued_by_person(queued):
            yield from _typed(queued.get("prompt"), prompt, is_first=False)
        return
    message = entry.get("message")
    if not isinstance(message, dict):
        return
    if kind == USER and _is_from_person(entry):
        yield from _typed(message.get("content"), prompt, is_first=True)
    elif kind == ASSISTANT:
        text = "\n".join(_texts(message.get("content"))).strip()
        if text:
            yield Said(ASSISTANT, text, prompt, is_first=False)


def _is_from_person(entry: dict[str, Any]) -> bool:
    origin = entry.get("origin")
    is_human = not isinstance(origin, dict) or origin.get("kind", "human") == "human"
    return is_human and entry.get("promptSource") != "system"


def _was_queued_by_person(queued: dict[str, Any]) -> bool:
    return (
        queued.get("type") == "queued_command"
        and queued.get("commandMode", "prompt") == "prompt"
        and not any(queued.get(mark) for mark in MACHINE_MADE)
        and _is_from_person(queued)
    )


def _typed(content: object, prompt: str, *, is_first: bool) -> Iterator[Said]:
    parts = [ADDED.sub("", text).strip() for text in _texts(content) if not NOT_TYPED.match(text)]
    text = "\n".join(part for part in parts if part)
    if text:
        yield Said(USER, text, prompt, is_first)


def _texts(content: object) -> list[str]:
    if isinstance(content, str):
        return [content]
    blocks = content if isinstance(content, list) else []
    return [
        block["text"]
        for block in blocks
        if isinstance(block, dict)
        and block.get("type") == "text"
        and isinstance(block.get("text"), str)
    ]
