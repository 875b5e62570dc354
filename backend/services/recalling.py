"""Recall: the database says what may fit, in one statement, and the plugin's ranking orders it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from anyio import to_thread

from backend import meaning
from backend.meaning import Meant
from backend.ranking import commonness, copies, ranking, terms
from backend.ranking.found import Hit, Memory, Posting
from backend.repositories import recall
from backend.repositories.recall import Question
from backend.repositories.rows import SHOWN
from backend.schemas import RecallAnswer
from backend.secrets.detect import redact
from backend.services import meanings, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from uuid import UUID

    from backend.db import Reader
    from backend.ranking.ranking import Weight
    from backend.ranking.terms import Term
    from backend.repositories.recall import Candidate
    from backend.schemas import RecallBody
    from backend.semantic import Semantic

MOST_EXPANDED = 12  # terms
CHOSEN = 14  # terms that take part: the rarest
LONG = 4_000  # characters of a question
LEAST_ALIKE = 0.1  # of a memory that shares no word with what is asked
FIRST = ("id", *SHOWN)  # of a candidate
CLOSE = 0.5  # of the best relevance: what counts as a full match when sorted otherwise


async def search(
    reader: Reader, account: UUID, body: RecallBody, semantic: Semantic | None = None
) -> RecallAnswer:
    """Return what fits the question, best first; nothing if nothing does.

    Raises:
        Unavailable: the database does not answer.
    """
    context, expanded = await _safe(body.context), await _safe(body.expanded_query)
    meant = await semantic.asked(context) if semantic else None
    meant = meant or _by_table(context)
    asked = Asked.read(context, expanded, meant)
    if not asked.terms:
        return RecallAnswer.model_construct(memories=[])
    found = await recall.candidates(reader, account, asked.question(body))
    best = _best(asked.hits(found), body.sort_by, body.limit)
    return RecallAnswer.model_validate({"memories": [_shown(hit) for hit in best]})


@dataclass(frozen=True)
class Asked:
    """What is asked: terms, those that they are looked for in parts by, and what it means."""

    wholes: tuple[Term, ...]
    terms: tuple[Term, ...]  # all that the database counts
    meant: Meant

    @classmethod
    def read(cls, context: str, expanded: str, meant: Meant) -> Asked:
        """Read a question as the plugin does."""
        found = terms.terms(context, expanded)
        wholes = [term for term in found if term.asked]
        wholes += [term for term in found if not term.asked][:MOST_EXPANDED]
        everything = {term.match: term for term in wholes}
        for term in wholes:
            for part in _parts(term):
                everything.setdefault(part.match, part)
        return cls(tuple(wholes), tuple(everything.values()), meant)

    def question(self, body: RecallBody) -> Question:
        """Return what the database is asked."""
        return Question(
            terms=[words.asked(term) for term in self.terms],
            usual=[commonness.share(term.text) for term in self.terms],
            worth=[1 if term.asked else ranking.EXPANDED for term in self.terms],
            model=self.meant.model,
            signs=meaning.signs(self.meant.vector),
            meaning=ranking.MEANING * self.meant.trust,
            category=body.category or "",
            scope=body.scope,
            project=body.project,
        )

    def hits(self, found: Sequence[Candidate]) -> list[Hit]:
        """Return the candidates that fit at all, each with its score.

        A memory that took another's place comes once more for what that one holds and means.
        """
        if not found:
            return []
        first = found[0]
        postings = self._postings(first.counts)
        weights = [ranking.weigh(one, first.live) for one in postings]
        judge = ranking.Judge(weights, first.highest)
        by_place = self._chosen(zip(weights, postings, strict=True))
        held: dict[int, dict[int, Weight]] = {}
        for one in found:
            terms_of_one = {place: by_place[place] for place in one.held if place in by_place}
            held.setdefault(one.no, {}).update(terms_of_one)
        alike = self._alike(found)
        fitting: dict[int, Memory] = {
            one.no: one for one in found if held[one.no] or alike.get(one.no, -1.0) >= LEAST_ALIKE
        }
        terms_held = {number: list(held[number].values()) for number in fitting}
        trusted = {number: near * self.meant.trust for number, near in alike.items()}
        scores = judge.scores(fitting, terms_held, trusted)
        return [Hit(fitting[number], one.value, one.matched) for number, one in scores.items()]

    def _postings(self, counts: Sequence[int]) -> list[Posting]:
        """Return the terms that count; what is not found whole counts by its parts."""
        count = dict(zip((term.match for term in self.terms), counts, strict=True))
        found: dict[str, Posting] = {}
        for term in self.wholes:
            for one in [term] if count[term.match] or not term.parts else _parts(term):
                found.setdefault(one.match, Posting(one, count[one.match]))
        return list(found.values())

    def _chosen(self, weighed: Iterable[tuple[Weight, Posting]]) -> dict[int, Weight]:
        """Return the rarest terms by the places, from 1, that the database knows them by."""
        present = [(weight, posting.term) for weight, posting in weighed if posting.df]
        best = sorted(present, key=lambda pair: (-pair[0].gain, pair[0].text))
        places = {term.match: place for place, term in enumerate(self.terms, 1)}
        return {places[term.match]: weight for weight, term in best[:CHOSEN]}

    def _alike(self, found: Sequence[Candidate]) -> dict[int, float]:
        meant = [(one.no, one.vector) for one in found if one.vector]
        nearness = self.meant.compare(self.meant.vector, [vector for _, vector in meant])
        alike: dict[int, float] = {}
        for (number, _), near in zip(meant, nearness, strict=True):
            alike[number] = max(near, alike.get(number, near))
        return alike


async def _safe(text: str) -> str:
    """Return a question without secrets: the database's own log may hold what it was asked for."""
    if len(text) <= LONG:
        return redact(text).text
    return (await to_thread.run_sync(redact, text)).text  # up to a second: others have their turn


def _by_table(context: str) -> Meant:
    table = meaning.table()
    return Meant(meanings.model_of(table), table.vector(context)) if table else Meant("", b"")


def _parts(term: Term) -> list[Term]:
    if not term.parts:
        return []
    found = terms.of_words(term.parts, asked=term.asked)
    return [part._replace(parts=()) for part in found]


def _best(hits: list[Hit], by: str, limit: int) -> list[Hit]:
    """Return the best hits by relevance, or of the close ones and then the rest by another key."""
    close = CLOSE * max((hit.score for hit in hits), default=0.0)

    def key(hit: Hit) -> tuple[Any, ...]:
        one = hit.memory
        if by == "importance":
            return hit.score >= close, one.importance, hit.score, one.created_at, one.no
        if by == "recency":
            return hit.score >= close, one.created_at, one.no
        return hit.score, one.created_at, one.no

    found = sorted(hits, key=key, reverse=True)
    return found[:limit] if by in ("importance", "recency") else copies.spread(found, limit)


def _shown(hit: Hit) -> dict[str, Any]:
    return dict(zip(FIRST, cast("Candidate", hit.memory), strict=False), rank=hit.score)
