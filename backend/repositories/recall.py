"""The one statement of a recall: the owner's function finds, the caller's own rights read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg.rows import tuple_row

from backend.repositories.rows import COLUMNS, Row

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from psycopg import AsyncConnection

FOUND = (
    f"SELECT f.rank, {', '.join(f'm.{name}' for name in COLUMNS)} "
    "FROM memory_recall(%(terms)s::text[], %(weights)s::real[], %(limit)s::int, %(category)s::text,"
    " %(scope)s::text, %(project)s::text, %(sort_by)s::text) WITH ORDINALITY "
    "AS f(uid, rank, matched, place) "
    "JOIN memories m ON m.account_id = %(account)s AND m.uid = f.uid ORDER BY f.place"
)


async def search(
    connection: AsyncConnection[Any],
    account: UUID,
    terms: Mapping[str, float],
    *,
    category: str,
    scope: str,
    project: str,
    sort_by: str,
    limit: int,
) -> list[tuple[float, Row]]:
    """Return the memories that fit best, each with its rank."""
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
    cursor = connection.cursor(row_factory=tuple_row)
    await cursor.execute(FOUND, named)
    found = await cursor.fetchall()
    return [(one[0], Row(**dict(zip(COLUMNS, one[1:], strict=True)))) for one in found]
