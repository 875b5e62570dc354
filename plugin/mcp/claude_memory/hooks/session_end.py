"""A session ended: mark it closed and forget what no session can come back to. Hot, local only."""

from __future__ import annotations

from claude_memory.store import sessions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from claude_memory.hooks.context import Context


def answer(event: dict[str, Any], context: Context) -> None:
    """Mark the session closed."""
    session = str(event["session_id"])
    connection = context.connection() if session else None
    if connection is not None:
        sessions.end(connection, session, context.project, context.now)
        sessions.prune(connection, context.now)
