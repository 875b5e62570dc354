"""What a Service does: connections go to the ready pods in turn, and nothing is retried."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
import time
from typing import TYPE_CHECKING

from tests.support.kubelet import NEWS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.kubelet import Pod

NOBODY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Proxy:
    """Listens on loopback; hears of changes of pods a second late, as nodes do."""

    def __init__(self, pods: Callable[[], list[Pod]], port: int = 8000) -> None:
        """Forward to that port of the pods."""
        self._pods, self._port = pods, port
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port: int = self._listener.getsockname()[1]
        self._turns = itertools.count()
        self._known: list[Pod] = []
        self._is_over = False
        for task in (self._listen, self._hear):
            threading.Thread(target=task, daemon=True).start()

    def known(self) -> list[Pod]:
        """Return the pods that connections go to."""
        return self._known

    def close(self) -> None:
        """Take no more connections."""
        self._is_over = True
        self._listener.close()

    def _hear(self) -> None:
        while not self._is_over:
            ready = [pod for pod in self._pods() if pod.is_ready and not pod.is_terminating]
            time.sleep(NEWS)
            self._known = ready

    def _listen(self) -> None:
        while not self._is_over:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._forward, args=(caller,), daemon=True).start()

    def _forward(self, caller: socket.socket) -> None:
        known = self._known
        with caller:
            if not known:
                caller.recv(65_536)
                caller.sendall(NOBODY)
                return
            pod = known[next(self._turns) % len(known)]
            try:
                server = socket.create_connection((pod.ip, self._port), timeout=5)
            except OSError:
                return  # the caller finds its connection cut
            with server:
                server.settimeout(None)
                back = threading.Thread(target=_pump, args=(server, caller), daemon=True)
                back.start()
                _pump(caller, server)
                back.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
