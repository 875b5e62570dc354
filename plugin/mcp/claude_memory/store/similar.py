"""Finds the memory that a new one most likely repeats, so that Claude can decide. Hot.

Nothing is ever merged on this guess.
"""

from __future__ import annotations

import re

from claude_memory.store import recall

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from claude_memory.memory import Draft, Memory

WORD = re.compile(r"\w+")
LIKE = 0.55  # share of words in common (Jaccard) from which two texts count as twins
LOOKED_AT = 5


def likely_twin(connection: sqlite3.Connection, draft: Draft, now: datetime) -> Memory | None:
    """Return the visible memory whose words are nearly those of the draft, or None."""
    query = recall.Query(
        context=draft.content,
        expanded="",
        category="",
        limit=LOOKED_AT,
        sort_by="relevance",
        scope="",
        project=draft.project,
        now=now,
        floor=False,
    )
    wanted = _words(draft.content)
    likely = [
        (_likeness(wanted, _words(hit.memory.content)), -place, hit.memory)
        for place, hit in enumerate(recall.search(connection, query))
    ]
    best = max(likely, default=None, key=lambda one: one[:2])
    return best[2] if best and best[0] >= LIKE else None


def _words(text: str) -> frozenset[str]:
    return frozenset(WORD.findall(text.lower()))


def _likeness(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other) if one and other else 0.0
