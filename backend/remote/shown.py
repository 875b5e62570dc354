"""What is written of a memory for a model: the backend's side of the copied `lines`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from backend.schemas import MemoryRow


class Memory(NamedTuple):
    """A memory as it is written; `created_at` begins with the day."""

    id: int
    content: str
    category: str
    tags: str
    created_at: str


def of(row: MemoryRow) -> Memory:
    """Return what is written of a row."""
    return Memory(row.id, row.content, row.category, row.tags, row.created_at.isoformat())


def label(memory: Memory) -> str:
    """Return the id that a person sees."""
    return f"#{memory.id}"
