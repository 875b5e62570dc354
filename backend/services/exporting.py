"""Writes an account as JSON lines that can be imported again; no clear secret is ever in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.repositories import accounts, memories
from backend.schemas import OF_THE_PLUGIN, ImportRow

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from uuid import UUID

    from backend.db import Database
    from backend.repositories.rows import Row

PAGE = 500  # rows
NOT_EXPORTED = {"force_sensitive", *OF_THE_PLUGIN}
FIELDS = [name for name in ImportRow.model_fields if name not in NOT_EXPORTED]


async def begin(database: Database, account: UUID, *, by: str) -> AsyncGenerator[bytes]:
    """Record the export and return its lines in the order of their uids, all of one moment.

    What is returned holds a connection until it is read to its end, or closed.

    Raises:
        Unavailable: the database does not answer.
    """
    async with database.transaction(account) as connection:
        await accounts.audit(connection, account, "export", "", by)
    lines = _lines(database, account)
    await anext(lines)
    return lines


async def _lines(database: Database, account: UUID) -> AsyncGenerator[bytes]:
    async with (
        database.reading(account) as connection,
        memories.live(connection, account) as cursor,
    ):
        yield b""  # the moment is fixed; what fails until here is an answer of its own
        while rows := await cursor.fetchmany(PAGE):
            yield b"".join(map(_line, rows))


def _line(row: Row) -> bytes:
    shown = ImportRow.model_construct(**{name: getattr(row, name) for name in FIELDS})
    return shown.model_dump_json(exclude=NOT_EXPORTED).encode() + b"\n"
