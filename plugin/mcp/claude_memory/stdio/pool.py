"""A few threads that run calls, each started only when there is work for it."""

from __future__ import annotations

import threading
from queue import SimpleQueue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Pool:
    """Runs jobs on at most `size` threads; a job must not raise."""

    def __init__(self, size: int) -> None:
        """Start nothing yet: an idle server has no thread here."""
        self._size = size
        self._lock = threading.Lock()
        self._threads = 0
        self._unfinished = 0
        self._jobs: SimpleQueue[Callable[[], None]] = SimpleQueue()

    def run(self, job: Callable[[], None]) -> None:
        """Run `job` on the next free thread.

        Raises:
            RuntimeError: the system allows no thread.
        """
        with self._lock:
            if self._unfinished >= self._threads < self._size:
                threading.Thread(target=self._work, daemon=True).start()
                self._threads += 1
            self._unfinished += 1
        self._jobs.put(job)

    def is_busy(self) -> bool:
        """Say whether a job waits or runs."""
        return self._unfinished > 0

    def _work(self) -> None:
        while True:
            self._jobs.get()()
            with self._lock:
                self._unfinished -= 1
