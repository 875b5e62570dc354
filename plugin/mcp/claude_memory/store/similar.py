"""Finds the memory that a new one most likely repeats, so that Claude can decide. Hot.

Nothing is ever merged on this guess. It has to be cheap, since every store makes it: of each word
only the first entries of the index are read, the memories that share the rarest words are compared
with the new text, and the likeness of two texts is the share of words in common (the Jaccard
index).
"""

from __future__ import annotations

from collections import Counter

from claude_memory.memory import stamp
from claude_memory.store.copies import LIKE, shared, words_of
from claude_memory.store.postings import HOLDERS
from claude_memory.store.rows import AMONG, COLUMNS_OF_M, SCOPES, VISIBLE, placed, to_memory

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from claude_memory.memory import Draft, Memory

ASKED = 5  # words that are looked up at most: the longest
AHEAD = 128  # entries read of each; a word with fewer is rare
ENOUGH = 3  # rare words, and no more are looked up
COMPARED = 8  # memories whose text is compared
TEXTS = f"SELECT rid, content FROM memories WHERE rid {AMONG}"  # noqa: S608
SHOWN = (
    f"SELECT {COLUMNS_OF_M} FROM memories m "  # noqa: S608
    f"WHERE m.rid {AMONG} AND {VISIBLE} AND {SCOPES['']}"
)


def likely_twin(connection: sqlite3.Connection, draft: Draft, now: datetime) -> Memory | None:
    """Return the visible memory whose words are nearly those of the draft, or None."""
    wanted = words_of(draft.content)
    candidates = placed(_candidates(connection, wanted))
    texts = (row for some in candidates for row in connection.execute(TEXTS, some))
    alike = placed(rid for rid, text in texts if shared(wanted, words_of(text)) >= LIKE)
    around = {"now": stamp(now), "project": draft.project}
    rows = (row for some in alike for row in connection.execute(SHOWN, {**some, **around}))
    return max(
        map(to_memory, rows),
        default=None,
        key=lambda one: (shared(wanted, words_of(one.content)), one.uid),
    )


def _candidates(connection: sqlite3.Connection, wanted: frozenset[str]) -> list[int]:
    """Return the memories that share the rarest words; where no word is rare, the rarest of all."""
    weights: Counter[int] = Counter()
    common: list[tuple[int, str]] = []
    rare = 0
    for word in sorted(wanted, key=lambda word: (-len(word), word))[:ASKED]:
        cursor = connection.execute(HOLDERS, (f'"{word}"',))
        rids = [rid for (rid,) in cursor.fetchmany(AHEAD)]
        cursor.close()
        if len(rids) == AHEAD:  # entries come by rid: the farther they reach, the rarer the word
            common.append((-rids[-1], word))
            continue
        for rid in rids:
            weights[rid] += AHEAD // len(rids)
        rare += bool(rids)
        if rare == ENOUGH:
            break
    if not weights and common:
        rarest = " AND ".join(f'"{word}"' for _, word in sorted(common)[:3])
        rows = connection.execute(f"{HOLDERS} LIMIT {AHEAD}", (rarest,))
        weights.update(rid for (rid,) in rows)
    return [rid for rid, _ in weights.most_common(COMPARED)]
