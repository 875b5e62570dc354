"""Decides which of the memories that were found fit best, and which fit at all. Hot."""

from __future__ import annotations

import math
from collections import namedtuple

from claude_memory.store import commonness, words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import NamedTuple

    from claude_memory.memory import Memory
    from claude_memory.store.postings import Posting

    class Weight(NamedTuple):
        """What one term counts: how its word begins, and how rare it is."""

        text: str
        root: str
        asked: bool
        gain: float

    class Score(NamedTuple):
        """How well a memory fits.

        `share` is how much of what was asked its own words answer, `mass` how much that is.
        """

        value: float
        share: float
        mass: float
        matched: tuple[str, ...]

else:
    Weight = namedtuple("Weight", "text root asked gain")
    Score = namedtuple("Score", "value share mass matched")

EXPANDED = 0.35  # what a word of the expanded query counts beside one of the context
PRIOR = 100  # memories that the guess about common words weighs as much as
LEAST = 0.05  # even a word that most memories hold counts a little
ROOT = 4  # letters that a word's forms share at least
FIELDS = (1.0, 0.8, 0.5)  # content, tags, and words that are only searched
SATURATION = 1.2  # bm25's k1
LENGTH_SHARE = 0.6  # bm25's b
USUAL_LENGTH = 180  # characters
ALL_WORDS = 0.5  # of the whole mass, for a memory that holds every word asked
NEIGHBOURS = {1: 0.5, 2: 0.3}  # what a word counts that stands this far off in the session
IMPORTANCE = 0.06
RECENCY = 0.03
LEAST_MASS = 4.0
LEAST_SHARE = 0.2


def weigh(posting: Posting, total: int) -> Weight:
    """Return what a term counts, from how rare it is here and how rare it usually is."""
    term = posting.term
    usual = commonness.share(term.text)
    idf = math.log((total + PRIOR + 1) / (posting.df + PRIOR * usual + 0.5))
    gain = max(idf, LEAST) * (1 if term.asked else EXPANDED)
    return Weight(term.text, root(term.text), term.asked, gain)


def root(text: str) -> str:
    """Return the beginning that a word's forms share; a guess, good enough to count them."""
    word: str = (words.WORD.findall(text) or [text])[-1]
    if len(word) <= ROOT or not word.isalpha():
        return word
    return word[: max(ROOT, len(word) - 3)]


class Judge:
    """Weighs memories against one question, and lets neighbours speak for each other.

    In a session one memory often names what the next one is about: a term that a memory lacks
    counts in part if a neighbour holds it.
    """

    def __init__(self, weights: Iterable[Weight], highest: int) -> None:
        """Keep what was asked, also the terms that no memory holds."""
        asked = [weight for weight in weights if weight.asked]
        self._count = len(asked)
        self._mass = sum(weight.gain for weight in asked)
        self._highest = highest

    def scores(
        self, memories: dict[int, Memory], held: dict[int, list[Weight]]
    ) -> dict[int, Score]:
        """Return the score of each memory, by rid, from the terms that each holds."""
        gains = {rid: _gains(memory, held[rid]) for rid, memory in memories.items()}
        places = {(one.session, one.session_seq): rid for rid, one in memories.items()}
        found = {}
        for rid, memory in memories.items():
            total = dict(gains[rid])
            if memory.session:
                for step, part in NEIGHBOURS.items():
                    for seq in (memory.session_seq - step, memory.session_seq + step):
                        for weight, gain in gains.get(places.get((memory.session, seq), 0), {}).items():
                            total[weight] = max(total.get(weight, 0.0), gain * part)
            found[rid] = self._score(memory, rid, held[rid], sum(total.values()))
        return found

    def _score(self, memory: Memory, rid: int, held: list[Weight], value: float) -> Score:
        asked = [weight for weight in held if weight.asked]
        mass = sum(weight.gain for weight in asked)
        if self._count and len(asked) == self._count:
            value += self._mass * ALL_WORDS
        value *= 1 + IMPORTANCE * memory.importance + RECENCY * rid / self._highest
        share = mass / self._mass if self._mass else 0.0
        return Score(value, share, mass, tuple(weight.text for weight in asked))

    def passes(self, found: Score) -> bool:
        """Tell whether a memory is clearly about what was asked."""
        return found.mass >= LEAST_MASS and found.share >= LEAST_SHARE


def _gains(memory: Memory, held: Iterable[Weight]) -> dict[Weight, float]:
    content = memory.content.lower()
    norm = SATURATION * (1 - LENGTH_SHARE + LENGTH_SHARE * len(content) / USUAL_LENGTH)
    found = {}
    for weight in held:
        times, field = _places(memory, content, weight.root)
        found[weight] = weight.gain * field * times * (SATURATION + 1) / (times + norm)
    return found


def _places(memory: Memory, content: str, start: str) -> tuple[int, float]:
    times = content.count(start)
    if times:
        return times, FIELDS[0]
    if start in memory.tags.lower():
        return 1, FIELDS[1]
    if start in memory.expanded_keywords.lower():
        return 1, FIELDS[2]
    return 1, FIELDS[0]  # another form or accent: the index found it somewhere
