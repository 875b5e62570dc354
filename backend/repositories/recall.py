"""The one statement of a recall: the owner's function finds, the caller's own rights read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg.rows import dict_row

from backend.repositories.rows import SHOWN

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from backend.db import Reader

FOUND = (
    f"SELECT m.no AS id, f.rank, {', '.join(f'm.{name}' for name in SHOWN)} "
    "FROM memory_recall(%(terms)s::text[], %(weights)s::real[], %(limit)s::int, %(category)s::text,"
    " %(scope)s::text, %(project)s::text, %(sort_by)s::text) WITH ORDINALITY "
    "AS f(uid, rank, matched, place) "
    "JOIN memories m ON m.account_id = %(account)s AND m.uid = f.uid ORDER BY f.place"
)


async def search(
    reader: Reader,
    account: UUID,
    terms: Mapping[str, float],
    *,
    category: str,
    scope: str,
    project: str,
    sort_by: str,
    limit: int,
) -> list[dict[str, Any]]:
    """Return what is shown of the memories that fit best, each with its rank."""
    named = {
        "account": account,
        "terms": list(terms),
        "weights": list(terms.values()),
        "limit": limit,
        "category": category,
        "scope": scope,
        "project": project,
        "sort_by": sort_by,
    }
    return await reader.read(account, FOUND, named, dict_row)
