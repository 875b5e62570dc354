# Generated from plugin/mcp/claude_memory/store/vectors.py by tools/copy_ranking.py: change that, not this.
"""Compares vectors of a byte for each dimension, many at a time, with large integers. Hot.

Python multiplies and adds an integer of a thousand digits about as fast as a small one. So one
integer holds two dimensions of all vectors, each vector in a lane of its own, and is weighed by
what the question has in these dimensions. For a first look over very many memories their signs
will do: one bit of each, a plane for each dimension, added up bit by bit as a circuit of adders
would.
"""

from __future__ import annotations

import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

ZERO = 128  # what a byte stands for nothing with
LANE = 8  # bytes: two sums of some hundred products of two bytes fit, each with its sign
HALF = 32  # bits
SIGNS = bytes(ord("0") + (value >= ZERO) for value in range(256))


def products(asked: bytes, vectors: Sequence[bytes]) -> list[int]:
    """Return the scalar product of one vector with each of the others.

    Two dimensions (v, w), multiplied by the question's two in turn (b, a), have av + bw in the
    middle. What is above it runs into what is below it in the next lane, where nobody looks.
    """
    count, size = len(vectors), len(asked)
    data = memoryview(b"".join(vectors)).cast("Q")  # a lane holds eight dimensions
    step = size // LANE
    columns = [int.from_bytes(data[place::step].tobytes(), "little") for place in range(step)]
    pairs = int.from_bytes(b"\xff\0\0\0" * (2 * count), "little")
    sums = int.from_bytes(b"\0\0\0\x80" * (2 * count + 1), "little")  # from there up and down
    weights = [value - ZERO for value in asked]
    for place in range(LANE // 2):
        chosen, fellows = weights[place::LANE], weights[place + LANE // 2 :: LANE]
        turned = [(one << HALF) + other for one, other in zip(chosen, fellows)]
        mask = pairs << 8 * place
        sums += sum(map(int.__mul__, [column & mask for column in columns], turned)) >> 8 * place
    halves = struct.unpack(f"<{2 * count + 1}I", sums.to_bytes(LANE * count + LANE // 2, "little"))
    # The lanes hold values that begin at 0 and not at -128.
    bias = (1 << HALF - 1) + ZERO * sum(weights)
    return [half - bias for half in halves[1::2]]


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
