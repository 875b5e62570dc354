"""Puts memories into a session's context: within a number of characters, and none twice. Hot."""

from __future__ import annotations

from collections import namedtuple

from claude_memory.store import lines, rules, sessions

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from typing import Any, NamedTuple

    from claude_memory.hooks.context import Context
    from claude_memory.memory import Memory

    class Line(NamedTuple):
        """A memory as it is written, whole or cut."""

        uid: str
        text: str
        is_cut: bool

else:
    Line = namedtuple("Line", "uid text is_cut")

CHARACTERS_LIMIT = 9_500  # the client replaces a text of more than 10,000 by a note
COMPACTION = "Compaction"  # how a start after a compaction is named in the table of injections
CONTENT_LIMIT = 240  # characters of a memory that is no rule


def size(context: Context) -> int:
    """Return how many characters one event may inject."""
    return min(context.budget * 4, CHARACTERS_LIMIT)


def inject(
    event: dict[str, Any],
    context: Context,
    connection: sqlite3.Connection,
    memories: Iterable[Memory],
    *,
    characters: int,
    most: int,
) -> str:
    """Return a header and a line for each memory that fits, noted as given; or nothing."""
    session = str(event["session_id"])
    given = sessions.injected_uids(connection, session) if session else set()
    chosen = _fitting([one for one in memories if one.uid not in given], characters)[:most]
    if not chosen:
        return ""
    costs = [lines.tokens(one.text + "\n") for one in chosen]
    costs[0] += lines.tokens("".join(frame + "\n" for frame in _frame(chosen)))
    noted = [(one.uid, cost) for one, cost in zip(chosen, costs)]
    fresh = set(sessions.note_injections(connection, session, _name(event), noted, context.now))
    kept = [one for one in chosen if one.uid in fresh]
    header, *footer = _frame(kept)
    return "\n".join([header, *(one.text for one in kept), *footer]) if kept else ""


def additional(event: dict[str, Any], text: str) -> dict[str, Any]:
    """Return the answer that adds a text to the context."""
    output = {"hookEventName": event["event"], "additionalContext": text}
    return {"hookSpecificOutput": output}


def _name(event: dict[str, Any]) -> str:
    return COMPACTION if event.get("source") == "compact" else str(event["event"])


def _frame(chosen: list[Line]) -> list[str]:
    """Return what stands above the lines, and below them if one is cut."""
    return [lines.HEADER, *[lines.CUT] * any(one.is_cut for one in chosen)]


def _fitting(memories: list[Memory], characters: int) -> list[Line]:
    """Write memories as lines, the first ones first, and pass over what has no room left.

    A rule is written word for word, if there is room; of any other memory, what it begins with.
    """
    chosen: list[Line] = []
    left = characters - len(lines.HEADER)
    for memory in memories:
        line = _line(memory, left)
        room = len(line.text) + len("\n")
        if line.is_cut and not any(one.is_cut for one in chosen):
            room += len(lines.CUT) + len("\n")
        if room <= left:
            chosen.append(line)
            left -= room
    return chosen


def _line(memory: Memory, room: int) -> Line:
    limit = CONTENT_LIMIT
    if rules.is_rule(memory) and len(lines.line(memory)) < room:
        limit = len(memory.content)
    text = lines.line(memory, limit)
    return Line(memory.uid, text, len(memory.content) > limit)
