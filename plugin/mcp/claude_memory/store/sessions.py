"""Sessions of the client, and which memories each was already given. Hot.

A session's memory of injections starts anew with each compaction: what stood in its context before
is gone. Rows here only save tokens, so they are written without waiting for the disk; `next_seq`
runs inside the transaction of the memory that it numbers.
"""

from __future__ import annotations

from datetime import timedelta

from claude_memory.memory import stamp
from claude_memory.store.connection import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from datetime import datetime

INJECTIONS_KEPT = timedelta(days=45)
SESSIONS_KEPT = timedelta(days=400)


def begin(connection: sqlite3.Connection, session: str, project: str, now: datetime) -> bool:
    """Open a session, or open it again; return whether it is new."""
    with write(connection, durable=False):
        is_new = _ensure(connection, session, project, now)
        connection.execute("UPDATE sessions SET ended_at = '' WHERE id = ?", (session,))
    return is_new


def end(connection: sqlite3.Connection, session: str, project: str, now: datetime) -> None:
    """Mark a session as closed."""
    with write(connection, durable=False):
        _ensure(connection, session, project, now)
        connection.execute("UPDATE sessions SET ended_at = ? WHERE id = ?", (stamp(now), session))


def any_known(connection: sqlite3.Connection) -> bool:
    """Tell whether the store has seen a session before."""
    return connection.execute("SELECT 1 FROM sessions LIMIT 1").fetchone() is not None


def is_known(connection: sqlite3.Connection, session: str) -> bool:
    """Tell whether the store has seen this session."""
    found = connection.execute("SELECT 1 FROM sessions WHERE id = ?", (session,))
    return found.fetchone() is not None


def next_seq(connection: sqlite3.Connection, session: str, project: str, now: datetime) -> int:
    """Take the next position in a session; without a session it is 0.

    Call it inside a write transaction.
    """
    if not session:
        return 0
    take = "UPDATE sessions SET next_seq = next_seq + 1 WHERE id = ?"
    if not connection.execute(take, (session,)).rowcount:
        _ensure(connection, session, project, now)
        connection.execute(take, (session,))
    query = "SELECT next_seq - 1 FROM sessions WHERE id = ?"
    return int(connection.execute(query, (session,)).fetchone()[0])


def compacted(connection: sqlite3.Connection, session: str, project: str, now: datetime) -> None:
    """Note that a session's context is gone, so that it may be given everything again."""
    with write(connection, durable=False):
        _ensure(connection, session, project, now)
        connection.execute(
            "UPDATE sessions SET compactions = compactions + 1 WHERE id = ?", (session,)
        )


def note_injections(
    connection: sqlite3.Connection,
    session: str,
    event: str,
    costs: Iterable[tuple[str, int]],
    now: datetime,
) -> list[str]:
    """Note memories as given, each a uid and its tokens; return those that were not given before.

    Without a session nothing can be noted, and all are returned.
    """
    if not session:
        return [uid for uid, _ in costs]
    with write(connection, durable=False):
        compaction = _compactions(connection, session)
        return [
            uid
            for uid, tokens in costs
            if connection.execute(
                "INSERT OR IGNORE INTO injections (session, uid, compaction, event, tokens, at) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (session, uid, compaction, event, tokens, stamp(now)),
            ).rowcount
        ]


def injected_uids(connection: sqlite3.Connection, session: str) -> set[str]:
    """Return what a session was given since its last compaction."""
    rows = connection.execute(
        "SELECT uid FROM injections WHERE session = ? AND compaction = ?",
        (session, _compactions(connection, session)),
    )
    return {row[0] for row in rows}


def events_since_compaction(connection: sqlite3.Connection, session: str) -> set[str]:
    """Name the events at which a session was given something since its last compaction."""
    rows = connection.execute(
        "SELECT DISTINCT event FROM injections WHERE session = ? AND compaction = ?",
        (session, _compactions(connection, session)),
    )
    return {row[0] for row in rows}


def used_uids(connection: sqlite3.Connection, session: str, limit: int) -> list[str]:
    """Return what a session was ever given or stored itself, the latest first."""
    rows = connection.execute(
        "SELECT uid FROM (SELECT uid, at FROM injections WHERE session = :session "
        "UNION ALL SELECT uid, created_at FROM memories "
        "WHERE session = :session AND session <> '' AND live = 1) "
        "GROUP BY uid ORDER BY max(at) DESC, uid LIMIT :limit",
        {"session": session, "limit": limit},
    )
    return [row[0] for row in rows]


def tokens_injected_since(connection: sqlite3.Connection, since: str) -> int:
    """Add up the tokens given to all sessions since a stamp."""
    query = "SELECT coalesce(sum(tokens), 0) FROM injections WHERE at >= ?"
    return int(connection.execute(query, (since,)).fetchone()[0])


def prune(connection: sqlite3.Connection, now: datetime) -> None:
    """Forget injections and sessions that no session can come back to."""
    with write(connection, durable=False):
        old, older = stamp(now - INJECTIONS_KEPT), stamp(now - SESSIONS_KEPT)
        connection.execute("DELETE FROM injections WHERE at < ?", (old,))
        connection.execute("DELETE FROM sessions WHERE started_at < ?", (older,))


def _compactions(connection: sqlite3.Connection, session: str) -> int:
    query = "SELECT compactions FROM sessions WHERE id = ?"
    row = connection.execute(query, (session,)).fetchone()
    return int(row[0]) if row else 0


def _ensure(connection: sqlite3.Connection, session: str, project: str, now: datetime) -> bool:
    """Add the session's row if it has none; positions go on behind memories it already has."""
    added = connection.execute(
        "INSERT OR IGNORE INTO sessions (id, project, started_at, next_seq) "
        "SELECT :id, :project, :at, coalesce(max(session_seq), 0) + 1 FROM memories "
        "WHERE session = :id AND session <> ''",
        {"id": session, "project": project, "at": stamp(now)},
    )
    return added.rowcount > 0
