"""The memories of a place, whatever is asked: how many there are, and the weightiest. Hot."""

from __future__ import annotations

from claude_memory.memory import stamp
from claude_memory.store.rows import COLUMNS_OF_M, VISIBLE, to_memory

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from datetime import datetime

    from claude_memory.memory import Memory

# Where a memory holds: an empty string everywhere, else its project. As the index has it.
PLACE = "CASE scope WHEN 'global' THEN '' ELSE project END"
WEIGHTY = 0.8
LASTING = "('preferences', 'decisions', 'facts')"


def counts(connection: sqlite3.Connection, project: str) -> tuple[int, int]:
    """Count the memories that hold everywhere, and those that hold in this project only."""
    query = f"SELECT count(*) FROM memories WHERE live = 1 AND {PLACE} = ?"  # noqa: S608
    everywhere = int(connection.execute(query, ("",)).fetchone()[0])
    here = int(connection.execute(query, (project,)).fetchone()[0]) if project else 0
    return everywhere, here


def weightiest(
    connection: sqlite3.Connection, project: str, now: datetime, limit: int
) -> list[Memory]:
    """Return what always matters in this project: important preferences, decisions and facts."""
    query = (
        f"SELECT {COLUMNS_OF_M} FROM memories m WHERE {VISIBLE} AND {PLACE} = :place "  # noqa: S608
        f"AND m.importance >= {WEIGHTY} AND m.category IN {LASTING} "
        "ORDER BY m.importance DESC, m.rid DESC LIMIT :limit"
    )
    found = [
        to_memory(row)
        for place in sorted({"", project})
        for row in connection.execute(query, {"now": stamp(now), "place": place, "limit": limit})
    ]
    found.sort(key=lambda memory: (memory.importance, memory.created_at), reverse=True)
    return found[:limit]


def visible(connection: sqlite3.Connection, uids: Iterable[str], now: datetime) -> list[Memory]:
    """Return the memories of these uids that still hold, in the order given."""
    query = f"SELECT {COLUMNS_OF_M} FROM memories m WHERE m.uid = :uid AND {VISIBLE}"  # noqa: S608
    rows = (connection.execute(query, {"uid": uid, "now": stamp(now)}).fetchone() for uid in uids)
    return [to_memory(row) for row in rows if row]
