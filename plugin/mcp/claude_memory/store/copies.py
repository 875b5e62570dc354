"""Knows near-copies of a text, and keeps those of one memory from filling an answer. Hot.

How alike two texts are is the share of words in common (the Jaccard index).
"""

from __future__ import annotations

import heapq
from functools import lru_cache

from claude_memory.store import commonness, words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from claude_memory.store.recall import Hit

LIKE = 0.55  # from here on two texts count as twins
KEPT = 2  # of a kind, at their full score
LESS = 0.5  # what each further one counts, beside the one before
LENGTHS = 0.5  # texts whose lengths differ more say different things


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


def spread(hits: list[Hit], limit: int) -> list[Hit]:
    """Return the first hits; from the third on, near-copies stand behind others that fit.

    `hits` are sorted. Two memories that hold different asked words are no copies of each other.
    """
    placed: list[Hit] = []
    kinds: dict[tuple[str, ...], list[Hit]] = {}  # those placed, by the asked words that they hold
    said = lru_cache(maxsize=None)(words_of)  # of each text once
    waiting = [(-hit.score, place, 0) for place, hit in enumerate(hits)]  # a heap: it is sorted
    while waiting and len(placed) < limit:
        _, place, known = heapq.heappop(waiting)
        hit = hits[place]
        kind = kinds.setdefault(hit.matched, [])
        more = len(kind) + 1 - KEPT  # at most
        if more > known:
            more = sum(_is_copy(hit, other, said) for other in kind) + 1 - KEPT
        if more > known:
            heapq.heappush(waiting, (-hit.score * LESS**more, place, more))
        else:
            placed.append(hit)
            kind.append(hit)
    return placed


def _is_copy(one: Hit, other: Hit, said: Callable[[str], frozenset[str]]) -> bool:
    text, known = one.memory.content, other.memory.content
    shorter, longer = (text, known) if len(text) < len(known) else (known, text)
    return len(shorter) >= LENGTHS * len(longer) and shared(said(text), said(known)) >= LIKE
