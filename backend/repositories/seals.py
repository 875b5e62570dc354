"""Statements on sealed secrets alone, for the change of the key that wraps them.

The version of a memory stays: nothing that others can see is changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from psycopg.rows import tuple_row

if TYPE_CHECKING:
    from psycopg import AsyncConnection

    Connection = AsyncConnection[Any]

TABLES = ("memories", "history")
Place = tuple[UUID, int]
PAGES = {
    "memories": "SELECT uid, 0, coalesce(bound, uid), secret FROM memories "
    "WHERE account_id = %(account)s AND secret IS NOT NULL AND uid > %(uid)s "
    "ORDER BY uid LIMIT %(limit)s",
    "history": "SELECT uid, id, coalesce((payload->>'bound')::uuid, uid), secret FROM history "
    "WHERE account_id = %(account)s AND secret IS NOT NULL AND (uid, id) > (%(uid)s, %(id)s) "
    "ORDER BY uid, id LIMIT %(limit)s",
}
REPLACE = {
    "memories": "UPDATE memories SET secret = %(fresh)s WHERE account_id = %(account)s "
    "AND uid = %(uid)s AND secret = %(secret)s",
    "history": "UPDATE history SET secret = %(fresh)s WHERE account_id = %(account)s "
    "AND uid = %(uid)s AND id = %(id)s AND secret = %(secret)s",
}


@dataclass(frozen=True, repr=False)
class Sealed:
    """One sealed secret, where it lies and the uid that it is bound to."""

    place: Place
    bound: UUID
    secret: bytes


async def page(
    connection: Connection, account: UUID, table: str, after: Place | None, limit: int
) -> list[Sealed]:
    """Return the next sealed secrets of a table, in a fixed order."""
    uid, number = after or (UUID(int=0), 0)
    cursor = connection.cursor(row_factory=tuple_row)
    named = {"account": account, "uid": uid, "id": number, "limit": limit}
    await cursor.execute(PAGES[table], named)
    found = await cursor.fetchall()
    return [Sealed((uid, number), bound, bytes(secret)) for uid, number, bound, secret in found]


async def replace(
    connection: Connection, account: UUID, table: str, one: Sealed, fresh: bytes
) -> int:
    """Put a fresh envelope in place of one that is still there; return how many were replaced.

    The account has to be locked: a write under way would put back the one that it has read.
    """
    named = {
        "account": account,
        "uid": one.place[0],
        "id": one.place[1],
        "secret": one.secret,
        "fresh": fresh,
    }
    return (await connection.execute(REPLACE[table], named)).rowcount
