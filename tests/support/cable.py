"""A cable between clients and a server that a test can pull, and plug in again."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

CHUNK = 65_536


class Cable:
    """Forwards connections to a server, unless something is done to it.

    It can be pulled (connections are refused), mute (taken, unheard), or one that loses answers
    (what is asked arrives, and the connection ends where the answer begins).
    """

    def __init__(self, host: str, port: int, listener: socket.socket | None = None) -> None:
        """Listen on a port of its own, or where it is told to."""
        self._target = (host, port)
        self._listener = listener or socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._lock = threading.Lock()
        self.is_pulled = self.is_mute = self.is_losing = False
        self.held = 0  # connections that are mute now
        self.given_up = 0  # mute connections that their client has left
        self.lost = 0  # answers
        self.pushes = 0  # requests that bring changes
        self.pulls = 0  # requests that ask for some
        self.carried = 0  # bytes, both ways
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._listen()

    def __enter__(self) -> Cable:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self._cut()

    def pull(self) -> None:
        """Cut every connection, and refuse new ones: the port is kept, and nobody listens there."""
        if not self.is_pulled:
            self.is_pulled = True
            place, family = self._listener.getsockname(), self._listener.family
            self._listener.shutdown(socket.SHUT_RDWR)  # or it would be listened to until the next
            self._listener.close()
            self._listener = socket.socket(family)
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._listener.bind(place)
        self._cut()

    def mute(self) -> None:
        """Take connections and what they say, and never answer."""
        self.is_mute = True
        self._cut()

    def lose_answers(self) -> None:
        """Forward what is asked, and cut the connection when the answer comes."""
        self.is_losing = True
        self._cut()

    def plug(self) -> None:
        """Forward again."""
        was_pulled, self.is_pulled = self.is_pulled, False
        self.is_mute = self.is_losing = False
        self._cut()
        if was_pulled:
            self._listen()

    def _listen(self) -> None:
        self._listener.listen()
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _cut(self) -> None:
        with self._lock:
            for one in self._open:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
            self._open.clear()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                self._open.append(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client:
            if self.is_mute:
                self.held += 1
                _copy(client, None)
                self.held -= 1
                self.given_up += 1
                return
            with contextlib.suppress(OSError), socket.create_connection(self._target) as server:
                with self._lock:
                    self._open.append(server)
                copying = (server, client, self._lose)
                back = threading.Thread(target=_copy, args=copying, daemon=True)
                back.start()
                _copy(client, server, self._count)
                back.join()

    def _count(self, data: bytes) -> bool:
        self.pushes += data.startswith(b"POST ")
        self.pulls += data.startswith(b"GET ")
        self.carried += len(data)
        return True

    def _lose(self, data: bytes) -> bool:
        self.carried += len(data)
        self.lost += self.is_losing
        return not self.is_losing


def _copy(
    source: socket.socket,
    sink: socket.socket | None,
    passes: Callable[[bytes], bool] = lambda _: True,
) -> None:
    """Hand on what comes and passes, to nobody if there is no sink, until either side ends."""
    try:
        while (data := source.recv(CHUNK)) and passes(data):
            if sink is not None:
                sink.sendall(data)
    except OSError:
        pass
    finally:
        for one in (source, sink):
            if one is not None:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
