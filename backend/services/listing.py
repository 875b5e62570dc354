"""Lists memories, newest first, page by page; a page ends where the next one begins."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from backend.errors import Malformed
from backend.repositories import memories
from backend.schemas import ListAnswer
from backend.services.single import row_of

if TYPE_CHECKING:
    from backend.db import Database
    from backend.repositories.rows import Row


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
    parts = [row.created_at.isoformat(), row.uid.hex]
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def _read(text: str) -> tuple[datetime, UUID]:
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        moment, uid = json.loads(base64.b64decode(padded, b"-_", validate=True))
        at = datetime.fromisoformat(moment)
        if at.tzinfo is None:
            raise ValueError("a cursor's time has its zone")
        return at, UUID(uid)
    except (binascii.Error, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise Malformed("This cursor is none that a list has answered with.") from error
