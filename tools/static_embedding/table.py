"""Writes the table of word vectors in the form that the plugin maps, and reads it again."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from typing import TYPE_CHECKING

from claude_memory.store.embedding import DIMENSIONS, HEAD, MAGIC, MEANT, SLOT, SPAN
from claude_memory.store.vectors import ZERO

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

MOST_MEANT = MEANT.size // SLOT.size  # English words that one of another language stands for
END = SPAN.size // 2  # bytes of where a text ends
SLOTS = 98_317  # a prime, about twice as many as there are words


def write(
    path: Path,
    tokens: list[str],
    rows: bytes = b"",
    abroad: Mapping[str, Sequence[int]] | None = None,
) -> None:
    """Write the tokens with their rows, and which tokens words of other languages stand for.

    Without rows, each is zero.
    """
    abroad = abroad or {}
    texts = [word.encode() for word in (*tokens, *abroad)]
    rows = rows or bytes([ZERO]) * (len(tokens) * DIMENSIONS)
    slots = [0] * SLOTS
    for number, text in enumerate(texts, 1):
        slot = int.from_bytes(text, "little") % SLOTS
        while slots[slot]:
            slot = (slot + 1) % SLOTS
        slots[slot] = number
    ends = [0]
    for text in texts:
        ends.append(ends[-1] + len(text))
    meant = b"".join(
        MEANT.pack(*(number + 1 for number in numbers), *[0] * (MOST_MEANT - len(numbers)))
        for numbers in abroad.values()
    )
    model = hashlib.blake2b(b"\n".join([*texts, meant, rows]), digest_size=8).digest()
    with path.open("wb") as file:
        file.write(MAGIC + HEAD.pack(model, len(tokens), len(abroad), SLOTS, ends[-1]))
        file.write(b"".join(SLOT.pack(number) for number in slots))
        file.write(b"".join(end.to_bytes(END, "little") for end in ends))
        file.write(b"".join(texts))
        file.write(meant)
        file.write(rows)


def read(path: Path) -> tuple[list[str], bytes]:
    """Return the tokens of a table and their rows, without the words of other languages."""
    data = path.read_bytes()
    _, count, abroad, slots, _ = HEAD.unpack_from(data, len(MAGIC))
    start = len(MAGIC) + HEAD.size + slots * SLOT.size
    texts = start + (count + abroad + 1) * END
    ends = [int.from_bytes(data[at : at + END], "little") for at in range(start, texts, END)]
    spans = list(pairwise(ends))[:count]
    tokens = [data[texts + begin : texts + end].decode() for begin, end in spans]
    return tokens, data[-count * DIMENSIONS :]
