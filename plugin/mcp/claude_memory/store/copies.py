"""Keeps near-copies of one memory from filling an answer. Hot."""

from __future__ import annotations

import heapq
from functools import lru_cache

from claude_memory.store.likeness import LIKE, shared, words_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from claude_memory.store.recall import Hit

KEPT = 2  # of a kind, at their full score
LESS = 0.5  # what each further one counts, beside the one before
LENGTHS = 0.5  # texts whose lengths differ more say different things


def spread(hits: list[Hit], limit: int) -> list[Hit]:
    """Return the first hits, the third and further ones of a kind behind others that fit.

    `hits` are in their order. Where what was asked for tells two memories apart, they are no
    copies.
    """
    placed: list[Hit] = []
    kinds: dict[tuple[str, ...], list[Hit]] = {}  # those placed, by the asked words that they hold
    words = lru_cache(maxsize=None)(words_of)  # of each text once
    waiting = [(-hit.score, place, 0) for place, hit in enumerate(hits)]  # a heap: it is sorted
    while waiting and len(placed) < limit:
        _, place, known = heapq.heappop(waiting)
        hit = hits[place]
        kind = kinds.setdefault(hit.matched, [])
        more = len(kind) + 1 - KEPT  # at most
        if more > known:
            more = sum(_is_copy(hit, other, words) for other in kind) + 1 - KEPT
        if more > known:
            heapq.heappush(waiting, (-hit.score * LESS**more, place, more))
        else:
            placed.append(hit)
            kind.append(hit)
    return placed


def _is_copy(one: Hit, other: Hit, words: Callable[[str], frozenset[str]]) -> bool:
    text, known = one.memory.content, other.memory.content
    shorter, longer = (text, known) if len(text) < len(known) else (known, text)
    return len(shorter) >= LENGTHS * len(longer) and shared(words(text), words(known)) >= LIKE
