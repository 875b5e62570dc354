"""What a file holds for an import: facts, each with its place, and what others call our fields."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

KINDS = {  # what others call our categories
    "preference": "preferences",
    "user": "preferences",
    "feedback": "preferences",
    "decision": "decisions",
    "project": "projects",
    "person": "people",
}


@dataclass(frozen=True)
class Fact:
    """One thing to import; `ours` holds the whole line of an export of ours."""

    content: str
    where: str
    category: str = "facts"
    tags: str = ""
    importance: float = 0.5
    expanded_keywords: str = ""
    created_at: str = ""
    ours: dict[str, Any] = field(default_factory=dict)
