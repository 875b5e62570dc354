"""Decides which memories, if any, are given with a prompt that did not ask for them. Hot.

What recall puts first is the best there is; what a hook gives unasked has to fit. Linear models
decide: one weighs a memory against the question; one tells by what is asked, and how, whether it is
about somebody's own work; and both together, whether anything is given at all. Their weights are
fitted by tools/fit_floor.py and stand in `calibration`.
"""

from __future__ import annotations

import math

from claude_memory.store import calibration, commonness, meaning, vectors, wording, words
from claude_memory.store.embedding import UNIT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from claude_memory.store.ranking import Weight
    from claude_memory.store.recall import Hit

WEIGHED = 40  # hits that are looked at
USUALLY_ALIKE = 0.2  # in meaning; taken where a question has no vector, as in Japanese
MOSTLY = 0.5  # of a question, when only words that everybody uses are answered,
CLEARLY_ALIKE = 0.6  # or the meaning in their place
HALF_WORD = 0.5  # two of four Chinese characters may be no word
OWN_WORDS_READ = 1_500  # characters
SMALL = 100  # memories, below which there is no difference to how well one fits
FEW, MANY = 8, 50  # memories, between which more of them promise more by themselves
WORST, BEST = -8.0, 4.0  # between which fits of memories make a difference
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
    "own_work",  # how far its meaning, its words and its phrases point to somebody's own work
    "best",  # fit of a memory
)


class Floor:
    """What memories have to reach to be given for one question."""

    def __init__(self, question: str, weights: list[Weight], total: int) -> None:
        """Keep what was asked, what each term of it counts, and how many memories there are."""
        self._gains = {weight.text: weight.gain for weight in weights if weight.asked}
        self._tells = {text: _telling(text) for text in self._gains}
        self._question = question
        self._size = math.log10(total + SMALL)
        self._total = total
        self.cut: list[Hit] = []  # what was kept back, in the order of the hits

    def among(self, hits: list[Hit]) -> list[Hit]:
        """Return those of the hits that are given, in their order; often none."""
        weighed = _with_meaning(hits[:WEIGHED])
        likely = self.likely(weighed)
        fits = [self.fit(hit) for hit in likely]
        given: list[Hit] = []
        if fits and self.promise(max(fits)) >= calibration.LEAST:
            near = max(fits) - calibration.SPREAD
            given = [hit for hit, fit in zip(likely, fits) if fit >= near]
        self.cut = [hit for hit in weighed if hit not in given]
        return given

    def likely(self, hits: list[Hit]) -> list[Hit]:
        """Return the hits that may be meant; of `fix this test`, which points, the clear ones."""
        if not wording.points(self._question):
            return hits
        return [hit for hit in hits if self._says_something(hit)]

    def _says_something(self, hit: Hit) -> bool:
        """Tell whether more than a few words that everybody uses speak for a memory."""
        telling = any(self._tells[word] for word in hit.matched)
        return telling or hit.share >= MOSTLY or hit.alike >= CLEARLY_ALIKE

    def fit(self, hit: Hit) -> float:
        """Return how surely a memory fits the question: the logarithm of the odds."""
        return _weighed(calibration.MEMORY, self.of_memory(hit))

    def promise(self, best: float) -> float:
        """Return how surely there is anything here for the question, by the best fit."""
        about_work = heard(own_work(self._question), self._total, calibration.OF_FEW)
        return _weighed(calibration.QUESTION, of_question(about_work, best))

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


def heard(about_work: float, total: int, of_few: float) -> float:
    """Return how much `about_work` counts in a store of `total` memories.

    Of few memories hardly any question has its answer there, whatever it is about: so more than
    `of_few` does not count there. From some dozens on there is no limit.
    """
    many = math.log(min(max(total, FEW), MANY) / FEW) / math.log(MANY / FEW)
    certain = min(about_work, of_few)
    return certain + many * (about_work - certain)


def of_question(about_work: float, best: float) -> tuple[float, ...]:
    """Return what speaks for there being an answer here, in the order of QUESTION."""
    return about_work, min(max(best, WORST), BEST)


def own_work(question: str) -> float:
    """Return how far a question points to somebody's own work."""
    asked = meaning.asked(question)
    meant = vectors.products(asked, [calibration.OWN_WORK])[0] / UNIT**2 if asked else 0.0
    worded = zip(calibration.WORDING, wording.traits(question))
    return (
        meant * calibration.MEANT
        + sum(weight * trait for weight, trait in worded)
        + wording.spoken(question) * calibration.SPOKEN
    )


def _weighed(weights: tuple[float, ...], traits: Iterable[float]) -> float:
    """Return the sum of the traits by their weights, of which the last stands alone."""
    return sum(weight * trait for weight, trait in zip(weights, (*traits, 1.0)))


def _with_meaning(hits: list[Hit]) -> list[Hit]:
    """Return the hits; where the question has no vector, each with the usual likeness."""
    if any(hit.alike for hit in hits):
        return hits
    return [hit._replace(alike=USUALLY_ALIKE) for hit in hits]


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
