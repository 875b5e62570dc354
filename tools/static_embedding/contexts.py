"""Adds up how the teacher sees each word of the table where it stands, in all texts it reads.

The teacher's vector of a text is the mean of what it says of each piece in it. So the mean over all
texts in which a word stands is the best single row for the word, before any training.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from claude_memory.store.embedding import LONGEST_WORD, NAME

from tools.static_embedding.teacher import DIMENSIONS, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from claude_memory.store.embedding import Embedding
    from numpy.typing import NDArray
    from tokenizers import Encoding

    Floats = NDArray[np.float32]


class Contexts:
    """For each word of the table, the sum of its states in texts, and how many they are."""

    def __init__(self, embedding: Embedding, count: int) -> None:
        """Begin with nothing seen of so many words."""
        self._embedding = embedding
        self.sums = np.zeros((count, DIMENSIONS))
        self.counts = np.zeros(count, np.int64)

    def add(self, text: str, encoding: Encoding, states: Floats) -> None:
        """Add what the teacher says of the pieces of one text."""
        for pieces in _words(encoding):
            first, last = encoding.offsets[pieces[0]][0], encoding.offsets[pieces[-1]][1]
            word = text[first:last]
            if not NAME.fullmatch(word) or encoding.ids[pieces[-1]] == UNKNOWN:
                continue
            tokens = list(self._embedding.tokens(word[:LONGEST_WORD]))
            if len(tokens) == 1:
                self._add(tokens[0], states[pieces].mean(axis=0))
            elif len(tokens) == len(pieces):
                for token, piece in zip(tokens, pieces, strict=True):
                    self._add(token, states[piece])

    def save(self, path: Path) -> None:
        """Write what was seen."""
        seen = np.flatnonzero(self.counts)
        np.savez(path, words=seen, sums=self.sums[seen], counts=self.counts[seen])

    def load(self, path: Path) -> None:
        """Add what was written."""
        kept = np.load(path)
        self.sums[kept["words"]] += kept["sums"]
        self.counts[kept["words"]] += kept["counts"]

    def _add(self, token: int, state: Floats) -> None:
        self.sums[token] += state
        self.counts[token] += 1


def _words(encoding: Encoding) -> Iterator[list[int]]:
    """Yield the places of each word's pieces; what frames the text belongs to none."""
    places: dict[int, list[int]] = {}
    for place, word in enumerate(encoding.word_ids):
        if word is not None:
            places.setdefault(word, []).append(place)
    yield from places.values()
