"""The two pipes to the client: taking them, whole lines in, whole lines out."""

from __future__ import annotations

import os
import sys
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
if sys.platform == "win32":
    import msvcrt

CHUNK = 64 * 1024


def claim() -> tuple[int, int]:
    """Take stdin and stdout for the protocol alone; return their descriptors.

    From here on a stray print, a library or a child process reads nothing and writes to stderr.

    Raises:
        OSError: stdin or stdout is closed.
    """
    incoming, outgoing = os.dup(0), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    try:
        os.dup2(2, 1)
    except OSError:  # stderr is closed
        os.dup2(nowhere, 1)
    _make_plain(incoming, outgoing)
    return incoming, outgoing


def _make_plain(*descriptors: int) -> None:
    """Make reads and writes wait, and keep Windows from translating line ends."""
    for descriptor in descriptors:
        if sys.platform == "win32":
            msvcrt.setmode(descriptor, os.O_BINARY)
        else:
            os.set_blocking(descriptor, True)


def lines(descriptor: int, limit: int) -> Iterator[bytes]:
    """Yield each line until the input closes.

    A line above `limit` bytes is cut to one byte more, so that its reader can tell.
    """
    held = bytearray()
    while chunk := _read(descriptor):
        *ended, rest = chunk.split(b"\n")
        for piece in ended:
            held += piece
            del held[limit + 1 :]
            yield bytes(held)
            held.clear()
        if len(held) <= limit:
            held += rest
    yield bytes(held)


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, CHUNK)
    except OSError:  # the client is gone, less politely than by closing
        return b""


class Output:
    """Writes lines that threads send at the same time, each one whole."""

    def __init__(self, descriptor: int, on_closed: Callable[[], None]) -> None:
        """Write to `descriptor`; call `on_closed` when nobody reads it any more."""
        self._descriptor = descriptor
        self._on_closed = on_closed
        self._lock = threading.Lock()

    def send(self, line: bytes) -> None:
        """Write one line; it is lost when the reader is gone."""
        rest = memoryview(line)
        try:
            with self._lock:
                while rest:
                    rest = rest[os.write(self._descriptor, rest) :]
        except OSError:
            self._on_closed()
