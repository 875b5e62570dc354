# Generated from plugin/mcp/claude_memory/store/vectors.py by tools/copy_ranking.py: change that, not this.
"""Compares vectors of a byte for each dimension, many at a time, with large integers. Hot.

Python multiplies and adds an integer of a thousand digits about as fast as a small one. So one
integer holds a dimension of all vectors, each in a lane of its own, and is weighed by what the
question has in this dimension. For a first look over very many memories their signs will do: one
bit of each, a plane for each dimension, added up bit by bit as a circuit of adders would.
"""

from __future__ import annotations

import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

ZERO = 128  # what a byte stands for nothing with
LANE = 4  # bytes: the sum of 256 products of two bytes fits
SIGNS = bytes(ord("0") + (value >= ZERO) for value in range(256))


def products(asked: bytes, vectors: Sequence[bytes]) -> list[int]:
    """Return the scalar product of one vector with each of the others."""
    count, size = len(vectors), len(asked)
    step = size // LANE
    data = memoryview(b"".join(vectors)).cast("I")  # a lane holds four dimensions, one is used
    first = int.from_bytes(b"\xff\0\0\0" * count, "little")
    above = below = 0
    for place in range(step):
        lanes = int.from_bytes(data[place::step].tobytes(), "little")
        for value in asked[LANE * place : LANE * place + LANE]:
            if value > ZERO:
                above += (lanes & first) * (value - ZERO)
            elif value < ZERO:
                below += (lanes & first) * (ZERO - value)
            lanes >>= 8
    shape = struct.Struct(f"<{count}I")
    positive = shape.unpack(above.to_bytes(LANE * count, "little"))
    negative = shape.unpack(below.to_bytes(LANE * count, "little"))
    # The lanes hold values that begin at 0 and not at -128.
    bias = ZERO * (sum(asked) - ZERO * size)
    return [one - other - bias for one, other in zip(positive, negative)]


def planes(vectors: Sequence[bytes], size: int) -> bytes:
    """Return the signs of vectors, dimension by dimension: bit n of each plane is of vector n."""
    signs = b"".join(vectors).translate(SIGNS)
    width = -(-len(vectors) // 8)
    found = [int(signs[place::size][::-1], 2).to_bytes(width, "little") for place in range(size)]
    return b"".join(found)


class Signs:
    """The signs of very many vectors, to find the likeliest among them."""

    def __init__(self, blocks: Sequence[bytes], size: int) -> None:
        """Join the planes of blocks of equally many vectors to planes of one long block."""
        width = len(blocks[0]) // size if blocks else 0
        self._total = 8 * width * len(blocks)
        self._planes = [
            int.from_bytes(b"".join([block[start : start + width] for block in blocks]), "little")
            for start in range(0, size * width, width or 1)
        ]
        missing = self._every = (1 << self._total) - 1
        for plane in self._planes:  # no vector points that way: every sign set is where none is
            missing &= plane
        self._held = self._every ^ missing

    def likeliest(self, asked: bytes, wanted: int) -> list[int]:
        """Return the places of about as many vectors as wanted: those of the most fitting signs.

        The third of the question's dimensions that says least is left out, the third that says
        most counts twice.
        """
        size = len(asked)
        strengths = sorted(abs(value - ZERO) for value in asked)
        weak, strong = strengths[size // 3], strengths[2 * size // 3]
        levels: list[list[int]] = [[], []]
        for value, plane in zip(asked, self._planes):
            strength = abs(value - ZERO)
            if strength >= weak:
                fits = plane if value >= ZERO else plane ^ self._every
                levels[strength >= strong].append(fits)
        return _places(_highest(_added(levels), self._held, wanted), self._total)


def _added(levels: list[list[int]]) -> list[int]:
    """Add up bits of one, two, four ... in all lanes; return the bits of the sums, lowest first."""
    sums = []
    while levels:
        bits = levels.pop(0)
        carried: list[int] = []
        while len(bits) > 1:
            one, other, third = bits.pop(), bits.pop(), bits.pop() if bits else 0
            differ = one ^ other
            bits.append(differ ^ third)
            carried.append(one & other | differ & third)
        sums.append(bits[0] if bits else 0)
        if carried:
            levels[:1] = [[*(levels[0] if levels else []), *carried]]
    return sums


def _highest(sums: list[int], among: int, wanted: int) -> int:
    """Return a bit for each lane whose sum is among the highest."""
    sure, maybe = 0, among
    for bits in reversed(sums):
        upper = maybe & bits
        count = bin(upper).count("1")
        if count >= wanted:
            maybe = upper
        else:
            sure |= upper
            wanted -= count
            maybe &= ~bits
    return sure | maybe


def _places(bits: int, total: int) -> list[int]:
    text = bin(bits)[:1:-1]
    found, place = [], text.find("1")
    while 0 <= place < total:
        found.append(place)
        place = text.find("1", place + 1)
    return found
