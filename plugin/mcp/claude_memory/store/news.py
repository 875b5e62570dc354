"""What the greeting says of syncing: only what a person has to do something about. Hot."""

from __future__ import annotations

from datetime import timedelta

from claude_memory.memory import stamp
from claude_memory.store import outbox, state

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

SILENT_FOR = timedelta(days=1)
BLOCKS = ("key", "upgrade")  # what time alone does not mend


def trouble(connection: sqlite3.Connection, now: datetime) -> list[str]:
    """Return sentences on what keeps memories from being synced, mostly none."""
    if not outbox.is_bound(connection):
        return _unbound(connection)
    found = []
    queued = outbox.count(connection)
    blocked = state.get(connection, "blocked")
    error = state.get(connection, "last_error")
    silent = state.get(connection, "last_ok") < stamp(now - SILENT_FOR)
    if error and (blocked in BLOCKS or (queued and silent)):
        found.append(f"claude-memory does not sync ({queued} changes wait): {error}")
    refused = outbox.count(connection, "rejected")
    if refused:
        found.append(f"The server refused {refused} changes: /memory:status shows them.")
    conflicts = connection.execute("SELECT count(*) FROM shelf").fetchone()[0]
    if conflicts:
        found.append(
            f"{conflicts} changes lost against another machine's: /memory:status shows both texts."
        )
    return found


def _unbound(connection: sqlite3.Connection) -> list[str]:
    """Say why a key has not led to an account yet, where that needs a person."""
    if state.get(connection, "blocked") not in BLOCKS:
        return []
    return [f"claude-memory does not sync: {state.get(connection, 'last_error')}"]
