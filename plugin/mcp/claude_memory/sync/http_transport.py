"""Carries requests over HTTP: connections that are kept, packed bodies, and no thread of its own.

Nothing of HTTP or TLS is loaded before the first request. Calls may come from several threads;
each has a connection to itself.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, NamedTuple

from claude_memory.sync import address as addresses
from claude_memory.sync import proxy as proxies

if TYPE_CHECKING:
    from collections.abc import Mapping

    from claude_memory.sync.connecting import Route
    from claude_memory.sync.exchange import Asked, Line
    from claude_memory.sync.transport import Response

PACKED_FROM = 2_048  # bytes of a body
KEPT = 2  # connections, while idle
KEPT_SECONDS = 30.0  # longer, and something on the way may have forgotten them without a word
REDIRECTS = (301, 302, 303, 307, 308)
LOGIN_WANTED = 407
MISREAD = (400, 415, 422)  # what a server says to a body that it cannot unpack


class _Request(NamedTuple):
    """A request as it was given, and how often the transport had been closed before it."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes | None
    closings: int


class HttpTransport:
    """The Transport to the server at one address."""

    def __init__(
        self,
        url: str,
        environ: Mapping[str, str],
        *,
        connect_seconds: float = 5.0,
        total_seconds: float = 30.0,
        answer_bytes: int = 16_777_216,
    ) -> None:
        """Take the settings as they are; a wrong one is reported by the first request."""
        self._url, self._environ = url, environ
        self._limits = (connect_seconds, total_seconds, answer_bytes)
        self._lock = threading.Lock()
        self._idle: list[tuple[float, Line]] = []
        self._running: set[Line] = set()
        self._route: Route | None = None
        self._closings = 0
        self._is_packing = False  # until the server has said that it unpacks
        self._may_pack = True  # until it has not

    def request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None
    ) -> Response:
        """Send a request and return the answer, whatever its status but a redirect.

        Raises:
            RemoteUnreachable: no whole answer came, or one that sends elsewhere.
            AnswerLost: the same, and the request may have arrived.
        """
        from claude_memory.sync import trouble

        asked = _Request(method, path, headers, body, self._closings)
        is_packed = self._is_packing and body is not None and len(body) >= PACKED_FROM
        answer = self._send(asked, is_packed=is_packed)
        is_told = "gzip" in answer.headers.get("accept-encoding", "").lower()
        if is_packed and answer.status in MISREAD:
            # An older server stands there now, or something on the way has touched the bytes.
            answer = self._send(asked, is_packed=False)
            self._may_pack = answer.status in MISREAD  # else it was the packing
        self._is_packing = is_told and self._may_pack
        route = self._way()
        if answer.status in REDIRECTS:
            location = answer.headers.get("location", "")
            raise trouble.redirected(answer.status, location, route.address)
        if answer.status == LOGIN_WANTED:
            raise trouble.login_wanted(route.proxy.variable if route.proxy else "HTTPS_PROXY")
        return answer

    def close(self) -> None:
        """End running requests at once and let go of what is kept; a later request may follow."""
        with self._lock:
            self._closings += 1
            idle, self._idle = self._idle, []
            for line in self._running:
                line.cut()
        for _, line in idle:
            line.close()

    def _send(self, given: _Request, *, is_packed: bool) -> Response:
        from claude_memory.sync.exchange import Asked, ClosedWhileIdleError

        headers, body = {**given.headers, "accept-encoding": "gzip"}, given.body
        if is_packed and body is not None:
            import gzip

            body = gzip.compress(body, 5)
            headers["content-encoding"] = "gzip"
        asked = Asked(given.method, self._way().address.prefix + given.path, headers, body)
        kept = self._take()
        if kept is not None:
            try:
                return self._carry(kept, asked, given.closings)
            except ClosedWhileIdleError:
                pass  # once: the next connection is a new one
        return self._carry(self._new_line(), asked, given.closings)

    def _way(self) -> Route:
        if self._route is None:
            from claude_memory.sync.connecting import Route, trusting

            address = addresses.read(self._url)
            context = trusting(self._environ) if address.is_secure else None
            self._route = Route(address, proxies.choose(self._environ, address), context)
        return self._route

    def _new_line(self) -> Line:
        from claude_memory.sync.exchange import Limits, Line

        return Line(self._way(), Limits(*self._limits))

    def _carry(self, line: Line, asked: Asked, closings: int) -> Response:
        with self._lock:
            self._running.add(line)
            if self._closings != closings:  # since the request began
                line.cut()
        try:
            return line.carry(asked)
        finally:
            self._put_back(line)

    def _take(self) -> Line | None:
        """Take a kept connection, unless it was idle for too long."""
        kept, old = None, []
        with self._lock:
            while self._idle and kept is None:
                since, line = self._idle.pop()
                if time.monotonic() - since < KEPT_SECONDS:
                    kept = line
                else:
                    old.append(line)
        for line in old:
            line.close()
        return kept

    def _put_back(self, line: Line) -> None:
        with self._lock:
            self._running.discard(line)
            is_kept = line.is_reusable and len(self._idle) < KEPT
            if is_kept:
                self._idle.append((time.monotonic(), line))
        if not is_kept:
            line.close()
