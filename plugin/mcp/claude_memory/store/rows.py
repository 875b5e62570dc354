"""What a row of the memories table is to a reader: which rows count, and the Memory of one. Hot.

VISIBLE and SCOPES are conditions on a table named `m`; they take the parameters :now and :project.
AMONG stands behind a column's name: its value is one of the rids that `placed` gives.
REPLACED is a condition on `m` and a row `s`, which supersedes it.
"""

from __future__ import annotations

from claude_memory.memory import Memory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

FIELDS = Memory._fields
COLUMNS = ", ".join(FIELDS)
COLUMNS_OF_M = ", ".join("m." + name for name in FIELDS)
# Two machines may let two memories supersede each other, so that neither would ever be shown. Of
# such a circle the newest uid stays, on every machine: it is not superseded from within.
REPLACED = (
    "s.supersedes = m.uid AND s.live = 1 AND s.supersedes <> '' AND NOT "
    "(WITH RECURSIVE older (uid) AS (SELECT m.supersedes UNION SELECT o.supersedes "
    "FROM older JOIN memories o ON o.uid = older.uid WHERE o.live = 1 AND o.uid <> m.uid) "
    "SELECT max(uid) = m.uid AND total(uid = s.uid) FROM older)"
)
VISIBLE = (
    "m.live = 1 AND (m.expires_at = '' OR m.expires_at > :now) AND NOT EXISTS "  # noqa: S608
    f"(SELECT 1 FROM memories s WHERE {REPLACED})"
)
SCOPES = {
    "": "(m.scope = 'global' OR m.project = :project)",
    "global": "m.scope = 'global'",
    "project": "(m.scope = 'project' AND m.project = :project)",
    "all": "1",
}
AT_ONCE = 40  # rows asked for by rid
PLACES = [f"rid{number}" for number in range(AT_ONCE)]
# One text for any number of rids: SQLite prepares it once, and keeps one plan and not hundreds.
AMONG = f"IN ({', '.join(':' + place for place in PLACES)})"


def placed(rids: Iterable[int]) -> Iterator[dict[str, Any]]:
    """Yield values for AMONG until all rids have had their turn."""
    left = list(rids)
    for start in range(0, len(left), AT_ONCE):
        yield {**dict.fromkeys(PLACES), **dict(zip(PLACES, left[start : start + AT_ONCE]))}


def to_memory(row: tuple[Any, ...]) -> Memory:
    """Build the Memory from a row selected as COLUMNS; further columns are ignored."""
    values = list(row[: len(FIELDS)])
    values[8] = bool(values[8])
    return Memory._make(values)
