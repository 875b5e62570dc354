"""Puts memories into a session's context: within a number of characters, and none twice. Hot."""

from __future__ import annotations

from claude_memory.store import lines, sessions

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from typing import Any

    from claude_memory.hooks.context import Context
    from claude_memory.memory import Memory

CHARACTERS_LIMIT = 9_500  # the client replaces a text of more than 10,000 by a note
COMPACTION = "Compaction"  # how a start after a compaction is named in the table of injections
CONTENT_LIMIT = 600  # characters of one memory; the rest is there for whoever recalls it


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
    costs = [(uid, lines.tokens(line + "\n")) for uid, line in chosen]
    costs[0] = (costs[0][0], costs[0][1] + lines.tokens(lines.HEADER + "\n"))
    fresh = set(sessions.note_injections(connection, session, _name(event), costs, context.now))
    kept = [line for uid, line in chosen if uid in fresh]
    return "\n".join([lines.HEADER, *kept]) if kept else ""


def additional(event: dict[str, Any], text: str) -> dict[str, Any]:
    """Return the answer that adds a text to the context."""
    output = {"hookEventName": event["event"], "additionalContext": text}
    return {"hookSpecificOutput": output}


def _name(event: dict[str, Any]) -> str:
    return COMPACTION if event.get("source") == "compact" else str(event["event"])


def _fitting(memories: list[Memory], characters: int) -> list[tuple[str, str]]:
    """Write memories as lines, the first ones first, and pass over what has no room left."""
    chosen = []
    left = characters - len(lines.HEADER)
    for memory in memories:
        text = lines.line(memory, CONTENT_LIMIT)
        if len(text) < left:
            chosen.append((memory.uid, text))
            left -= len(text) + 1
    return chosen
