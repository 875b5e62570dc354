"""A lock file that one process at a time can hold; the system lets go of it when a process dies.

Those that ask to share it hold it together, where the system knows such locks (not on Windows).
"""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

NAP = 0.01  # seconds between two tries
BUSY_SECONDS = 5.0  # to wait for a store that another session writes
PATIENCE = 30.0  # seconds to wait for one that mends, takes over, or rewrites after a purge


def _take(descriptor: int, *, shared: bool) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)


class Lock:
    """Held or not for the length of a `with` block; waited for at most `patience` seconds."""

    def __init__(self, path: str, patience: float = 0.0, *, shared: bool = False) -> None:
        """Keep the path of the file; it is made when it is missing."""
        self._path = path
        self._shared = shared
        self._patience = patience
        self._descriptor = -1
        self.is_held = False

    def __enter__(self) -> Lock:
        """Try to take the lock."""
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        end = time.monotonic() + self._patience
        self.is_held = self._try()
        while not self.is_held and time.monotonic() < end:
            time.sleep(NAP)
            self.is_held = self._try()
        return self

    def _try(self) -> bool:
        try:
            _take(self._descriptor, shared=self._shared)
        except OSError:
            return False
        return True

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go."""
        self.is_held = False
        os.close(self._descriptor)


def mend_lock(path: str, *, shared: bool = False) -> Lock:
    """Return the mend lock of the store at `path`: to mend, it is held alone; to open, shared."""
    patience = BUSY_SECONDS if shared else PATIENCE
    return Lock(os.path.join(os.path.dirname(path), "mend.lock"), patience, shared=shared)
