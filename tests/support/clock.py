"""A clock for those that wait for a lock: it goes on when they sleep, and others work meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


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
