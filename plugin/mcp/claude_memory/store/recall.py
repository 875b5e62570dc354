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
    from datetime import datetime
    from typing import NamedTuple

    from claude_memory.memory import Memory
    from claude_memory.store.postings import Posting
    from claude_memory.store.ranking import Judge, Weight

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
BUDGET = 600  # candidates from which on a further term only counts among them
BATCH = 100  # memories read and compared at once
MOST_SORTED = 2_000  # memories put in an order other than relevance
CLOSE = 0.5  # of the best relevance: what counts as a full match when sorted otherwise
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
NEIGHBOURS = (
    "SELECT n.rid FROM memories m JOIN memories n ON n.session = m.session AND n.session_seq "
    "BETWEEN m.session_seq - 2 AND m.session_seq + 2 WHERE m.session <> '' AND m.rid IN (%s)"
)


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
    hits = _read(connection, query, judge, held, [weight for weight, _ in chosen])
    return _ordered(hits, query.sort_by)[: query.limit]


def _candidates(
    connection: sqlite3.Connection, chosen: list[tuple[Weight, Posting]]
) -> dict[int, int]:
    """Return the memories worth reading, each with a bit for every chosen term that it holds."""
    held: dict[int, int] = {}
    rare: list[Posting] = []
    for place, (_, posting) in enumerate(chosen):
        if rare and len(held) + posting.df > BUDGET:
            rids = postings.holders_among(connection, posting, rare)
        else:
            rids = postings.holders(connection, posting)
            rare.append(posting)
        bit = 1 << place
        for rid in rids:
            held[rid] = held.get(rid, 0) | bit
    return held


def _read(
    connection: sqlite3.Connection,
    query: Query,
    judge: Judge,
    held: dict[int, int],
    weights: list[Weight],
) -> list[tuple[Hit, int]]:
    """Read the most promising candidates, in batches until there are enough, and score them."""
    kinds = {
        bits: [w for place, w in enumerate(weights) if bits >> place & 1]
        for bits in set(held.values())
    }
    masses = {bits: -sum(weight.gain for weight in kind) for bits, kind in kinds.items()}
    order = sorted(held, key=lambda rid: (masses[held[rid]], -rid))
    relevant = query.sort_by not in ("importance", "recency")
    hits: dict[int, Hit] = {}
    for start in range(0, len(order) if relevant else min(len(order), MOST_SORTED), BATCH):
        memories = _load(connection, order[start : start + BATCH], held, query)
        scores = judge.scores(memories, {rid: kinds[held[rid]] for rid in memories})
        for rid, score in scores.items():
            if not query.floor or judge.passes(memories[rid], score):
                hits[rid] = Hit(memories[rid], score.value, score.matched)
        if relevant and len(hits) >= query.limit:
            break
    return [(hit, rid) for rid, hit in hits.items()]


def _load(
    connection: sqlite3.Connection, rids: list[int], held: dict[int, int], query: Query
) -> dict[int, Memory]:
    """Read those of the candidates that the query may see, with candidates beside them."""
    beside = connection.execute(NEIGHBOURS % ",".join(map(str, rids)))
    wanted = {*rids, *(rid for (rid,) in beside if rid in held)}
    where = [f"m.rid IN ({','.join(map(str, wanted))})", VISIBLE, SCOPES[query.scope]]
    if query.category:
        where.append("m.category = :category")
    rows = connection.execute(
        f"SELECT {COLUMNS_OF_M}, m.rid FROM memories m WHERE {' AND '.join(where)}",  # noqa: S608
        {"now": stamp(query.now), "project": query.project, "category": query.category},
    )
    return {row[len(FIELDS)]: to_memory(row) for row in rows}


def _ordered(hits: list[tuple[Hit, int]], sort_by: str) -> list[Hit]:
    """Put the hits in order: by relevance, or the close ones and then the rest by another key."""
    close = CLOSE * max((hit.score for hit, _ in hits), default=0.0)

    def key(pair: tuple[Hit, int]) -> tuple[float | str, ...]:
        hit, rid = pair
        newest = hit.memory.created_at
        if sort_by == "importance":
            return hit.score >= close, hit.memory.importance, hit.score, newest, rid
        if sort_by == "recency":
            return hit.score >= close, newest, rid
        return hit.score, newest, rid

    return [hit for hit, _ in sorted(hits, key=key, reverse=True)]
