"""Finds the memories that fit what is asked, best first: the one search of tools and hooks. Hot.

Each term is asked for by itself. The rarest bring the candidates; of frequent terms only the
candidates are looked at, since reading all their entries would cost more than everything else.
"""

from __future__ import annotations

from collections import namedtuple

from claude_memory.memory import stamp
from claude_memory.store import postings, ranking, terms
from claude_memory.store.rows import COLUMNS_OF_M, FIELDS, to_memory

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from datetime import datetime
    from typing import NamedTuple

    from claude_memory.memory import Memory
    from claude_memory.store.postings import Posting
    from claude_memory.store.ranking import Weight

    class Query(NamedTuple):
        """What is asked: `floor` leaves out all that is not clearly about it.

        `scope` is "" for global memories and those of `project`, else "global", "project", "all".
        """

        context: str
        expanded: str
        category: str
        limit: int
        sort_by: str
        scope: str
        project: str
        now: datetime
        floor: bool

    class Hit(NamedTuple):
        """A memory that was found, and the asked words that it holds."""

        memory: Memory
        score: float
        matched: tuple[str, ...]

else:
    Query = namedtuple("Query", "context expanded category limit sort_by scope project now floor")
    Hit = namedtuple("Hit", "memory score matched")

CHOSEN = 14  # terms that take part: the rarest
BUDGET = 3_000  # candidates from which on further terms only count among them
BATCH = 120  # memories read and compared at once
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


def search(connection: sqlite3.Connection, query: Query) -> list[Hit]:
    """Return the memories that fit the query, best first; none when nothing does.

    No text can make it fail: every word reaches the index as a quoted string.
    """
    asked = terms.terms(query.context, query.expanded)
    total, highest = postings.size(connection)
    if not asked or not total:
        return []
    found = postings.look_up(connection, asked, highest)
    weights = [ranking.weigh(posting, total) for posting in found]
    judge = ranking.Judge(weights, highest)
    best = sorted(zip(weights, found), key=lambda pair: (-pair[0].gain, pair[0].text))
    chosen = [pair for pair in best if pair[1].df][:CHOSEN]
    held = _candidates(connection, chosen)
    order = sorted(held, key=lambda rid: (-sum(one.gain for one in held[rid]), -rid))
    scored = []
    for start in range(0, len(order), BATCH):
        for rid, memory in _load(connection, order[start : start + BATCH], query):
            score = judge.score(memory, held[rid], rid)
            if not query.floor or judge.passes(score):
                scored.append((rid, Hit(memory, score.value, score.matched)))
        if query.sort_by == "relevance" and len(scored) >= query.limit:
            break
    scored.sort(key=lambda pair: (_first(pair[1], query.sort_by), pair[0]), reverse=True)
    return [hit for _, hit in scored[: query.limit]]


def _candidates(
    connection: sqlite3.Connection, chosen: list[tuple[Weight, Posting]]
) -> dict[int, list[Weight]]:
    """Return the memories worth reading, each with the terms that it holds."""
    held: dict[int, list[Weight]] = {}
    rare: list[Posting] = []
    for weight, posting in chosen:
        if rare and len(held) + posting.df > BUDGET:
            rids = postings.holders_among(connection, posting, rare)
        else:
            rids = postings.holders(connection, posting)
            rare.append(posting)
        for rid in rids:
            held.setdefault(rid, []).append(weight)
    return held


def _load(
    connection: sqlite3.Connection, rids: list[int], query: Query
) -> Iterator[tuple[int, Memory]]:
    """Read those of the memories that the query may see."""
    where = [f"m.rid IN ({','.join(map(str, rids))})", VISIBLE, SCOPES[query.scope]]
    if query.category:
        where.append("m.category = :category")
    rows = connection.execute(
        f"SELECT {COLUMNS_OF_M}, m.rid FROM memories m WHERE {' AND '.join(where)}",  # noqa: S608
        {"now": stamp(query.now), "project": query.project, "category": query.category},
    )
    return ((row[len(FIELDS)], to_memory(row)) for row in rows)


def _first(hit: Hit, sort_by: str) -> tuple[float | str, ...]:
    """Return what orders the hits: the greatest comes first."""
    newest = hit.memory.created_at
    if sort_by == "importance":
        return hit.memory.importance, hit.score, newest
    return (newest, hit.score) if sort_by == "recency" else (hit.score, newest)
