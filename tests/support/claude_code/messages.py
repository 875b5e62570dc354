"""A stand-in for the Messages API on 127.0.0.1, so that the real client runs without an account.

It plays a script, records every request, and lets a test wait until a request was seen. It knows
nothing of memories: what a request means is for script.py, what it holds is for transcript.py.
"""

from __future__ import annotations

import json
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from tests.support.claude_code.script import Script, render
from tests.support.claude_code.transcript import Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.claude_code.script import Json, Reply


class Messages:
    """The running stand-in: its address, its script and the requests it was sent."""

    def __init__(self) -> None:
        """Bind a free port on the loopback address."""
        self.script = Script()
        self.requests: list[Request] = []
        self._changed = threading.Condition()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.messages = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def url(self) -> str:
        """The address to give to the client as ANTHROPIC_BASE_URL."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """End to answer, and free the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, body: Json) -> Reply:
        """Record a request and return the scripted answer to it."""
        kind, reply = self.script.answer(body)
        with self._changed:
            self.requests.append(Request(kind, body))
            self._changed.notify_all()
        return reply

    def of_kind(self, kind: str) -> list[Request]:
        """Return the requests of one kind, oldest first."""
        with self._changed:
            return [request for request in self.requests if request.kind == kind]

    def wait_for(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait until a condition on the requests holds, or the seconds have passed."""
        with self._changed:
            return self._changed.wait_for(condition, seconds)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    messages: Messages


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing: the requests themselves are the log."""

    def do_HEAD(self) -> None:
        """Tell the client that its connection works."""
        self._send_json({})

    def do_GET(self) -> None:
        """Answer the list of models; nothing else can be read here."""
        if self.path.startswith("/v1/models"):
            self._send_json({"data": [], "has_more": False, "first_id": None, "last_id": None})
        else:
            self._send_json({"type": "error", "error": {"type": "not_found_error"}}, status=404)

    def do_POST(self) -> None:
        """Answer a message, a token count, or an empty object to all else."""
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.split("?", maxsplit=1)[0]
        size = max(1, len(raw) // 4)
        if path.endswith("/count_tokens"):
            self._send_json({"input_tokens": size})
        elif path.endswith("/v1/messages"):
            self._send_message(json.loads(raw), size)
        else:
            self._send_json({})

    def _send_json(self, value: Json, status: int = 200) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _send_message(self, body: Json, size: int) -> None:
        content, stop = render(self.server.messages.answer(body), body)
        message: Json = {
            "id": "msg_" + uuid.uuid4().hex[:22],
            "type": "message",
            "role": "assistant",
            "model": body.get("model"),
            "stop_sequence": None,
            "usage": {"input_tokens": size, "output_tokens": 20},
        }
        if not body.get("stream"):
            self._send_json({**message, "content": content, "stop_reason": stop})
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        try:
            self._stream(message, content, stop)
        except ConnectionError:
            # A client that was interrupted does not wait for the rest of its answer.
            return

    def _stream(self, message: Json, content: list[Json], stop: str) -> None:
        start = {**message, "content": [], "stop_reason": None}
        self._event("message_start", {"message": start})
        for index, block in enumerate(content):
            empty, delta = _opened(block)
            self._event("content_block_start", {"index": index, "content_block": empty})
            self._event("content_block_delta", {"index": index, "delta": delta})
            self._event("content_block_stop", {"index": index})
        end = {"stop_reason": stop, "stop_sequence": None}
        self._event("message_delta", {"delta": end, "usage": {"output_tokens": 20}})
        self._event("message_stop", {})

    def _event(self, name: str, data: Json) -> None:
        text = json.dumps({"type": name, **data})
        self.wfile.write(f"event: {name}\ndata: {text}\n\n".encode())
        self.wfile.flush()


def _opened(block: Json) -> tuple[Json, Json]:
    """Split a content block into the empty block and the one delta that fills it."""
    if block["type"] == "text":
        return {"type": "text", "text": ""}, {"type": "text_delta", "text": block["text"]}
    delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
    return {**block, "input": {}}, delta
