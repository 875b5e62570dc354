"""Writes the table of word vectors in the form that the plugin maps."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from claude_memory.store.embedding import DIMENSIONS, HEAD, MAGIC, SLOT
from claude_memory.store.vectors import ZERO

if TYPE_CHECKING:
    from pathlib import Path

SLOTS = 65_521  # a prime, about twice as many as there are tokens


def write(path: Path, tokens: list[str], rows: bytes = b"") -> None:
    """Write the tokens with their rows; without rows, each is zero."""
    texts = [token.encode() for token in tokens]
    rows = rows or bytes([ZERO]) * (len(texts) * DIMENSIONS)
    slots = [0] * SLOTS
    for number, text in enumerate(texts, 1):
        slot = int.from_bytes(text, "little") % SLOTS
        while slots[slot]:
            slot = (slot + 1) % SLOTS
        slots[slot] = number
    ends = [0]
    for text in texts:
        ends.append(ends[-1] + len(text))
    model = hashlib.blake2b(b"\n".join([*texts, rows]), digest_size=8).digest()
    with path.open("wb") as file:
        file.write(MAGIC + HEAD.pack(model, len(texts), SLOTS, ends[-1]))
        file.write(b"".join(SLOT.pack(number) for number in slots))
        file.write(b"".join(end.to_bytes(4, "little") for end in ends))
        file.write(b"".join(texts))
        file.write(rows)
