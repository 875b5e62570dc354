"""What texts mean, as vectors: the table that the plugin comes with as well. Knows no memory.

The table is looked up once and mapped. Where it is missing or cannot be read, words alone decide.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from backend.ranking.embedding import (
    AT_ONCE,
    DIMENSIONS,
    LANES,
    MOST_TOKENS,
    UNIT,
    Embedding,
    _unit,
)
from backend.ranking.vectors import SIGNS, ZERO, products

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# Where the image and the functions have it, and where it is in a checkout.
FOLDER = Path(__file__).resolve().parent
PLACES = (
    FOLDER / "ranking" / "embedding.bin",
    FOLDER.parent / "plugin" / "mcp" / "claude_memory" / "store" / "embedding.bin",
)
MISSING = "The table of word vectors is missing or damaged: only words are compared."
REMEMBERED = 4_096  # rows of the table
HALF = struct.Struct(f"<{DIMENSIONS // 2}H")


class Table(Embedding):
    """The same vectors as the plugin's in half of the time: a server meets its words again."""

    def __init__(self, path: str) -> None:
        """Map the file.

        Raises:
            OSError: it cannot be read.
            ValueError: it is no table of ours.
        """
        super().__init__(path)
        self._row = lru_cache(REMEMBERED)(self._row_of)

    def vector(self, text: str) -> bytes:
        """Return what a text means: a byte for each dimension, or none if no word is known."""
        tokens = list(islice(self.tokens(text), MOST_TOKENS))
        if len(tokens) > AT_ONCE:  # their sum may not fit into the lanes
            return super().vector(text)
        even = odd = 0
        for token in tokens:
            row = self._row(token)
            even += row[0]
            odd += row[1]
        sums = [0] * DIMENSIONS
        sums[::2] = HALF.unpack(even.to_bytes(DIMENSIONS, "little"))
        sums[1::2] = HALF.unpack(odd.to_bytes(DIMENSIONS, "little"))
        zero = len(tokens) * ZERO
        return _unit([value - zero for value in sums])

    def vectors(self, texts: Sequence[str]) -> list[bytes]:
        """Return what each text means."""
        return [self.vector(text) for text in texts]

    def _row_of(self, token: int) -> tuple[int, int]:
        """Return a row of the table as two integers: every other number in lanes of 16 bits."""
        start = self._rows + token * DIMENSIONS
        row = int.from_bytes(self._bytes[start : start + DIMENSIONS], "little")
        return row & LANES, row >> 8 & LANES


@lru_cache(maxsize=1)
def table() -> Table | None:
    """Return the table of word vectors, or None where it cannot be used."""
    for path in PLACES:
        try:
            return Table(str(path))
        except (OSError, ValueError):
            continue
    return None


def signs(vector: bytes) -> str:
    """Return a bit for each dimension: by them very many vectors are compared at once."""
    return vector.translate(SIGNS).decode()


def alike(asked: bytes, vectors: Sequence[bytes]) -> list[float]:
    """Return how near each is in meaning, from -1 to 1."""
    return [product / UNIT**2 for product in products(asked, vectors)] if vectors else []


class Meant(NamedTuple):
    """What a question means to a model, how far that is trusted beside its words, and a comparer.

    `compare` says how near each of some vectors is to the question's.
    """

    model: str
    vector: bytes
    trust: float = 1.0  # 1: as far as the table
    compare: Callable[[bytes, Sequence[bytes]], list[float]] = alike
