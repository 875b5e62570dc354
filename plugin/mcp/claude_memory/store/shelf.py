"""Own edits that lost a conflict, until their author chooses, or 30 days. Hot."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3


def forget(connection: sqlite3.Connection, uid: str) -> None:
    """Forget the edits of a memory that lost: their author has chosen, or purged it."""
    connection.execute("DELETE FROM shelf WHERE uid = ?", (uid,))


def count(connection: sqlite3.Connection) -> int:
    """Count the edits that lost against another machine's."""
    return int(connection.execute("SELECT count(*) FROM shelf").fetchone()[0])
