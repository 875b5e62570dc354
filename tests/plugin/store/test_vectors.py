"""Vectors compared many at a time, against the plain way of doing it."""

from __future__ import annotations

import random

from claude_memory.store import vectors

SIZE = 256


def made(chance: random.Random, count: int) -> list[bytes]:
    """Return vectors whose numbers spread as those of meanings do."""
    return [
        bytes(min(255, max(0, round(chance.gauss(128, 25)))) for _ in range(SIZE))
        for _ in range(count)
    ]


def plain_product(one: bytes, other: bytes) -> int:
    """Multiply the plain way."""
    return sum((a - 128) * (b - 128) for a, b in zip(one, other))


def test_products_are_those_of_the_plain_way() -> None:
    """Extreme values, zeros and ordinary ones come out exactly."""
    found = [bytes([255] * SIZE), bytes([0] * SIZE), bytes([128] * SIZE)]
    found += made(random.Random(1), 40)  # noqa: S311  (repeatable on purpose)
    for asked in found[:6]:
        assert vectors.products(asked, found) == [plain_product(asked, one) for one in found]


def test_likeliest_are_the_most_alike() -> None:
    """Vectors bent towards the question are found among many others, in whatever block."""
    chance = random.Random(2)  # noqa: S311  (repeatable on purpose)
    asked = made(chance, 1)[0]
    blocks = [made(chance, 512) for _ in range(3)]
    bent = [3, 511, 512, 700, 1_535]
    for place in bent:
        mixed = zip(blocks[place // 512][place % 512], asked)
        blocks[place // 512][place % 512] = bytes((one + other) // 2 for one, other in mixed)
    signs = [vectors.planes(block, SIZE) for block in blocks]
    found = vectors.Signs(signs, SIZE).likeliest(asked, 40)
    assert set(bent) <= set(found)
    assert 40 <= len(found) < 120
    assert max(found) < 3 * 512


def test_more_wanted_than_there_are_gives_all() -> None:
    """Every place is given once, in order."""
    chance = random.Random(3)  # noqa: S311  (repeatable on purpose)
    signs = [vectors.planes(made(chance, 64), SIZE)]
    found = vectors.Signs(signs, SIZE).likeliest(made(chance, 1)[0], 200)
    assert found == list(range(64))


def test_places_without_a_vector_are_never_likely() -> None:
    """However few vectors there are, and however little they fit."""
    chance = random.Random(4)  # noqa: S311  (repeatable on purpose)
    block = [*made(chance, 20), *[bytes([vectors.ZERO] * SIZE)] * 44]
    signs = vectors.Signs([vectors.planes(block, SIZE)], SIZE)
    assert signs.likeliest(made(chance, 1)[0], 20) == list(range(20))
