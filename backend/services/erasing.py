"""Erases an account, and gives a receipt for it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from backend.repositories import accounts, memories
from backend.schemas import Receipt

if TYPE_CHECKING:
    from uuid import UUID

    from backend.db import Database

PATIENCE = 120  # seconds: an account may be large


async def erase(database: Database, account: UUID, *, by: str) -> Receipt:
    """Remove all that an account has, at once; the audit stays."""
    async with database.transaction(account, seconds=PATIENCE) as connection:
        removed = await memories.erase(connection)
        await accounts.audit(connection, account, "account.erased", str(removed), by)
    return Receipt(account_id=account, memories=removed, erased_at=datetime.now(UTC))
