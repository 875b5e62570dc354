"""Connections that callers keep: for how long, and what happens when the server is told to stop.

uvicorn lets whoever sends the head of a request byte by byte keep a connection for ever, before any
key is asked for. Here a connection on which no request runs is closed when its time is over,
whatever drips in meanwhile.

uvicorn cuts a kept connection that is idle at that moment, and closes a busy one after an answer
that does not say so: whoever sends a request just then gets no answer. Here the answers say so, and
an idle connection is given a moment more for the request that may be on its way. uvicorn also cuts
whoever closes its own side after a request, as the protocol allows; here the answer is sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from asyncio import Transport

    from uvicorn.protocols.http.h11_impl import RequestResponseCycle

CLOSE = (b"connection", b"close")
LAST_MOMENT = 1.0  # seconds


class Leaving(H11Protocol):
    """HTTP/1.1 as uvicorn speaks it, but nobody is cut off between two requests, or stays there."""

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Give the first request as long to come as uvicorn gives each later one."""
        super().connection_made(transport)
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    def data_received(self, data: bytes) -> None:
        """Take what came; the time is over all the same until a request has begun with it."""
        self.conn.receive_data(data)
        self.handle_events()

    def shutdown(self) -> None:
        """Let the running request be the last, or else the next one if it comes at once."""
        headers = self.server_state.default_headers  # of all requests that begin from now on
        if CLOSE not in headers:
            headers.append(CLOSE)
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or cycle.response_complete:
            self.loop.call_later(LAST_MOMENT, self._end)
            return
        _make_last(cycle)

    def eof_received(self) -> bool:  # type: ignore[override]
        """Keep the way back open to a caller that has sent all, and waits for the answer."""
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or cycle.more_body or cycle.response_complete:
            return False
        _make_last(cycle)
        return True

    def _end(self) -> None:
        if not self.transport.is_closing():
            super().shutdown()


def _make_last(cycle: RequestResponseCycle) -> None:
    """Let a connection end with the answer that is under way, and that answer say so."""
    if CLOSE not in cycle.default_headers:
        cycle.default_headers = [*cycle.default_headers, CLOSE]
    cycle.keep_alive = False
