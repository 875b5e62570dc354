"""What memories mean, for those that were stored without it: the statements of filling up."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg.rows import class_row, tuple_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from uuid import UUID

    from psycopg import AsyncConnection

    from backend.db import Database

PATIENCE = 60  # seconds for a statement on an account of any size
LACKING = (
    "SELECT m.no, m.version, m.content, m.tags, m.expanded_keywords, m.words FROM memories m "
    "WHERE m.account_id = %(account)s AND m.no > %(after)s AND m.deleted_at IS NULL "
    "AND NOT m.is_sensitive AND NOT EXISTS (SELECT FROM meanings g WHERE g.account_id = "
    "%(account)s AND g.no = m.no AND g.model = %(model)s) ORDER BY m.no LIMIT %(limit)s"
)
# As long as the row is still as it was read: else whoever changed it has written what it means now.
UNCHANGED = (
    "SELECT m.no FROM memories m JOIN json_to_recordset(%s::json) AS r (no bigint, version bigint) "
    "ON m.no = r.no AND m.version = r.version WHERE m.account_id = %s AND NOT m.is_sensitive"
)
REWORD = (
    "UPDATE memories m SET words = r.words FROM json_to_recordset(%s::json) "
    "AS r (no bigint, words text) WHERE m.account_id = %s AND m.no = r.no"
)


@dataclass(frozen=True)
class Lacking:
    """A memory of which it is not written what it means to a model."""

    no: int
    version: int
    content: str
    tags: str
    expanded_keywords: str
    words: str


async def page(
    database: Database, account: UUID, model: str, after: int, limit: int
) -> list[Lacking]:
    """Return the next memories that a model has not read, by number; secrets are never read."""
    named = {"account": account, "model": model, "after": after, "limit": limit}
    return await database.read(account, LACKING, named, class_row(Lacking), seconds=PATIENCE)


async def unchanged(
    connection: AsyncConnection[Any], account: UUID, rows: Iterable[Lacking]
) -> set[int]:
    """Return the numbers of those that are as they were; the account has to be locked."""
    cursor = connection.cursor(row_factory=tuple_row)
    read = json.dumps([{"no": row.no, "version": row.version} for row in rows])
    await cursor.execute(UNCHANGED, (read, account))
    return {number for (number,) in await cursor.fetchall()}


async def reword(
    connection: AsyncConnection[Any], account: UUID, words: Iterable[tuple[int, str]]
) -> None:
    """Write anew by what else memories are found; to clients nothing has changed."""
    rows = [{"no": number, "words": text} for number, text in words]
    if rows:
        await connection.execute(REWORD, (json.dumps(rows, ensure_ascii=False), account))


async def has_others(database: Database, account: UUID, models: Sequence[str]) -> bool:
    """Tell whether it is written what memories meant to models that are used no more."""
    query = "SELECT 1 FROM meanings WHERE account_id = %s AND model <> ALL(%s) LIMIT 1"
    named = (account, list(models))
    return bool(await database.read(account, query, named, tuple_row, seconds=PATIENCE))


async def drop_others(
    connection: AsyncConnection[Any], account: UUID, models: Sequence[str]
) -> None:
    """Remove what an account's memories meant to models that are used no more."""
    query = "DELETE FROM meanings WHERE account_id = %s AND model <> ALL(%s)"
    await connection.execute(query, (account, list(models)))
