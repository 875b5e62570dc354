"""Sealed secrets beside their memories: ciphertext or a pointer, never clear text. Hot.

A seal is bound to the uid it was made under (`bound`), also after an undone delete has given the
memory a new uid.
"""

from __future__ import annotations

from collections import namedtuple

from claude_memory.memory import stamp
from claude_memory.store import history, outbox

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime
    from typing import NamedTuple

    class Seal(NamedTuple):
        """The uid a secret was sealed under, and what the keeper gave for it."""

        bound: str
        keeper: str
        key_id: str
        blob: bytes

else:
    Seal = namedtuple("Seal", "bound keeper key_id blob")

# In the place of a history entry's id: belongs to no text; that, and its keeper was asked in vain.
LOOSE, HELD = 0, -1


def put(connection: sqlite3.Connection, uid: str, seal: Seal, now: datetime) -> None:
    """Keep the seal of a memory's present text, also for what is to be sent of it."""
    lay_down(connection, uid, seal, stamp(now))
    outbox.seal(connection, uid, packed(seal))


def lay_down(
    connection: sqlite3.Connection, uid: str, seal: Seal, at: str, entry: int | None = None
) -> None:
    """Insert the row of a seal: that of a history entry, or else of the present text."""
    connection.execute(
        "INSERT INTO secrets (uid, history_id, bound, keeper, key_id, blob, at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (uid, entry, *seal, at),
    )


def send(connection: sqlite3.Connection, uid: str) -> None:
    """Let the latest change of a memory, if it is not sent yet, bring the seal it has now."""
    found = get(connection, uid)
    if found is not None:
        outbox.seal(connection, uid, packed(found))


def packed(seal: Seal) -> bytes:
    """Write a seal as one value."""
    bound, keeper, key_id, blob = seal
    return f"{bound}\n{keeper}\n{key_id}\n{blob.hex()}".encode()


def unpacked(value: bytes) -> Seal:
    """Read what `packed` wrote."""
    bound, keeper, key_id, blob = value.decode().split("\n")
    return Seal(bound, keeper, key_id, bytes.fromhex(blob))


def get(connection: sqlite3.Connection, uid: str) -> Seal | None:
    """Return the seal of a memory's present text, or None."""
    row = connection.execute(
        "SELECT bound, keeper, key_id, blob FROM secrets "
        "WHERE uid = ? AND history_id IS NULL ORDER BY id DESC LIMIT 1",
        (uid,),
    ).fetchone()
    return Seal._make(row) if row else None


def give_up(connection: sqlite3.Connection, uid: str) -> None:
    """Detach the seal of a memory's present text: another keeper has the secret."""
    query = "UPDATE secrets SET history_id = ? WHERE uid = ? AND history_id IS NULL"
    connection.execute(query, (LOOSE, uid))


def bring_back(connection: sqlite3.Connection, uid: str, sums: list[int]) -> None:
    """Make those seals of a memory the present ones whose blobs have these CRC-32."""
    from zlib import crc32

    rows = connection.execute(
        "SELECT id, blob FROM secrets WHERE uid = ? AND history_id > ?", (uid, LOOSE)
    )
    found = [(number,) for number, blob in rows.fetchall() if crc32(blob) in sums]
    connection.executemany("UPDATE secrets SET history_id = NULL WHERE id = ?", found)


def take_back(connection: sqlite3.Connection, entry: int) -> None:
    """Make the seal of a history entry the present one of its memory."""
    connection.execute("UPDATE secrets SET history_id = NULL WHERE history_id = ?", (entry,))


def hand_over(connection: sqlite3.Connection, uid: str, seal: Seal, entry: int) -> None:
    """Give one seal of a memory to a history entry, wherever it is now."""
    connection.execute(
        "UPDATE secrets SET history_id = ? "
        "WHERE uid = ? AND bound = ? AND keeper = ? AND key_id = ? AND blob = ?",
        (entry, uid, *seal),
    )


def count_on_server(connection: sqlite3.Connection) -> int:
    """Count the memories whose secret is not here, because a server keeps it."""
    query = (
        "SELECT count(*) FROM memories m WHERE live = 1 AND is_sensitive AND no IS NOT NULL AND "
        "NOT EXISTS (SELECT 1 FROM secrets WHERE uid = m.uid AND history_id IS NULL)"
    )
    return int(connection.execute(query).fetchone()[0])


def by_key(connection: sqlite3.Connection, keeper: str) -> dict[str, int]:
    """Return how many present texts each key of a keeper has sealed."""
    rows = connection.execute(
        "SELECT key_id, count(*) FROM secrets WHERE keeper = ? AND history_id IS NULL "
        "GROUP BY key_id ORDER BY key_id",
        (keeper,),
    )
    return dict(rows.fetchall())


def loosen_useless(connection: sqlite3.Connection, before: str) -> None:
    """Detach the seals of the history entries that are of no use any more, as at a time."""
    connection.execute(
        "UPDATE secrets SET history_id = ? WHERE history_id IN "  # noqa: S608  (fixed)
        f"(SELECT h.id FROM history h WHERE {history.USELESS})",
        (LOOSE, before),
    )


def loosen(connection: sqlite3.Connection, uid: str) -> None:
    """Detach the seals of a memory from its texts; keepers may hold what is sealed."""
    connection.execute("UPDATE secrets SET history_id = ? WHERE uid = ?", (LOOSE, uid))


def loose(connection: sqlite3.Connection, place: int = LOOSE) -> list[tuple[int, Seal]]:
    """Return the seals that belong to no text (LOOSE or HELD), each with the id of its row."""
    rows = connection.execute(
        "SELECT id, bound, keeper, key_id, blob FROM secrets WHERE history_id = ? ORDER BY id",
        (place,),
    )
    return [(row[0], Seal._make(row[1:])) for row in rows]


def move_loose(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
    """Bring the seals that belong to no text into another store: what they seal is still held."""
    rows = source.execute(
        "SELECT uid, history_id, bound, keeper, key_id, blob, at FROM secrets "
        "WHERE history_id <= ?",
        (LOOSE,),
    ).fetchall()
    for uid, place, *seal, at in rows:
        lay_down(target, uid, Seal._make(seal), at, place)


def destroyed(connection: sqlite3.Connection, row: int) -> None:
    """Forget a loose seal, by the id of its row: no keeper holds what is sealed any more."""
    connection.execute("DELETE FROM secrets WHERE id = ?", (row,))


def held(connection: sqlite3.Connection, row: int) -> None:
    """Note that the keeper of a loose seal did not destroy what is sealed."""
    connection.execute("UPDATE secrets SET history_id = ? WHERE id = ?", (HELD, row))
