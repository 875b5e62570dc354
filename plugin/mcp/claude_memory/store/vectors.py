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
    data = b"".join(vectors)
    lanes = bytearray(LANE * count)
    above = below = 0
    for dimension, value in enumerate(asked):
        lanes[::LANE] = data[dimension::size]
        if value > ZERO:
            above += (value - ZERO) * int.from_bytes(lanes, "little")
        elif value < ZERO:
            below += (ZERO - value) * int.from_bytes(lanes, "little")
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


def likeliest(asked: bytes, blocks: Sequence[bytes], wanted: int) -> list[int]:
    """Return the places of about as many vectors as wanted: those of the most fitting signs.

    The third of the question's dimensions that says least is left out, the third that says most
    counts twice. `blocks` are planes of equally many vectors each.
    """
    size = len(asked)
    width = len(blocks[0]) // size
    total = 8 * width * len(blocks)
    every = (1 << total) - 1
    strengths = sorted(abs(value - ZERO) for value in asked)
    weak, strong = strengths[size // 3], strengths[2 * size // 3]
    levels: list[list[int]] = [[], []]
    for place, value in enumerate(asked):
        strength = abs(value - ZERO)
        if strength < weak:
            continue
        start = place * width
        plane = int.from_bytes(b"".join([one[start : start + width] for one in blocks]), "little")
        levels[strength >= strong].append(plane if value >= ZERO else plane ^ every)
    return _places(_highest(_added(levels), every, wanted), total)


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


def _highest(sums: list[int], every: int, wanted: int) -> int:
    """Return a bit for each lane whose sum is among the highest."""
    sure, maybe = 0, every
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
