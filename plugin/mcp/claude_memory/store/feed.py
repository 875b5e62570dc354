"""Pages of the server's change feed: applied with their cursor, then compared. Hot.

A page is applied in one transaction together with the cursor that follows it, and only if nobody
has moved the cursor meanwhile, so that two sessions may pull at once. A full dump stamps the rows
it holds with a new generation; when it is done, what it did not hold is let go of.
"""

from __future__ import annotations

import json

from claude_memory.memory import stamp
from claude_memory.store import replica, state

NOTED = 100  # rows ahead of a page, of which there are hardly ever any

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from datetime import datetime
    from typing import Any, NamedTuple

    Fields = dict[str, Any]

    class Place(NamedTuple):
        """From where a page was asked for."""

        cursor: str
        gen: int
        epoch: str

else:
    from collections import namedtuple

    Place = namedtuple("Place", "cursor gen epoch")


def place(connection: sqlite3.Connection) -> Place:
    """Return where the next page begins; an empty cursor asks for a full dump."""
    return Place(
        state.get(connection, state.CURSOR),
        int(state.get(connection, state.GEN, "0")),
        state.get(connection, state.EPOCH),
    )


def apply(
    connection: sqlite3.Connection,
    asked: Place,
    rows: Iterable[Fields],
    cursor: str,
    version: int,
    *,
    is_last: bool,
) -> bool:
    """Apply a page that was asked for at `asked`; False if the cursor has been moved since.

    `version` is the account's at the moment of the page.
    """
    if place(connection) != asked:
        return False
    gen = asked.gen
    if not asked.cursor:
        gen += 1
        state.put(connection, state.GEN, str(gen))
        state.put(connection, state.IN_FULL_DUMP, "1")
    for srv in rows:
        replica.take(connection, srv, gen, at=version)
    state.put(connection, state.CURSOR, cursor)
    if is_last and state.get(connection, state.IN_FULL_DUMP) == "1":
        sweep(connection, gen, version)
        state.put(connection, state.IN_FULL_DUMP, "")
    return True


def sweep(connection: sqlite3.Connection, gen: int, version: int) -> None:
    """Forget the server's states of live memories that a finished full dump did not hold.

    Tombstones stay, although a dump holds only those of purges: a server that is restored may have
    lost the deletes.
    """
    gone = connection.execute(
        "SELECT uid FROM memories WHERE gen <> ? AND srv_live = 1 AND sv > 0 AND sv <= ?",
        (gen, version),
    ).fetchall()
    for (uid,) in gone:
        replica.forget_state(connection, uid)


def differs(
    connection: sqlite3.Connection, cursor: str, version: int, check: tuple[int, str]
) -> bool:
    """Tell whether the live rows differ from what the server says it has at `version`.

    False, too, while a state newer than that page is known here: then nobody can tell.
    """
    if state.get(connection, state.CURSOR) != cursor or highest(connection) > version:
        return False
    return digest(connection) != check


def drop_impossible(connection: sqlite3.Connection, version: int) -> None:
    """Forget versions that no server gave.

    What was known before a page was asked for cannot be newer than that page. So rows ahead of it
    are noted, and those that are still ahead of a later page were damaged here.
    """
    query = "SELECT uid, sv FROM memories WHERE sv > ? ORDER BY sv LIMIT ?"
    ahead = dict(connection.execute(query, (version, NOTED)).fetchall())
    text = state.get(connection, "ahead", "{}")
    noted = json.loads(text)
    wrong = [uid for uid, known in ahead.items() if noted.get(uid) == known]
    for uid in wrong:
        connection.execute("UPDATE memories SET sv = 1 WHERE uid = ?", (uid,))
    rest = json.dumps({uid: known for uid, known in ahead.items() if uid not in wrong})
    if rest != text:
        state.put(connection, "ahead", rest)


def ask_for_all(connection: sqlite3.Connection, now: datetime) -> None:
    """Let the next page be the first of a full dump, because something differs."""
    state.put(connection, state.CURSOR, "")
    state.put(connection, state.RESYNC_AT, stamp(now))


def digest(connection: sqlite3.Connection) -> tuple[int, str]:
    """Return count and digest of the live rows as the server computes them.

    The digest is the XOR of BLAKE2b with 8 bytes over "uid:version" of each row.
    """
    from hashlib import blake2b

    total, count = 0, 0
    query = "SELECT uid || ':' || sv FROM memories WHERE srv_live = 1"
    for (text,) in connection.execute(query):
        total ^= int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")
        count += 1
    return count, f"{total:016x}"


def highest(connection: sqlite3.Connection) -> int:
    """Return the highest version known here."""
    row = connection.execute("SELECT max(sv) FROM memories WHERE sv > 0").fetchone()
    return int(row[0] or 0)
