"""A tiny server that speaks the few calls of Vault's KV version 2, and misbehaves on request."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

TOKEN = "hvs." + "stand" + "1n"


class VaultStandIn:
    """Serves on a free loopback port from `with` to the end of its block."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.headers: list[Mapping[str, str]] = []
        self.paths: list[str] = []
        self.fault: tuple[int, bytes] | None = None  # answered to everything while set
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self.port = self._server.server_address[1]
        self.address = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> VaultStandIn:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, method: str, path: str, body: bytes, token: str) -> tuple[int, bytes]:
        """Do what Vault would do."""
        if self.fault is not None:
            return self.fault
        if token != TOKEN:
            return 403, b'{"errors":["permission denied"]}'
        kind, _, name = path.partition("?")[0].partition("/v1/secret/")[2].partition("/")
        if kind == "metadata" and method == "DELETE":
            self.values.pop(name, None)
            return 204, b""
        if kind == "data" and method == "POST":
            return self._write(name, json.loads(body))
        if kind == "data" and name in self.values:
            return 200, json.dumps({"data": {"data": {"value": self.values[name]}}}).encode()
        return 404, b'{"errors":[]}' if kind == "data" else b'{"errors":["no handler"]}'

    def _write(self, name: str, asked: Mapping[str, Mapping[str, object]]) -> tuple[int, bytes]:
        if asked["options"]["cas"] == 0 and name in self.values:
            return 400, b'{"errors":["check-and-set parameter did not match"]}'
        self.values[name] = str(asked["data"]["value"])
        return 200, b'{"data":{"version":1}}'


def _handler(stand_in: VaultStandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            stand_in.headers.append(dict(self.headers.items()))
            stand_in.paths.append(self.path)
            token = self.headers.get("X-Vault-Token", "")
            status, answer = stand_in.answer(self.command, self.path, body, token)
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", answer.decode())
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = do_DELETE = _serve  # noqa: N815  # the names that http.server calls

        def log_message(self, *_: object) -> None:
            """Keep test output quiet."""

    return Handler
