"""What auto-learn would store once a person agrees. Hot.

Every write runs inside the caller's transaction.

A proposal has a local number from the same counter as memories, and keeps it when it is accepted.
`fields` are the arguments of the memory it would become.
"""

from __future__ import annotations

import json
from collections import namedtuple

from claude_memory.memory import stamp
from claude_memory.store import copies, ids
from claude_memory.store.sameness import normalise

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime
    from typing import Any, NamedTuple

LIMIT = 200  # the oldest makes room

if TYPE_CHECKING:

    class Proposal(NamedTuple):
        """One proposed memory and why it was not stored at once."""

        local_no: int
        fields: dict[str, Any]
        reason: str
        at: str

else:
    Proposal = namedtuple("Proposal", "local_no fields reason at")


def add(connection: sqlite3.Connection, fields: dict[str, Any], reason: str, now: datetime) -> int:
    """Keep a proposal and return its number; the same text is proposed only once."""
    same = normalise(fields["content"])
    for known in listed(connection, LIMIT):
        if normalise(known.fields["content"]) == same:
            return known.local_no
    number = ids.take_local_no(connection)
    connection.execute(
        "INSERT INTO proposals (local_no, fields, reason, at) VALUES (?, ?, ?, ?)",
        (number, json.dumps(fields, ensure_ascii=False), reason, stamp(now)),
    )
    connection.execute(
        "DELETE FROM proposals WHERE local_no IN "
        "(SELECT local_no FROM proposals ORDER BY local_no DESC LIMIT -1 OFFSET ?)",
        (LIMIT,),
    )
    return number


def get(connection: sqlite3.Connection, local_no: int) -> Proposal | None:
    """Return the proposal with this number, or None."""
    query = "SELECT local_no, fields, reason, at FROM proposals WHERE local_no = ?"
    row = connection.execute(query, (local_no,)).fetchone()
    return _read(row) if row else None


def listed(connection: sqlite3.Connection, limit: int = 20) -> list[Proposal]:
    """Return the newest proposals first."""
    query = "SELECT local_no, fields, reason, at FROM proposals ORDER BY local_no DESC LIMIT ?"
    return [_read(row) for row in connection.execute(query, (limit,))]


def remove(connection: sqlite3.Connection, local_no: int) -> None:
    """Forget a proposal; its number is not used again."""
    connection.execute("DELETE FROM proposals WHERE local_no = ?", (local_no,))


def forget(connection: sqlite3.Connection, text: str) -> None:
    """Remove the proposals that say nearly the same as a text."""
    for one in listed(connection, LIMIT):
        if copies.likeness(one.fields["content"], text) >= copies.LIKE:
            remove(connection, one.local_no)


def count(connection: sqlite3.Connection) -> int:
    """Count what waits for a person."""
    return int(connection.execute("SELECT count(*) FROM proposals").fetchone()[0])


def _read(row: tuple[int, str, str, str]) -> Proposal:
    number, fields, reason, at = row
    return Proposal(number, json.loads(fields), reason, at)
