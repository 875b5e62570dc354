"""How good an answer is, and how sure a mean of such figures is."""

from __future__ import annotations

import random
import statistics
from math import log2
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

DRAWS = 2_000  # of a bootstrap
SURE = 0.95  # share of the draws that an interval holds
SEED = 20261001


def recall_at(found: Sequence[int], gold: set[int], count: int) -> float:
    """Return the share of the wanted memories among the first `count` found."""
    return len(gold & set(found[:count])) / len(gold)


def ndcg(found: Sequence[int], gold: set[int], count: int) -> float:
    """Return how near the wanted memories are to the top: 1 if nothing stands above them."""
    gain = sum(1 / log2(place + 2) for place, one in enumerate(found[:count]) if one in gold)
    return gain / sum(1 / log2(place + 2) for place in range(min(count, len(gold))))


def interval(figures: Sequence[float]) -> tuple[float, float]:
    """Return between what the mean lies in 95 of 100 draws, with replacement, of these figures.

    For a paired comparison the figures are the differences.
    """
    chance = random.Random(SEED)
    means = sorted(statistics.fmean(chance.choices(figures, k=len(figures))) for _ in range(DRAWS))
    cut = int(DRAWS * (1 - SURE) / 2)
    return means[cut], means[-cut - 1]
