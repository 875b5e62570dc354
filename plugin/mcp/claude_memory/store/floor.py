"""Decides which of the memories that were found are clearly about what was asked. Hot.

What recall puts first is the best there is; what a hook gives unasked has to fit.
"""

from __future__ import annotations

import re

from claude_memory.store import commonness, words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from claude_memory.store.ranking import Weight
    from claude_memory.store.recall import Hit

# Fitted to questions asked of their own store and of others: the share of the question that is
# answered, each of its words that is no ordinary one, the share of the memory's own words that
# were asked for, and words that stand together in both.
FLOOR = 1.05
MOSTLY = 0.5  # of a question, when only words that everybody uses are answered
TELLING = 0.18
ABOUT = 1.7
TOGETHER = 0.2
# The same by meaning: what is near enough need not share telling words.
OWN_SHARE = 1.2
ALIKE = 1.25
CLEARLY_ALIKE = 0.5
HALF_WORD = 0.5  # two of four Chinese characters may be no word
OWN_WORDS_READ = 1_500  # characters


class Floor:
    """What a memory has to reach to be given for one question without being asked for."""

    def __init__(self, weights: list[Weight]) -> None:
        """Keep which words of the question stand beside each other."""
        asked = [weight for weight in weights if weight.asked]
        self._pairs = [
            (
                one.text,
                other.text,
                re.compile(f"{re.escape(one.root)}\\w*\\W+{re.escape(other.root)}"),
            )
            for one, other in zip(asked, asked[1:])
        ]

    def among(self, hits: list[Hit]) -> list[Hit]:
        """Return those of the hits that fit, in their order."""
        return [hit for hit in hits if self._passes(hit)]

    def _passes(self, hit: Hit) -> bool:
        """Tell whether a memory is clearly about what was asked, and the other way round."""
        text = hit.memory.content[:OWN_WORDS_READ].lower()
        telling = sum(_telling(word) for word in hit.matched)
        together = sum(
            bool(pattern.search(text))
            for one, other, pattern in self._pairs
            if one in hit.matched and other in hit.matched
        )
        own = len(hit.matched) / _size(text)
        meant = hit.share + own * OWN_SHARE + hit.alike * ALIKE >= FLOOR
        if not telling and not together and hit.share < MOSTLY:
            return meant and hit.alike >= CLEARLY_ALIKE
        said = hit.share + telling * TELLING + own * ABOUT + together * TOGETHER
        return meant or said >= FLOOR


def _telling(text: str) -> float:
    """Return how much a word tells by itself: nothing if everybody uses it, a pair half."""
    if commonness.is_ordinary(text):
        return 0.0
    return HALF_WORD if words.cjk_runs(text) else 1.0


def _size(text: str) -> int:
    """Count the words of a text that could be asked for."""
    plain = words.folded(text)
    pairs = sum(map(len, words.cjk_runs(plain)))
    rest = set(words.WORD.findall(words.without_cjk(plain) if pairs else plain))
    return max(1, pairs + sum(not commonness.is_stop(word) for word in rest))
