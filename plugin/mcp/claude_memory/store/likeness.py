"""Tells how alike two texts are: the share of words in common (the Jaccard index). Hot."""

from __future__ import annotations

from claude_memory.store import commonness, words

LIKE = 0.55  # from here on two texts count as twins


def likeness(one: str, other: str) -> float:
    """Return the share of words that two texts have in common, from 0 to 1."""
    return shared(words_of(one), words_of(other))


def words_of(text: str) -> frozenset[str]:
    """Return the words of a text that say something; all of them where none does."""
    found = frozenset(words.of(text.lower()))
    return found - commonness.STOPS or found


def shared(one: frozenset[str], other: frozenset[str]) -> float:
    """Return the share of words that are in both, of those in either."""
    common = len(one & other)
    return common / (len(one) + len(other) - common) if common else 0.0
