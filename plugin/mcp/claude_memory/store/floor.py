"""Decides whether a question is given anything without having asked for it, and what. Hot.

What recall puts first is the best there is; what a hook gives unasked has to fit. Two linear models
decide: one weighs a memory against the question; the other, with the best of these, how the
question is worded, what kind of thing it is about, and how much of it this store has ever heard of,
whether there is anything here for it at all. Their weights are fitted by tools/fit_floor.py and
stand in `calibration`.
"""

from __future__ import annotations

import math
from heapq import nlargest

from claude_memory.store import calibration, commonness, meaning, vectors, wording, words
from claude_memory.store.embedding import UNIT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from claude_memory.store.postings import Posting
    from claude_memory.store.ranking import Weight
    from claude_memory.store.recall import Hit

WEIGHED = 40  # hits that are looked at
USUALLY_ALIKE = 0.2  # in meaning; taken where a question has no vector, as in Japanese
NEAREST = 5  # of them, whose meaning is taken together
MOSTLY = 0.5  # of a question, when only words that everybody uses are answered,
CLEARLY_ALIKE = 0.6  # or the meaning in their place
HALF_WORD = 0.5  # two of four Chinese characters may be no word
OWN_WORDS_READ = 1_500  # characters
SMALL = 100  # memories, below which there is no difference
LONG = 1_000  # characters of a question from which on it is just long
WORST, BEST, DOUBTFUL = -8.0, 4.0, -2.0  # between which fits of memories make a difference
MEMORY = (
    "share",  # of the question that is answered
    "alike",  # in meaning
    "own",  # share of the memory's words that were asked for
    "telling",  # asked words among them that not everybody uses
    "rare",  # the same by what they count
    "mass",  # all asked words by what they count
    "preference",
    "every",  # word asked for
    "size",  # of the store: where there is more, something always fits by chance
)
QUESTION = (
    *wording.NAMES,
    "own_work",  # how far its meaning and its phrases point to somebody's own work
    "known",  # share of the question that any memory holds
    "known_telling",  # share of its words that not everybody uses which any memory holds
    "plain",  # no such word at all
    "near",  # in meaning, the nearest memories together
    "length",
    "best",  # fit of a memory
    "beyond_doubt",
    "size",
    "crowd",  # the same squared: of very many foreign memories most are like none that is asked for
)


class Floor:
    """What memories have to reach to be given for one question."""

    def __init__(
        self, question: str, weights: list[Weight], found: list[Posting], total: int
    ) -> None:
        """Keep what was asked, how many memories hold each term of it, and how many there are."""
        asked = [(one, posting.df) for one, posting in zip(weights, found) if one.asked]
        self._gains = {weight.text: weight.gain for weight, _ in asked}
        self._tells = {weight.text: _telling(weight.text) for weight, _ in asked}
        self._held = {weight.text for weight, df in asked if df}
        self._question = question
        self._size = math.log10(total + SMALL)
        self.cut: list[Hit] = []  # what was kept back, in the order of the hits

    def among(self, hits: list[Hit]) -> list[Hit]:
        """Return those of the hits that are given, in their order; often none."""
        weighed = _with_meaning(hits[:WEIGHED])
        points = wording.points(self._question)
        likely = [hit for hit in weighed if not points or self._says_something(hit)]
        fits = [self.fit(hit) for hit in likely]
        given: list[Hit] = []
        if fits and self.promise(likely, max(fits)) >= calibration.LEAST:
            least = max(fits) - calibration.SPREAD
            given = [hit for hit, fit in zip(likely, fits) if fit >= least]
        self.cut = [hit for hit in weighed if hit not in given]
        return given

    def _says_something(self, hit: Hit) -> bool:
        """Tell whether more than a few words that everybody uses speak for a memory."""
        telling = any(self._tells[word] for word in hit.matched)
        return telling or hit.share >= MOSTLY or hit.alike >= CLEARLY_ALIKE

    def fit(self, hit: Hit) -> float:
        """Return how surely a memory fits the question: the logarithm of the odds."""
        return _weighed(calibration.MEMORY, self.of_memory(hit))

    def promise(self, hits: list[Hit], best: float) -> float:
        """Return how surely there is anything here for the question at all."""
        return _weighed(calibration.QUESTION, self.of_question(hits, best))

    def of_memory(self, hit: Hit) -> tuple[float, ...]:
        """Return what speaks for a memory, in the order of MEMORY."""
        matched, memory = hit.matched, hit.memory
        return (
            hit.share,
            hit.alike,
            len(matched) / _size(memory.content[:OWN_WORDS_READ].lower()),
            min(sum(self._tells[word] for word in matched), 4.0),
            sum(self._gains[word] for word in matched if self._tells[word]),
            sum(self._gains[word] for word in matched),
            float(memory.category == "preferences"),
            float(0 < len(matched) == len(self._gains)),
            self._size,
        )

    def of_question(self, hits: list[Hit], best: float) -> tuple[float, ...]:
        """Return what speaks for there being an answer here, in the order of QUESTION."""
        telling = {word for word, tells in self._tells.items() if tells}
        known = sum(self._gains[word] for word in self._held)
        best = min(max(best, WORST), BEST)
        return (
            *wording.traits(self._question),
            _own_work(self._question),
            known / (sum(self._gains.values()) or 1.0),
            len(telling & self._held) / (len(telling) or 1),
            float(not telling),
            _mean_of_nearest(hits),
            min(len(self._question), LONG) / LONG,
            best,
            max(best, DOUBTFUL),
            self._size,
            self._size**2,
        )


def _own_work(question: str) -> float:
    """Return how far a question's meaning and phrases point to somebody's own work."""
    asked = meaning.asked(question)
    meant = vectors.products(asked, [calibration.OWN_WORK])[0] / UNIT**2 if asked else 0.0
    return meant * calibration.MEANT + wording.spoken(question) * calibration.SPOKEN


def _weighed(weights: tuple[float, ...], traits: Iterable[float]) -> float:
    """Return the sum of the traits by their weights, of which the last stands alone."""
    return sum(weight * trait for weight, trait in zip(weights, (*traits, 1.0)))


def _with_meaning(hits: list[Hit]) -> list[Hit]:
    """Return the hits with a usual likeness in the place of none, where nothing could tell."""
    if any(hit.alike for hit in hits):
        return hits
    return [hit._replace(alike=USUALLY_ALIKE) for hit in hits]


def _mean_of_nearest(hits: list[Hit]) -> float:
    """Return how near the nearest are, as if a store of few held some more usual ones."""
    missing = max(0, NEAREST - len(hits))
    nearest = nlargest(NEAREST, (hit.alike for hit in hits))
    return (sum(nearest) + missing * USUALLY_ALIKE) / NEAREST


def _telling(text: str) -> float:
    """Return how much a word tells by itself: nothing if everybody uses it, a pair half."""
    if commonness.is_ordinary(text):
        return 0.0
    return HALF_WORD if words.cjk_runs(text) else 1.0


def _size(text: str) -> int:
    """Count the words of a text that could be asked for."""
    plain = words.folded(text)
    pairs = sum(map(len, words.cjk_runs(plain)))
    rest = set(words.of(words.without_cjk(plain) if pairs else plain))
    return max(1, pairs + sum(not commonness.is_stop(word) for word in rest))
