"""Waiting for what comes by itself."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 60.0  # seconds until it must have come


def comes(seen: Callable[[], str], wanted: str, patience: float = PATIENCE) -> str:
    """Ask until the answer holds what is wanted; return it."""
    end = time.monotonic() + patience
    while wanted not in (said := seen()):
        assert time.monotonic() < end, f"{wanted!r} never came: {said}"
        time.sleep(0.1)
    return said
