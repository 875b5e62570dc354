"""Writes an account as JSON lines that can be imported again; no clear secret is ever in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.repositories import accounts, memories
from backend.schemas import ImportRow

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from uuid import UUID

    from backend.db import Database
    from backend.repositories.rows import Row

PAGE = 500  # rows
NOT_EXPORTED = {"force_sensitive"}
FIELDS = [name for name in ImportRow.model_fields if name not in NOT_EXPORTED]


async def begin(database: Database, account: UUID, *, by: str) -> AsyncIterator[bytes]:
    """Record the export and return its lines, in the order of their uids.

    Raises:
        Unavailable: the database does not answer.
    """
    async with database.transaction(account) as connection:
        await accounts.audit(connection, account, "export", "", by)
        first = await memories.page_by_uid(connection, account, None, PAGE)
    return _lines(database, account, first)


async def _lines(database: Database, account: UUID, rows: list[Row]) -> AsyncIterator[bytes]:
    while rows:
        yield b"".join(map(_line, rows))
        async with database.transaction(account) as connection:
            rows = await memories.page_by_uid(connection, account, rows[-1].uid, PAGE)


def _line(row: Row) -> bytes:
    shown = ImportRow.model_construct(**{name: getattr(row, name) for name in FIELDS})
    return shown.model_dump_json(exclude=NOT_EXPORTED).encode() + b"\n"
