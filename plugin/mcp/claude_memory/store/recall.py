"""Finds the memories that fit what is asked, best first: the one search of tools and hooks. Hot.

Each term is asked for by itself. The rarest bring the candidates; of frequent terms only the
candidates are looked at, since reading all their entries would cost more than everything else.
Beside them stand the memories that mean what is asked in other words.
"""

from __future__ import annotations

from collections import namedtuple

from claude_memory.memory import label, stamp
from claude_memory.store import copies, meaning, postings, ranking, terms
from claude_memory.store.floor import Floor
from claude_memory.store.rows import (
    AMONG,
    COLUMNS_OF_M,
    FIELDS,
    SCOPES,
    VISIBLE,
    placed,
    to_memory,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Collection, Iterable, Iterator
    from datetime import datetime
    from typing import Any, NamedTuple

    from claude_memory.memory import Memory
    from claude_memory.store.postings import Posting
    from claude_memory.store.ranking import Judge, Weight

    class Query(NamedTuple):
        """What is asked: `floor` leaves out all that is not clearly about it.

        `scope` is "" for global memories and those of `project`, else "global", "project", "all".
        """

        context: str
        project: str
        now: datetime
        limit: int
        expanded: str = ""
        category: str = ""
        sort_by: str = "relevance"
        scope: str = ""
        floor: bool = False

    class Hit(NamedTuple):
        """A memory that was found.

        `matched` are the asked words that it holds and `share` what part of the question they are;
        `alike` tells how near it is in meaning.
        """

        memory: Memory
        score: float
        matched: tuple[str, ...]
        alike: float
        share: float

else:
    Query = namedtuple(
        "Query",
        "context project now limit expanded category sort_by scope floor",
        defaults=("", "", "relevance", "", False),
    )
    Hit = namedtuple("Hit", "memory score matched alike share")

CHOSEN = 14  # terms that take part: the rarest
BUDGET = 600  # candidates from which on a further term only counts among them
RESCORED = 120  # candidates by words whose meaning is looked at
ALIKE = 60  # candidates by meaning
LEAST_ALIKE = 0.1  # of a memory that shares no word with what is asked
BATCH = 20  # memories read at once, and as many as the limit more
MOST_READ = 2_000  # candidates read when few of them may be seen, or all are to be sorted
MOST_FILLING = 10_000  # entries of frequent terms looked through to fill an answer
CLOSE = 0.5  # of the best relevance: what counts as a full match when sorted otherwise
OTHER_ORDERS = ("importance", "recency")  # than by relevance
CATEGORY = "(:category = '' OR m.category = :category)"
LINE = 20  # memories that took each other's place, one after the other
HEIRS = (
    "WITH RECURSIVE line (first, uid, rid, step) AS (SELECT rid, uid, rid, 0 FROM memories "  # noqa: S608
    f"WHERE rid {AMONG} UNION ALL SELECT line.first, s.uid, s.rid, step + 1 FROM line "
    "JOIN memories s ON s.supersedes = line.uid AND s.live = 1 AND s.supersedes <> '' "
    f"WHERE step < {LINE}) SELECT first, rid FROM line WHERE step"
)
BESIDE = (
    "SELECT n.rid FROM memories m JOIN memories n ON n.session = m.session AND n.session_seq "  # noqa: S608
    f"BETWEEN m.session_seq - 2 AND m.session_seq + 2 WHERE m.session <> '' AND m.rid {AMONG}"
)


def search(
    connection: sqlite3.Connection, query: Query, floor: Callable[..., Floor] = Floor
) -> list[Hit]:
    """Return the memories that fit the query, best first; none when nothing does.

    No text can make it fail: every word reaches the index as a quoted string.
    """
    asked = terms.terms(query.context, query.expanded)
    total, highest = postings.size(connection)
    if not asked or not total:
        return []
    found = postings.look_up(connection, asked, highest)
    weights = [ranking.weigh(posting, total) for posting in found]
    best = sorted(zip(weights, found), key=lambda pair: (-pair[0].gain, pair[0].text))
    chosen = [pair for pair in best if pair[1].df][:CHOSEN]
    answer = _Answer(connection, query, ranking.Judge(weights, highest), chosen)
    answer.gather()
    answer.understand()
    answer.read()
    if query.floor:
        least = floor(query.context, weights, total)
        fitting = least.among(answer.ordered())
    else:
        answer.fill()
        fitting = answer.ordered()
    if query.sort_by in OTHER_ORDERS:
        return fitting[: query.limit]
    return copies.spread(fitting, query.limit)


def explained(hit: Hit) -> str:
    """Say in a line why a memory was found."""
    words = ", ".join(hit.matched) or "none"
    return f"{label(hit.memory)}: score {hit.score:.2f}, words {words}, meaning {hit.alike:.2f}"


class _Answer:
    """The answer to one query as it grows: candidates, then the memories among them."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        query: Query,
        judge: Judge,
        chosen: list[tuple[Weight, Posting]],
    ) -> None:
        """Keep what is asked; nothing is read yet."""
        self._connection = connection
        self._query = query
        self._judge = judge
        self._weights = [weight for weight, _ in chosen]
        self._postings = [posting for _, posting in chosen]
        self._held: dict[int, int] = {}  # by rid: a bit for every chosen term that it holds
        self._frequent: list[int] = []  # places of terms of which not all holders are candidates
        self._alike: dict[int, float] = {}  # by rid: how near in meaning
        self._likely: set[int] = set()  # the candidates that words or meaning favour
        self._seen: dict[int, Hit] = {}  # by rid

    def gather(self) -> None:
        """Collect candidates from the rare terms, and note which terms are too frequent."""
        rare: list[Posting] = []
        for place, posting in enumerate(self._postings):
            if not rare or len(self._held) + posting.df <= BUDGET:
                self._hold(place, postings.holders(self._connection, posting))
                rare.append(posting)
                continue
            self._hold(place, postings.holders_among(self._connection, posting, rare))
            self._frequent.append(place)

    def understand(self) -> None:
        """Look at what the likeliest candidates mean, and add those that mean what is asked."""
        likely = self._favoured()
        self._alike = meaning.similar(self._connection, self._query.context, likely, ALIKE)
        near = [rid for rid, alike in self._alike.items() if alike >= LEAST_ALIKE]
        for rid in near:
            self._held.setdefault(rid, 0)
        self._likely = {*likely, *near}

    def _favoured(self) -> list[int]:
        """Return the candidates that hold most of what was asked, the newest of equals."""
        like: dict[int, list[int]] = {}
        for rid, bits in self._held.items():
            like.setdefault(bits, []).append(rid)
        found: list[int] = []
        for bits in sorted(like, key=lambda bits: (-self._mass(bits), bits)):
            found += sorted(like[bits], reverse=True)
            if len(found) >= RESCORED:
                break
        return found[:RESCORED]

    def read(self) -> None:
        """Read the candidates, the most promising first, until there are enough."""
        relevant = self._query.sort_by not in OTHER_ORDERS
        size = BATCH + self._query.limit
        order = self._order()
        for _ in range(0, MOST_READ, size):
            rids = [rid for _, rid in zip(range(size), order)]  # takes no more than that
            self._read(rids)
            if len(rids) < size or (relevant and len(self._seen) >= self._query.limit):
                break

    def _order(self) -> Iterator[int]:
        """Yield the candidates, the most promising first, as far as can be told unread."""
        yield from self._promising(self._likely)
        yield from self._promising(self._held.keys() - self._likely)

    def _promising(self, rids: Collection[int]) -> list[int]:
        held, alike = self._held, self._alike.get
        said = {bits: self._judge.said(self._mass(bits)) for bits in {held[rid] for rid in rids}}
        worth = [(said[held[rid]] + ranking.MEANING * alike(rid, 0.0), rid) for rid in rids]
        return [rid for _, rid in sorted(worth, reverse=True)]

    def fill(self) -> None:
        """Add the newest memories that hold only frequent terms while there is room."""
        for place in self._frequent:
            room = self._query.limit - len(self._seen)
            if room <= 0:
                break
            found = self._select(
                f"m.rid FROM ({postings.NEWEST_HOLDERS}) f CROSS JOIN memories m "
                "ON m.rid = f.rowid",
                f"{VISIBLE} AND {CATEGORY} LIMIT :limit",
                match=self._postings[place].term.match,
                most=MOST_FILLING // len(self._frequent),
                limit=self._query.limit,
            )
            rids = [rid for (rid,) in found if rid not in self._seen][:room]
            self._hold(place, rids)
            self._read(rids)

    def ordered(self) -> list[Hit]:
        """Return the hits by relevance, or the close ones and then the rest by another key."""
        hits = [(hit, rid) for rid, hit in self._seen.items()]
        close = CLOSE * max((hit.score for hit, _ in hits), default=0.0)
        by = self._query.sort_by

        def key(pair: tuple[Hit, int]) -> tuple[float | str, ...]:
            hit, rid = pair
            newest = hit.memory.created_at
            if by == "importance":
                return hit.score >= close, hit.memory.importance, hit.score, newest, rid
            if by == "recency":
                return hit.score >= close, newest, rid
            return hit.score, newest, rid

        return [hit for hit, _ in sorted(hits, key=key, reverse=True)]

    def _hold(self, place: int, rids: list[int]) -> None:
        held, bit = self._held, 1 << place
        for rid in rids:
            held[rid] = held.get(rid, 0) | bit

    def _mass(self, bits: int) -> float:
        return sum(weight.gain for weight in self._terms(bits))

    def _terms(self, bits: int) -> list[Weight]:
        return [weight for place, weight in enumerate(self._weights) if bits >> place & 1]

    def _read(self, rids: list[int]) -> None:
        """Read and score memories that the query may see, with the candidates beside them."""
        beside = self._of(BESIDE, rids)
        memories = self._rows({*rids, *(rid for (rid,) in beside if rid in self._held)})
        heirs = self._heirs([rid for rid in rids if rid not in memories])
        if heirs:
            memories.update(self._rows(heirs))
        held = {rid: self._terms(self._held[rid]) for rid in memories}
        for rid, score in self._judge.scores(memories, held, self._alike).items():
            if rid in heirs or rid not in self._seen:
                self._seen[rid] = Hit(
                    memories[rid], score.value, score.matched, score.alike, score.share
                )

    def _rows(self, rids: set[int]) -> dict[int, Memory]:
        """Return those of some memories that the query may see."""
        rows = (
            row
            for some in placed(rids)
            for row in self._select(
                f"{COLUMNS_OF_M}, m.rid FROM memories m",
                f"m.rid {AMONG} AND {VISIBLE} AND {CATEGORY}",
                **some,
            )
        )
        return {row[len(FIELDS)]: to_memory(row) for row in rows}

    def _heirs(self, rids: list[int]) -> set[int]:
        """Let successors of memories count for what these hold; return the successors."""
        heirs = set()
        for old, new in self._of(HEIRS, rids):
            heirs.add(new)
            self._held[new] = self._held.get(new, 0) | self._held[old]
            self._alike[new] = max(self._alike.get(new, 0.0), self._alike.get(old, 0.0))
        return heirs

    def _of(self, query: str, rids: Iterable[int]) -> list[tuple[Any, ...]]:
        return [row for some in placed(rids) for row in self._connection.execute(query, some)]

    def _select(self, what: str, where: str, **values: str | int | None) -> list[tuple[Any, ...]]:
        query = self._query
        values.update(now=stamp(query.now), project=query.project, category=query.category)
        return self._connection.execute(
            f"SELECT {what} WHERE {SCOPES[query.scope]} AND {where}",
            values,
        ).fetchall()
