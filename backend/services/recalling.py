"""Recall: from the words of a question to the memories that fit, in one statement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.repositories import recall
from backend.schemas import RecallAnswer, Recalled
from backend.services import words

if TYPE_CHECKING:
    from uuid import UUID

    from backend.db import Reader
    from backend.schemas import RecallBody


async def search(reader: Reader, account: UUID, body: RecallBody) -> RecallAnswer:
    """Return what fits the question, best first; nothing if no word of it is known.

    Raises:
        Unavailable: the database does not answer.
    """
    terms = words.terms(body.context, body.expanded_query)
    if not terms:
        return RecallAnswer.model_construct(memories=[])
    found = await recall.search(
        reader,
        account,
        terms,
        category=body.category or "",
        scope=body.scope,
        project=body.project,
        sort_by=body.sort_by,
        limit=body.limit,
    )
    memories = [Recalled.model_validate(one) for one in found]
    return RecallAnswer.model_construct(memories=memories)
