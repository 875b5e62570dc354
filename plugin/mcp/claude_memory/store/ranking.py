"""Decides which of the memories that were found fit best. Hot."""

from __future__ import annotations

import math
from collections import namedtuple
from functools import lru_cache

from claude_memory.store import commonness, words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import NamedTuple

    from claude_memory.memory import Memory
    from claude_memory.store.postings import Posting

    class Weight(NamedTuple):
        """What one term counts: how its word begins, and how rare it is.

        `name` is what it counts besides, if it is a name in code of several parts: `p_child`.
        """

        text: str
        root: str
        asked: bool
        gain: float
        name: float

    class Score(NamedTuple):
        """How well a memory fits, and what speaks for it.

        `share` is how much of what was asked its own words answer, `alike` how near it is in
        meaning.
        """

        value: float
        share: float
        alike: float
        matched: tuple[str, ...]

else:
    Weight = namedtuple("Weight", "text root asked gain name")
    Score = namedtuple("Score", "value share alike matched")

EXPANDED = 0.35  # what a word of the expanded query counts beside one of the context
PRIOR = 100  # memories that the guess about common words weighs as much as
LEAST = 0.05  # even a word that most memories hold counts a little
ROOT = 4  # letters that a word's forms share at least
FIELDS = (1.0, 0.6, 0.4)  # content, tags, and words that are only searched
SATURATION = 1.2  # bm25's k1
LENGTH_SHARE = 0.6  # bm25's b
USUAL_LENGTH = 180  # characters
NEIGHBOURS = ((-1, 0.6), (1, 0.6), (-2, 0.35), (2, 0.35))  # steps in the session, what they count
SCARCE = 1.5  # the power by which few words of many say less than their share
USUAL = 0.5  # of what words can count at most: every word asked for, once each in a usual text
MEANING = 0.65  # what the same meaning counts beside that
NAME = 0.05  # of what a name in code counts, besides, for a memory that holds it whole
EVERY_WORD = 4.0  # above all else: a memory with every word asked for comes first
IMPORTANCE = 0.06
RECENCY = 0.03
REMEMBERED = 4_096  # words


def weigh(posting: Posting, total: int) -> Weight:
    """Return what a term counts, from how rare it is here and how rare it usually is."""
    term = posting.term
    usual = commonness.share(term.text)
    idf = math.log((total + PRIOR + 1) / (posting.df + PRIOR * usual + 0.5))
    gain = max(idf, LEAST) * (1 if term.asked else EXPANDED)
    name = NAME * gain if len(term.parts) > 1 else 0.0
    return Weight(term.text, root(term.text), term.asked, gain, name)


@lru_cache(REMEMBERED)
def root(text: str) -> str:
    """Return the beginning that a word's forms share; a guess, good enough to count them."""
    word: str = (words.of(text) or [text])[-1]
    if len(word) <= ROOT or not word.isalpha():
        return word
    return word[: max(ROOT, len(word) - 3)]


class Judge:
    """Weighs memories against one question, and lets neighbours speak for each other.

    In a session one memory often names what the next one is about: a term that a memory lacks
    counts in part if a neighbour holds it.
    """

    def __init__(self, weights: list[Weight], highest: int) -> None:
        """Keep what was asked, also the terms that no memory holds."""
        asked = [weight for weight in weights if weight.asked]
        self._count = len(asked)
        self._mass = sum(weight.gain for weight in asked)
        self._usual = USUAL * (SATURATION + 1) * (self._mass or 1.0)
        self._highest = highest

    def said(self, words: float) -> float:
        """Return what words count beside the meaning: their part of all that was asked for.

        Where few of them are found, or only ones that say little, it is the meaning that decides.
        """
        return float((words / self._usual) ** SCARCE)

    def scores(
        self,
        memories: dict[int, Memory],
        held: dict[int, list[Weight]],
        alike: dict[int, float],
    ) -> dict[int, Score]:
        """Return the score of each memory, by rid, from the terms that it holds and its meaning."""
        gains = {rid: _gains(memory, held[rid]) for rid, memory in memories.items()}
        beside = {
            (memory.session, memory.session_seq): gains[rid]
            for rid, memory in memories.items()
            if memory.session
        }
        return {
            rid: self._score(
                memory, rid, held[rid], sum(_with_beside(memory, own, beside)), alike.get(rid, 0.0)
            )
            for (rid, memory), own in zip(memories.items(), gains.values())
        }

    def _score(
        self, memory: Memory, rid: int, held: list[Weight], value: float, alike: float
    ) -> Score:
        asked = [weight for weight in held if weight.asked]
        fused = self.said(value) + MEANING * alike
        rest = 1 + IMPORTANCE * memory.importance + RECENCY * rid / self._highest
        if not asked:
            return Score(fused * rest, 0.0, alike, ())
        fused = (fused + max([weight.name for weight in asked])) * rest
        if len(asked) == self._count:
            fused += EVERY_WORD
        mass = sum([weight.gain for weight in asked])
        share = mass / self._mass if self._mass else 0.0
        return Score(fused, share, alike, tuple([weight.text for weight in asked]))


def _with_beside(
    memory: Memory, own: dict[Weight, float], beside: dict[tuple[str, int], dict[Weight, float]]
) -> Iterable[float]:
    """Return what each term counts for a memory, its own or by what stands beside it."""
    if not memory.session:
        return own.values()
    session, place = memory.session, memory.session_seq
    best = own
    for step, part in NEIGHBOURS:
        gains = beside.get((session, place + step))
        if gains:
            best = dict(own) if best is own else best
            for weight, gain in gains.items():
                if gain * part > best.get(weight, 0.0):
                    best[weight] = gain * part
    return best.values()


def _gains(memory: Memory, held: list[Weight]) -> dict[Weight, float]:
    if not held:  # near in meaning alone, as most are
        return {}
    content = memory.content.lower()
    norm = SATURATION * (1 - LENGTH_SHARE + LENGTH_SHARE * len(content) / USUAL_LENGTH)
    found = {}
    for weight in held:
        times, field = _places(memory, content, weight.root)
        found[weight] = weight.gain * field * times * (SATURATION + 1) / (times + norm)
    return found


def _places(memory: Memory, content: str, start: str) -> tuple[int, float]:
    """Return how often a word stands in a memory, and what the field counts where it does."""
    if _begins_word(content, start):
        return content.count(start), FIELDS[0]
    if _begins_word(memory.tags.lower(), start):
        return 1, FIELDS[1]
    if start in content or start in memory.expanded_keywords.lower():
        return 1, FIELDS[2]  # for `script`, that is the end of `TypeScript`
    return 1, FIELDS[0]  # another form or accent: the index found it somewhere


def _begins_word(text: str, start: str) -> bool:
    place = text.find(start)
    while place > 0 and start.isascii() and text[place - 1].isalnum():
        place = text.find(start, place + 1)
    return place >= 0
