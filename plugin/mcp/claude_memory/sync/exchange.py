"""One connection and the requests it carries, each within a time and a size.

Loaded with the first request: what is here costs a start 40 ms.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import threading
import zlib
from typing import TYPE_CHECKING, NamedTuple

from claude_memory.sync import trouble
from claude_memory.sync.connecting import Deadline, Route, connect
from claude_memory.sync.transport import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

PART = 65_536  # bytes read at once
GZIP = 31  # zlib's name for the format


class Limits(NamedTuple):
    """How long connecting and the whole exchange may take, and how large an answer may be."""

    connect_seconds: float
    total_seconds: float
    answer_bytes: int


class Asked(NamedTuple):
    """A request, ready to be sent."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes | None


class ClosedWhileIdleError(Exception):
    """The server has closed the connection before it answered a byte: a new one will do."""


class Line:
    """A connection that is opened with its first request; another thread may cut it."""

    def __init__(self, route: Route, limits: Limits) -> None:
        """Open nothing yet."""
        self._route, self._limits = route, limits
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._is_cut = False
        self._wire: Wire | None = None
        self.is_reusable = False

    def carry(self, asked: Asked) -> Response:
        """Send a request and return the answer.

        Raises:
            ClosedWhileIdleError: an earlier request's connection is gone, and nothing came.
            RemoteUnreachable: no whole answer came, for whatever reason.
        """
        is_new, self.is_reusable = self._wire is None, False
        deadline = Deadline(self._limits.total_seconds)
        failure: Exception
        try:
            return self._exchange(asked, deadline)
        except Exception as error:  # noqa: BLE001  (explained below)
            failure = error
        was_sent = self._wire is not None
        is_silent = self._wire is None or not self._wire.received
        self.close()
        # Raised outside any `except`: an error of the HTTP library may quote the key.
        if self._is_cut:
            raise trouble.closed_here(was_sent=was_sent)
        if not is_new and is_silent and isinstance(failure, (ConnectionError, ssl.SSLError)):
            raise ClosedWhileIdleError
        raise trouble.explained(failure, self._route, was_sent=was_sent)

    def cut(self) -> None:
        """End a request that runs in another thread, at once."""
        with self._lock:
            self._is_cut = True
            if self._socket is not None:
                _shut_down(self._socket)

    def close(self) -> None:
        """Close the connection; only while no request runs."""
        with self._lock:
            if self._socket is not None:
                self._socket.close()
            self._socket = self._wire = None

    def _hold(self, sock: socket.socket) -> None:
        with self._lock:
            self._socket = sock
            if self._is_cut:
                raise trouble.closed_here(was_sent=False)

    def _exchange(self, asked: Asked, deadline: Deadline) -> Response:
        if self._wire is None:
            opening = Deadline(min(self._limits.connect_seconds, deadline.left()))
            self._wire = Wire(connect(self._route, opening, self._hold))
        self._wire.begin(deadline)
        address = self._route.address
        connection = http.client.HTTPConnection(address.host, address.port)
        connection.default_port = 443 if address.is_secure else 80
        answer, self.is_reusable = ask(connection, self._wire, asked, self._limits.answer_bytes)
        return answer


def ask(
    connection: http.client.HTTPConnection, wire: Wire, asked: Asked, limit: int
) -> tuple[Response, bool]:
    """Send a request over the wire; return the whole answer, and whether another may follow.

    Raises:
        http.client.HTTPException: what came is no answer, or not the whole of one.
        TooMuchError: it has more bytes than the limit.
        OSError: what the network says.
    """
    connection.sock = wire  # as much of a socket as it uses
    try:
        connection.request(asked.method, asked.target, asked.body, dict(asked.headers))
    except ConnectionError:
        pass  # it may have answered before it has read everything: that this is too much
    with connection.getresponse() as answer:
        if wire.is_ended:  # the library takes the end of all for the end of the head
            raise http.client.IncompleteRead(b"")
        body = _body(answer, limit)
        may_follow = not answer.will_close
    headers = {name.lower(): value for name, value in answer.getheaders()}
    return Response(answer.status, headers, body), may_follow


class Wire:
    """What the HTTP library takes for a socket: each wait ends with the request's deadline."""

    def __init__(self, sock: socket.socket) -> None:
        """Take a socket that is connected."""
        self._socket = sock
        self.received = 0
        self.is_ended = False

    def begin(self, deadline: Deadline) -> None:
        """Take the deadline of the next request."""
        self._deadline, self.received = deadline, 0

    def sendall(self, data: bytes) -> None:
        """Send everything."""
        rest = memoryview(data)
        while rest:
            self._socket.settimeout(self._deadline.left())
            rest = rest[self._socket.send(rest) :]

    def receive(self, buffer: memoryview) -> int:
        """Fill the buffer with what has come; return how much that is, 0 at the end."""
        self._socket.settimeout(self._deadline.left())
        count = self._socket.recv_into(buffer)
        self.received += count
        self.is_ended = not count
        return count

    def makefile(self, mode: str) -> io.BufferedReader:
        """Return what the library reads from."""
        del mode  # always "rb"
        return io.BufferedReader(_Stream(self))

    def close(self) -> None:
        """Leave it open: the library closes before it has read, and the line knows better."""


class _Stream(io.RawIOBase):
    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        return self._wire.receive(buffer)


def _shut_down(sock: socket.socket) -> None:
    try:
        # Not the method of a TLS socket, which would take away what the other thread reads with.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
    except OSError:
        pass  # not connected yet, or no longer


def _body(answer: http.client.HTTPResponse, limit: int) -> bytes:
    parts, size = [], 0
    while True:
        part = answer.read(PART)
        if not part:
            break
        parts.append(part)
        size += len(part)
        if size > limit:
            raise trouble.TooMuchError
    if answer.length:  # announced, and not come
        raise http.client.IncompleteRead(b"", answer.length)
    body = b"".join(parts)
    coding = (answer.getheader("content-encoding") or "identity").strip().lower()
    if coding == "identity" or not body:
        return body
    if coding != "gzip":
        raise zlib.error
    return _unpacked(body, limit)


def _unpacked(body: bytes, limit: int) -> bytes:
    unpacking = zlib.decompressobj(GZIP)
    plain = unpacking.decompress(body, limit + 1)
    if len(plain) > limit:
        raise trouble.TooMuchError
    if not unpacking.eof:
        raise zlib.error
    return plain
