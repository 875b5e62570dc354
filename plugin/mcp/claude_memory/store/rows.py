"""Turns a row of the memories table into a Memory. Hot."""

from __future__ import annotations

from claude_memory.memory import Memory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FIELDS = Memory._fields
COLUMNS = ", ".join(FIELDS)
COLUMNS_OF_M = ", ".join("m." + name for name in FIELDS)


def to_memory(row: tuple[Any, ...]) -> Memory:
    """Build the Memory from a row selected as COLUMNS; further columns are ignored."""
    values = list(row[: len(FIELDS)])
    values[8] = bool(values[8])
    return Memory._make(values)
