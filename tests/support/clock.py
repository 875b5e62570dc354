"""Clocks: one for those that wait for a lock, and goes on when they sleep; one that is wrong."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta, tzinfo

    import pytest


class Clock:
    """Stands where a module has `time`; nobody waits for it."""

    def __init__(self, then: Callable[[], object], *, passes: float = 0.0, sleeps: int = 1) -> None:
        """Each sleep takes `passes` seconds more than was asked for; `then` follows on the last."""
        self._now = 0.0
        self._then = then
        self._passes = passes
        self._left = sleeps

    def monotonic(self) -> float:
        """Return the seconds that have passed."""
        return self._now

    def stop(self, seconds: float) -> None:
        """Let time pass while nobody is at work."""
        self._now += seconds

    def sleep(self, seconds: float) -> None:
        """Let time pass, and at the end what is to happen."""
        self._now += seconds + self._passes
        self._left -= 1
        if not self._left:
            self._then()


def set_clock(monkeypatch: pytest.MonkeyPatch, by: timedelta) -> None:
    """Set the clock of this machine wrong, as the whole backend reads it; the database has its own.

    What is loaded later reads the right one.
    """

    class WrongClock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> WrongClock:
            return super().now(tz) + by

    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "backend" and hasattr(module, "datetime"):
            monkeypatch.setattr(module, "datetime", WrongClock)
