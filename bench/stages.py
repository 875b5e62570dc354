"""The ways of ranking that are compared: two yardsticks on FTS5, and what the plugin does.

A yardstick is written out here and stays as it is, so that figures of different times compare.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from claude_memory.store import commonness
from claude_memory.store.rows import SCOPES, VISIBLE

from bench.questions import PRESENT

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.filled import Filled
    from bench.questions import Prompt

    Find = Callable[[Prompt, int], list[int]]  # the numbers of memories, best first

WORD = re.compile(r"[^\W_]+")
RAREST = 12  # terms
BESIDE = ((1, 0.5), (2, 0.3))  # distance in the same session, part of its score that counts
ROWS = "SELECT local_no, content || ' ' || tags, session, session_seq FROM memories WHERE live = 1"


class Yardstick:
    """An index of its own over the memories of a store: porter stems, no stop words asked for."""

    def __init__(self, filled: Filled) -> None:
        """Index what the store holds, in a table that goes away with the connection."""
        self._connection = filled.connection()
        rows = self._connection.execute(ROWS).fetchall()
        self._at = {number: (session, seq) for number, _, session, seq in rows}
        self._numbers = {place: number for number, place in self._at.items()}
        self._visible: dict[str, set[int]] = {}
        self._connection.execute(
            "CREATE VIRTUAL TABLE temp.yardstick USING fts5(text, tokenize = 'porter unicode61')"
        )
        self._connection.executemany(
            "INSERT INTO temp.yardstick (rowid, text) VALUES (?, ?)", [row[:2] for row in rows]
        )

    def words(self, prompt: Prompt, limit: int) -> list[int]:
        """Rank by the bm25 of all words together."""
        scores = self._scores(" OR ".join(_terms(prompt.text)))
        return self._best(scores, prompt, limit)

    def lexctx(self, prompt: Prompt, limit: int) -> list[int]:
        """Rank by the rarest words, each counted where it stands or, in part, right beside."""
        found = [scores for term in _terms(prompt.text) if (scores := self._scores(term))]
        total: defaultdict[int, float] = defaultdict(float)
        for scores in sorted(found, key=len)[:RAREST]:
            for number, score in self._spread(scores).items():
                total[number] += score
        return self._best(total, prompt, limit)

    def _scores(self, match: str) -> dict[int, float]:
        query = "SELECT rowid, -bm25(yardstick) FROM temp.yardstick WHERE yardstick MATCH ?"
        return dict(self._connection.execute(query, (match,)).fetchall()) if match else {}

    def _spread(self, scores: dict[int, float]) -> dict[int, float]:
        """Let memories share in the scores of those stored just before and after."""
        spread = dict(scores)
        for number, score in scores.items():
            session, seq = self._at[number]
            for distance, part in BESIDE:
                for place in (seq - distance, seq + distance):
                    other = self._numbers.get((session, place))
                    if session and other is not None:
                        spread[other] = max(spread.get(other, 0.0), score * part)
        return spread

    def _best(self, scores: dict[int, float], prompt: Prompt, limit: int) -> list[int]:
        seen = self._seen_from(prompt.project)
        ranked = sorted(seen & scores.keys(), key=lambda number: (-scores[number], -number))
        return ranked[:limit]

    def _seen_from(self, project: str) -> set[int]:
        if project not in self._visible:
            query = f"SELECT m.local_no FROM memories m WHERE {SCOPES['']} AND {VISIBLE}"
            values = {"project": project, "now": PRESENT}
            rows = self._connection.execute(query, values)
            self._visible[project] = {number for (number,) in rows}
        return self._visible[project]


def stages(filled: Filled) -> dict[str, Find]:
    """Return every way of ranking over one store, by name, the cheapest first."""
    yardstick = Yardstick(filled)
    return {"words": yardstick.words, "lexctx": yardstick.lexctx, "recall": filled.recall}


def _terms(text: str) -> list[str]:
    """Return the words of a question as FTS5 strings; stop words only if there is nothing else."""
    words = list(dict.fromkeys(WORD.findall(text.lower())))
    return [f'"{word}"' for word in words if not commonness.is_stop(word)] or [
        f'"{word}"' for word in words
    ]
