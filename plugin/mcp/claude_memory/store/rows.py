"""What a row of the memories table is to a reader: which rows count, and the Memory of one. Hot.

VISIBLE and SCOPES are conditions on a table named `m`; they take the parameters :now and :project.
"""

from __future__ import annotations

from claude_memory.memory import Memory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FIELDS = Memory._fields
COLUMNS = ", ".join(FIELDS)
COLUMNS_OF_M = ", ".join("m." + name for name in FIELDS)
VISIBLE = (
    "m.live = 1 AND (m.expires_at = '' OR m.expires_at > :now) AND NOT EXISTS "
    "(SELECT 1 FROM memories s WHERE s.supersedes = m.uid AND s.live = 1 AND s.supersedes <> '')"
)
SCOPES = {
    "": "(m.scope = 'global' OR m.project = :project)",
    "global": "m.scope = 'global'",
    "project": "(m.scope = 'project' AND m.project = :project)",
    "all": "1",
}


def to_memory(row: tuple[Any, ...]) -> Memory:
    """Build the Memory from a row selected as COLUMNS; further columns are ignored."""
    values = list(row[: len(FIELDS)])
    values[8] = bool(values[8])
    return Memory._make(values)
