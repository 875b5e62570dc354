"""Reads of an account's memories. Every statement names the account."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from psycopg.rows import class_row, dict_row, tuple_row

from backend.repositories.rows import NAMES, NAMES_OF_M, Row

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime
    from uuid import UUID

    from psycopg import AsyncConnection, AsyncServerCursor

    from backend.db import Reader

    Connection = AsyncConnection[Any]

IN_SCOPE = {
    "global": "m.scope = 'global'",
    "project": "m.scope = 'project' AND m.project = %(project)s",
    "": "(m.scope = 'global' OR m.project = %(project)s)",
}
SHOWN = (
    "m.deleted_at IS NULL AND (m.expires_at IS NULL OR m.expires_at > clock_timestamp()) "
    "AND NOT EXISTS (SELECT 1 FROM memories s WHERE s.account_id = m.account_id "
    "AND s.supersedes = m.uid AND s.deleted_at IS NULL)"
)
COUNTS = (
    "SELECT count(*) FILTER (WHERE m.deleted_at IS NULL) AS live, "
    "count(*) FILTER (WHERE m.deleted_at IS NULL AND m.scope = 'project') AS of_projects, "
    "count(*) FILTER (WHERE m.is_sensitive) AS sensitive, "
    "(SELECT count(*) FROM history h "
    "WHERE h.account_id = %(account)s AND h.kind = 'deleted') AS deleted "
    "FROM memories m WHERE m.account_id = %(account)s"
)


async def by_uid(reader: Reader, account: UUID, uid: UUID) -> Row | None:
    """Return the row with this uid, a tombstone too."""
    return await _one(reader, account, "uid = %s", uid)


async def by_no(reader: Reader, account: UUID, no: int) -> Row | None:
    """Return the row with this number, a tombstone too."""
    return await _one(reader, account, "no = %s", no)


async def _one(reader: Reader, account: UUID, which: str, value: UUID | int) -> Row | None:
    query = f"SELECT {NAMES} FROM memories WHERE account_id = %s AND {which}"
    found = await reader.read(account, query, (account, value), class_row(Row))
    return found[0] if found else None


async def newest(
    reader: Reader,
    account: UUID,
    *,
    category: str | None,
    tag: str | None,
    before: tuple[datetime, UUID] | None,
    limit: int,
    scope: str = "all",
    project: str = "",
) -> list[Row]:
    """Return live memories, newest first, from behind the place `before`."""
    where = ["m.account_id = %(account)s", SHOWN]
    if category:
        where.append("m.category = %(category)s")
    if tag:
        where.append("%(tag)s = ANY(string_to_array(lower(replace(m.tags, ', ', ',')), ','))")
    if scope in IN_SCOPE:
        where.append(IN_SCOPE[scope])
    if before:
        where.append("(m.created_at, m.uid) < (%(at)s, %(uid)s)")
    return await reader.read(
        account,
        f"SELECT {NAMES_OF_M} FROM memories m WHERE {' AND '.join(where)} "
        "ORDER BY m.created_at DESC, m.uid DESC LIMIT %(limit)s",
        {
            "account": account,
            "category": category,
            "tag": (tag or "").strip().lower(),
            "project": project,
            "at": before[0] if before else None,
            "uid": before[1] if before else None,
            "limit": limit,
        },
        class_row(Row),
    )


async def counts(connection: Connection, account: UUID) -> dict[str, int]:
    """Count an account's memories: live ones by kind, and deleted ones that can come back."""
    cursor = connection.cursor(row_factory=dict_row)
    await cursor.execute(COUNTS, {"account": account})
    found = await cursor.fetchone()
    assert found is not None  # noqa: S101  (an aggregate is one row)
    return found


@contextlib.asynccontextmanager
async def live(connection: Connection, account: UUID) -> AsyncIterator[AsyncServerCursor[Row]]:
    """Give a cursor over the rows that are live now, in the order of their uids."""
    query = (
        f"SELECT {NAMES} FROM memories WHERE account_id = %s AND deleted_at IS NULL ORDER BY uid"
    )
    async with connection.cursor("live", row_factory=class_row(Row)) as cursor:
        await cursor.execute(query, (account,))
        yield cursor


async def successors(connection: Connection, account: UUID, uid: UUID) -> list[UUID]:
    """Return which live memories supersede this one."""
    cursor = connection.cursor(row_factory=tuple_row)
    query = (
        "SELECT uid FROM memories WHERE account_id = %s AND supersedes = %s AND deleted_at IS NULL"
    )
    await cursor.execute(query, (account, uid))
    return [found for (found,) in await cursor.fetchall()]


async def page_by_uid(
    connection: Connection, account: UUID, after: UUID | None, limit: int
) -> list[Row]:
    """Return live rows in the order of their uids, from behind one."""
    cursor = connection.cursor(row_factory=class_row(Row))
    await cursor.execute(
        f"SELECT {NAMES} FROM memories WHERE account_id = %(account)s AND deleted_at IS NULL "
        "AND (%(after)s::uuid IS NULL OR uid > %(after)s) ORDER BY uid LIMIT %(limit)s",
        {"account": account, "after": after, "limit": limit},
    )
    return await cursor.fetchall()


async def erase(connection: Connection) -> int:
    """Remove the account of this transaction but for its audit; return how many memories it had."""
    cursor = connection.cursor(row_factory=tuple_row)
    await cursor.execute("SELECT table_name, removed FROM memory_erase()")
    removed: dict[str, int] = dict(await cursor.fetchall())
    return int(removed.get("memories", 0))
