"""Reads who said what from the end of a transcript of Claude Code. Hot.

Only words that a person typed and text that the assistant wrote come out of here, and that it
deleted a memory: no tool result, no tool input, nothing that a hook, a command, a subagent or the
client itself put in between. The file's format is not ours: what is not understood is passed over.
"""

from __future__ import annotations

import json
import os
from collections import namedtuple

from claude_memory.hooks import typed, withheld

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from typing import Any, NamedTuple

WINDOWS = (262_144, 2_097_152, 16_777_216)  # bytes from the end; a turn of many tools is long
CONTEXT_WINDOWS = WINDOWS[:2]  # context is not worth more
LINE_LIMIT = 1_048_576  # bytes

USER, ASSISTANT = "user", "assistant"
DELETED = "deleted"  # the speaker of a text that stands for a call of this tool:
DELETING = "__memory_delete"
# Marks of what no person typed and the assistant did not say.
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
    """Return a turn and at most `earlier` texts before it; empty when it cannot be read.

    It is the turn named `prompt` and no other; without a name, the last that a person opened.
    """
    said, start = _find(path, {prompt} - {""}, earlier, WINDOWS)
    if start is None:
        return [], []
    return said[start:], _open(said[:start], earlier)


def read_before(path: str, prompts: Collection[str], count: int) -> list[Said]:
    """Return at most `count` texts from before a turn, whether it is in the file yet or not.

    The turn is the one that holds the first of these prompts.
    """
    said, start = _find(path, {*prompts} - {""}, count, CONTEXT_WINDOWS)
    end = len(said) if start is None else start
    return _open(said[:end], count)


def is_withheld(turn: Iterable[Said]) -> bool:
    """Tell whether a turn is not to be learned from: it asks for that, or to forget something."""
    return any(
        one.speaker == DELETED or (one.speaker == USER and withheld.is_asked(one.text))
        for one in turn
    )


def read_machine_made(path: str) -> list[str]:
    """Return what the file holds as user messages although no person typed it.

    Schedules, other programs and the client itself put such prompts in: the event of a prompt does
    not tell them from a person's, the transcript does.
    """
    lines, _ = _read_lines(path, WINDOWS[-1])
    texts = (_machine_made(_parsed(line)) for line in lines)
    return [text for text in texts if text]


def _find(
    path: str, prompts: Collection[str], earlier: int, windows: Sequence[int]
) -> tuple[list[Said], int | None]:
    said: list[Said] = []
    start = None
    for window in windows:
        lines, is_whole = _read_lines(path, window)
        said = [one for line in lines for one in _read_entry(_parsed(line))]
        start = _start(said, prompts)
        if is_whole or (start is not None and start >= earlier):
            break
    return said, start


def _open(said: Sequence[Said], count: int) -> list[Said]:
    """Return the last texts, without withheld turns and before each the one that "that" may mean.

    It is read from the end, and no further than for so many texts.
    """
    turns: list[list[Said]] = [[]]
    for one in said:
        if one.is_first:
            turns.append([])
        turns[-1].append(one)
    kept: list[Said] = []
    meant = 0
    for turn in reversed(turns):
        if len(kept) >= count:
            break
        if is_withheld(turn):
            meant += 1
        elif meant:
            meant -= 1
        else:
            kept[:0] = turn
    return kept[-count:]


def _start(said: list[Said], prompts: Collection[str]) -> int | None:
    opened = [index for index, one in enumerate(said) if one.is_first]
    if prompts:
        return next((index for index in opened if said[index].prompt in prompts), None)
    return opened[-1] if opened else None


def _read_lines(path: str, size: int) -> tuple[list[bytes], bool]:
    """Return the last lines of the file, and whether they are all it has."""
    try:
        with open(path, "rb") as file:
            length = file.seek(0, os.SEEK_END)
            file.seek(max(0, length - size))
            data = file.read(size)
    except (OSError, ValueError):
        return [], True
    is_whole = length <= size
    return data.split(b"\n")[0 if is_whole else 1 :], is_whole


def _parsed(line: bytes) -> dict[str, Any]:
    """Return an entry that may hold what was said, or an empty one."""
    # Most of a transcript is tool results and the client's own records: not worth parsing.
    if len(line) > LINE_LIMIT or b'"tool_result"' in line or b'"api-request' in line[:40]:
        return {}
    if not any(mark in line for mark in (b'"user"', b'"assistant"', b'"queued_command"')):
        return {}
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return entry if isinstance(entry, dict) else {}


def _read_entry(entry: dict[str, Any]) -> Iterator[Said]:
    prompt = _prompt(entry)
    if not _is_spoken(entry) or not _is_spoken(prompt):
        return
    name = str(entry.get("promptId") or "")
    if prompt:
        text = _typed(prompt)
        if text:
            yield Said(USER, text, name, is_first=prompt is entry)
    elif entry.get("type") == ASSISTANT:
        if any(name.endswith(DELETING) for name in _fields(_content(entry), "tool_use", "name")):
            yield Said(DELETED, "", name, is_first=False)
        text = "\n".join(_texts(entry)).strip()
        if text:
            yield Said(ASSISTANT, text, name, is_first=False)


def _machine_made(entry: dict[str, Any]) -> str:
    prompt = _prompt(entry)
    return "" if _is_spoken(entry) and _is_spoken(prompt) else _typed(prompt)


def _prompt(entry: dict[str, Any]) -> dict[str, Any]:
    """Return the record of a prompt: the entry itself, or one that came while Claude worked."""
    if entry.get("type") == USER:
        return entry
    queued = entry.get("attachment") if entry.get("type") == "attachment" else None
    if isinstance(queued, dict) and queued.get("type") == "queued_command":
        return queued
    return {}


def _is_spoken(record: dict[str, Any]) -> bool:
    """Tell whether the client names nobody but a person, or the assistant itself, as the source."""
    origin = record.get("origin")
    return (
        not any(record.get(mark) for mark in MACHINE_MADE)
        and (not isinstance(origin, dict) or origin.get("kind", "human") == "human")
        and record.get("promptSource") != "system"
        and record.get("commandMode", "prompt") == "prompt"
    )


def _typed(prompt: dict[str, Any]) -> str:
    parts = [typed.statement(text) for text in _texts(prompt)]
    return "\n".join(part for part in parts if part)


def _texts(record: dict[str, Any]) -> list[str]:
    content = _content(record)
    return [content] if isinstance(content, str) else _fields(content, "text", "text")


def _content(record: dict[str, Any]) -> object:
    message = record.get("message")
    return message.get("content") if isinstance(message, dict) else record.get("prompt")


def _fields(content: object, kind: str, name: str) -> list[str]:
    """Return one text of each block of a kind."""
    blocks = content if isinstance(content, list) else []
    found = (one.get(name) for one in blocks if isinstance(one, dict) and one.get("type") == kind)
    return [text for text in found if isinstance(text, str)]
