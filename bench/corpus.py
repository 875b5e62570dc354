"""Made-up memories whose words follow Zipf's law; the same seed gives the same ones everywhere."""

from __future__ import annotations

import random
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from claude_memory.memory import CATEGORIES

if TYPE_CHECKING:
    from collections.abc import Iterator

SEED = 20260301
WORDS = 20_000
SYLLABLES = [c + v for c in "bdfgklmnprstvz" for v in "aeiou"]
SHORTEST, LONGEST = 10, 30  # words of a memory
KEYWORDS = 6
PROJECTS = 12
OF_A_PROJECT = 0.3  # share of the memories


class Fact(NamedTuple):
    """One made-up memory."""

    content: str
    category: str
    tags: str
    expanded_keywords: str
    importance: float
    scope: str
    project: str


class Corpus:
    """A vocabulary and the memories made of it."""

    def __init__(self, seed: int = SEED, words: int = WORDS) -> None:
        """Make the vocabulary; the most frequent word stands first."""
        self._chance = random.Random(seed)
        self.words = self._vocabulary(words)
        self._weights = list(accumulate(1 / (rank + 1) for rank in range(words)))

    def _vocabulary(self, size: int) -> list[str]:
        """Make words out of syllables; frequent ones are short, as in any language."""
        found: dict[str, None] = {}
        while len(found) < size:
            least = 2 + 3 * len(found) // size
            syllables = self._chance.choices(SYLLABLES, k=self._chance.randint(least, least + 1))
            found["".join(syllables)] = None
        return list(found)

    def frequent(self, count: int, among: int = 300) -> list[str]:
        """Choose among the most frequent words."""
        return self._chance.sample(self.words[:among], count)

    def text(self, count: int) -> str:
        """Return so many words, frequent ones often."""
        return " ".join(self._chance.choices(self.words, cum_weights=self._weights, k=count))

    def fact(self) -> Fact:
        """Make one memory."""
        number = self._chance.randrange(PROJECTS)
        is_here = self._chance.random() < OF_A_PROJECT
        return Fact(
            content=self.text(self._chance.randint(SHORTEST, LONGEST)),
            category=self._chance.choice(CATEGORIES),
            tags=",".join(self.frequent(2)),
            expanded_keywords=self.text(KEYWORDS),
            importance=round(self._chance.random(), 2),
            scope="project" if is_here else "global",
            project=f"github.com/acme/project-{number}" if is_here else "",
        )

    def facts(self, count: int) -> Iterator[Fact]:
        """Make so many memories."""
        for _ in range(count):
            yield self.fact()
