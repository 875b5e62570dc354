"""Chance for pauses, from the system: loading `random` would make every start slower."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Protocol

    class Chance(Protocol):
        """What chooses lengths of pauses."""

        def uniform(self, a: float, b: float, /) -> float:
            """Return a number between two others."""


def uniform(a: float, b: float, /) -> float:
    """Return a number between two others."""
    return a + (b - a) * int.from_bytes(os.urandom(6), "big") / (1 << 48)
