"""Lists memories, newest first, page by page; a page ends where the next one begins."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from backend.errors import Malformed
from backend.repositories import memories
from backend.schemas import ListAnswer
from backend.services import places
from backend.services.single import row_of

if TYPE_CHECKING:
    from backend.db import Database
    from backend.repositories.rows import Row

# What reading a text that is no cursor raises.
NO_CURSOR = (ValueError, TypeError, AttributeError, RecursionError)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What to list."""

    category: str | None = None
    tag: str | None = None
    limit: int = 50
    cursor: str = ""
    scope: str = "all"  # global | project | all; empty: global plus that project
    project: str = ""


async def page(database: Database, account: UUID, wanted: Wanted) -> ListAnswer:
    """Return one page and the cursor of the next.

    Raises:
        Malformed: the cursor is none of ours.
    """
    before = _read(wanted.cursor) if wanted.cursor else None
    rows = await memories.newest(
        database,
        account,
        category=wanted.category,
        tag=wanted.tag,
        scope=wanted.scope,
        project=wanted.project,
        before=before,
        limit=wanted.limit + 1,
    )
    shown = rows[: wanted.limit]
    following = _cursor(shown[-1]) if len(rows) > len(shown) else None
    return ListAnswer.model_construct(memories=[row_of(row) for row in shown], next=following)


def _cursor(row: Row) -> str:
    return places.word(json.dumps([row.created_at.isoformat(), row.uid.hex]).encode())


def _read(text: str) -> tuple[datetime, UUID]:
    try:
        moment, uid = json.loads(places.content(text))
        at = datetime.fromisoformat(moment)
        if at.tzinfo is None:
            raise ValueError("a cursor's time has its zone")
        return at, UUID(uid)
    except NO_CURSOR as error:
        message = "This cursor is none that a list has answered with."
        raise Malformed(message, fix="Leave it out: the list begins anew.") from error
