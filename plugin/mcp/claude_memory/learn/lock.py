"""A lock file that one process at a time can hold; the system lets go of it when a process dies."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

if sys.platform == "win32":
    import msvcrt

    def _take(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _take(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class Lock:
    """Held or not for the length of a `with` block; never waited for."""

    def __init__(self, path: str) -> None:
        """Keep the path of the file; it is made when it is missing."""
        self._path = path
        self._descriptor = -1
        self.is_held = False

    def __enter__(self) -> Lock:
        """Try to take the lock."""
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _take(self._descriptor)
            self.is_held = True
        except OSError:
            self.is_held = False
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go."""
        self.is_held = False
        os.close(self._descriptor)
