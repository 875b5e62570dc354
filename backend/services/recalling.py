"""Recall: from the words of a question to the memories that fit, in one statement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.repositories import recall
from backend.schemas import MemoryRow, RecallAnswer, Recalled
from backend.services import words

if TYPE_CHECKING:
    from uuid import UUID

    from backend.db import Database
    from backend.repositories.rows import Row
    from backend.schemas import RecallBody

FIELDS = tuple(name for name in MemoryRow.model_fields if name != "id")


async def search(database: Database, account: UUID, body: RecallBody) -> RecallAnswer:
    """Return what fits the question, best first; nothing if no word of it is known.

    Raises:
        Unavailable: the database does not answer.
    """
    terms = words.terms(body.context, body.expanded_query)
    if not terms:
        return RecallAnswer.model_construct(memories=[])
    async with database.transaction(account) as connection:
        found = await recall.search(
            connection,
            account,
            terms,
            category=body.category or "",
            scope=body.scope,
            project=body.project,
            sort_by=body.sort_by,
            limit=body.limit,
        )
    return RecallAnswer.model_construct(memories=[_recalled(rank, row) for rank, row in found])


def _recalled(rank: float, row: Row) -> Recalled:
    named = {name: getattr(row, name) for name in FIELDS}
    return Recalled.model_construct(id=row.no, rank=rank, **named)
