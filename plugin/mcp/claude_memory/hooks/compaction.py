"""Memories across a compaction: tell the summariser what to keep, then give it again. Hot."""

from __future__ import annotations

from claude_memory.hooks import injection
from claude_memory.store import lines, overview, sessions

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from typing import Any

    from claude_memory.hooks.context import Context
    from claude_memory.memory import Memory

LATEST = 60  # memories of a session that are looked at
NAMED = 12  # of them in the order to the summariser, which the client shows to the user as well
NAMED_LIMIT = 120  # characters of each
ORDER = (
    "Keep, in the user's own words, every decision, correction and preference of this session that "
    "was not stored as a memory yet."
)
NAMING = " Keep the substance and the ids of the stored memories that were used:"


def answer(event: dict[str, Any], context: Context) -> str | dict[str, Any] | None:
    """Answer PreCompact with an order to the summariser, and the start after it with memories."""
    session = str(event["session_id"])
    connection = context.connection() if session else None
    if connection is None:
        return None
    if event["event"] == "PreCompact":
        return _order(connection, session, context)
    text = _recover(event, context, connection, session)
    return injection.additional(event, text) if text else None


def _order(connection: sqlite3.Connection, session: str, context: Context) -> str:
    """Name what was used, and let the session's memory of injections start anew."""
    used = _used(connection, session, context)[:NAMED]
    sessions.compacted(connection, session, context.project, context.now)
    if not used:
        return ORDER
    return "\n".join([ORDER + NAMING, *(lines.line(one, NAMED_LIMIT) for one in used)])


def _recover(
    event: dict[str, Any], context: Context, connection: sqlite3.Connection, session: str
) -> str:
    """Give again what the session was given or stored, once for each compaction."""
    events = sessions.events_since_compaction(connection, session)
    if injection.COMPACTION in events:
        return ""
    if events:  # nobody announced this compaction
        sessions.compacted(connection, session, context.project, context.now)
    used = _used(connection, session, context)
    return injection.inject(
        event, context, connection, used, characters=injection.size(context), most=LATEST
    )


def _used(connection: sqlite3.Connection, session: str, context: Context) -> list[Memory]:
    """Return the session's memories that still hold, the most important first."""
    uids = sessions.used_uids(connection, session, LATEST)
    found = overview.visible(connection, uids, context.now)
    return sorted(found, key=lambda memory: -memory.importance)
