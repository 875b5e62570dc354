"""When the server ends: its input closed, its output is gone, or a signal came."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
PATIENCE = 5.0  # seconds that calls in flight have once the input closed
HURRY = 0.1  # the same after a signal: the client kills about 0.5 s after its first one
NAP = 0.005


class Ending:
    """The one thing the main thread waits for.

    It waits in a read of a pipe which signals write to as well: that wakes it on every platform,
    whichever thread the system hands the signal to. Handlers thus always find the main thread
    free, never inside a lock.
    """

    def __init__(self) -> None:
        """Open the pipe and take the signals; only the main thread may."""
        self._waiting, self._waking = os.pipe()
        self._grace = PATIENCE
        if os.name != "nt":
            os.set_blocking(self._waking, False)
        signal.set_wakeup_fd(self._waking, warn_on_full_buffer=False)
        for name in SIGNALS:
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), self._hurry)

    def end(self) -> None:
        """Wake the main thread for good."""
        with suppress(BlockingIOError):  # full: then it has been woken often enough
            os.write(self._waking, b"\0")

    def wait(self, is_busy: Callable[[], bool]) -> None:
        """Return once the end has come and calls in flight are done or out of time."""
        os.read(self._waiting, 1)
        came = time.monotonic()
        while is_busy() and time.monotonic() - came < self._grace:
            time.sleep(NAP)

    def _hurry(self, number: int, frame: object) -> None:
        del number, frame
        self._grace = HURRY
