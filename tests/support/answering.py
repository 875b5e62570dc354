"""A small HTTP server on loopback that lasts for a `with` block; one method says its answers."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from email.message import Message

    from typing_extensions import Self


class Asked(NamedTuple):
    """One request as it came."""

    method: str
    path: str
    headers: Message[str, str]
    body: bytes


class Answering:
    """Has each request answered by `answer`, in a thread of its own."""

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self.port: int = self._server.server_address[1]
        self.address = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, asked: Asked) -> tuple[int, bytes]:
        """Return status and body; of a redirect, where it leads."""
        raise NotImplementedError


def _handler(server: Answering) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, answer = server.answer(Asked(self.command, self.path, self.headers, body))
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", answer.decode())
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815  # the names that http.server calls

        def log_message(self, *_: object) -> None:
            """Keep test output quiet."""

    return Handler
