"""Goes through all accounts, whoever they belong to: for what an operator does to each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.repositories import accounts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from uuid import UUID

    from backend.db import Database

PAGE = 100


async def every(database: Database) -> AsyncIterator[UUID]:
    """Return the accounts one after the other, in a fixed order, with no transaction meanwhile.

    Raises:
        Unavailable: the database does not answer.
    """
    after: UUID | None = None
    while True:
        async with database.transaction(None) as connection:
            found = await accounts.page(connection, after, PAGE)
        if not found:
            return
        for after in found:
            yield after
