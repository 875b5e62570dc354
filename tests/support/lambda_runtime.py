"""AWS Lambda's Runtime API (2018-06-01) on loopback, and the real runtime client that it drives.

The client, `awslambdaric`, is what runs in Lambda: it imports the handler, asks here for events and
posts the answers, in a process of its own.
"""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Answer = dict[str, Any]

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0  # seconds; a guard against hanging, not a promise
LARGEST_ANSWER = 6_291_556  # bytes, as AWS has it
ARN = "arn:aws:lambda:eu-west-1:123456789012:function:memory:live"


@dataclass
class Invocation:
    """One event on its way, and what came back."""

    event: Any
    id: str = field(default_factory=lambda: str(uuid4()))
    is_over: threading.Event = field(default_factory=threading.Event)
    kind: str = ""  # response | error
    answer: Any = None


class RuntimeApi(ThreadingHTTPServer):
    """Hands out events one by one, and takes the answers."""

    daemon_threads = True

    def __init__(self) -> None:
        """Listen on a free port."""
        super().__init__(("127.0.0.1", 0), _Exchange)
        self.waiting: queue.Queue[Invocation | None] = queue.Queue()
        self.running: dict[str, Invocation] = {}
        self.is_up = threading.Event()  # the handler was imported, or could not be
        self.init_error: Any = None
        self.is_asking = threading.Event()  # for an event: all that comes before is done
        self.may_restore = threading.Event()  # SnapStart: the snapshot is made, a copy may begin

    def finish(self, path: str, body: object) -> None:
        """Take an answer, or the reason why there will be none."""
        parts = path.strip("/").split("/")  # 2018-06-01/runtime/invocation/ID/response
        if "invocation" not in parts:
            self.init_error = body
            self.is_up.set()
            return
        one = self.running[parts[3]]
        one.kind, one.answer = parts[4], body
        one.is_over.set()


class _Exchange(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: RuntimeApi

    def log_message(self, *_: object) -> None:
        """Stay silent."""

    def do_GET(self) -> None:
        """Give the next event, as soon as there is one."""
        self.server.is_up.set()
        if self.path.endswith("/restore/next"):
            self.server.may_restore.wait(PATIENCE)
            self._send(200, {}, b"")
            return
        self.server.is_asking.set()
        one = self.server.waiting.get()
        if one is None:
            self.close_connection = True
            return
        self.server.running[one.id] = one
        headers = {
            "Lambda-Runtime-Aws-Request-Id": one.id,
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + PATIENCE) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": ARN,
            "Lambda-Runtime-Trace-Id": "Root=1-0-0",
            "Content-Type": "application/json",
        }
        self._send(200, headers, json.dumps(one.event).encode())

    def do_POST(self) -> None:
        """Take an answer, if it is not more than Lambda carries."""
        body = self._body()
        if self.path.endswith("/response") and len(body) > LARGEST_ANSWER:
            path = self.path.removesuffix("response") + "error"
            self.server.finish(path, {"errorType": "Function.ResponseSizeTooLarge"})
        else:
            self.server.finish(self.path, json.loads(body or b"null"))
        self._send(202, {}, b"")

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        found = b""
        while size := int(self.rfile.readline(), 16):
            found += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return found

    def _send(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@dataclass(frozen=True)
class Function:
    """A function that runs."""

    api: RuntimeApi
    process: subprocess.Popen[str]
    log: Path

    def restore(self) -> None:
        """Let the function go on as a copy that was made from a snapshot."""
        self.api.may_restore.set()
        assert self.api.is_asking.wait(PATIENCE), self.log.read_text()

    def invoke(self, event: object) -> Answer:
        """Send an event and return the answer."""
        one = self.send(event)
        assert one.kind == "response", one.answer
        answer: Answer = one.answer
        return answer

    def fail(self, event: object) -> Answer:
        """Send an event and return the error that it ends in."""
        one = self.send(event)
        assert one.kind == "error", one.answer
        answer: Answer = one.answer
        return answer

    def send(self, event: object) -> Invocation:
        """Send an event and wait for what becomes of it."""
        one = Invocation(event)
        self.api.waiting.put(one)
        assert one.is_over.wait(PATIENCE), self.log.read_text()
        return one


@contextmanager
def function(
    handler: str,
    log: Path,
    environ: Mapping[str, str],
    *,
    folder: Path = ROOT,
    python: str = sys.executable,
) -> Iterator[Function]:
    """Run a handler that lies in `folder` in the real runtime client of that Python."""
    with RuntimeApi() as api:
        threading.Thread(target=api.serve_forever, daemon=True).start()
        named = {
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{api.server_port}",
            "AWS_LAMBDA_FUNCTION_NAME": "memory",
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
            "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/memory",
            "AWS_LAMBDA_LOG_STREAM_NAME": "stream",
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
            "LAMBDA_TASK_ROOT": str(folder),
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": str(folder),
            "_HANDLER": handler,
            **environ,
        }
        command = [python, "-m", "awslambdaric", handler]
        with log.open("w") as out:
            process = subprocess.Popen(
                command, cwd=folder, env=named, stdout=out, stderr=out, text=True
            )
        try:
            assert api.is_up.wait(PATIENCE), log.read_text()
            yield Function(api, process, log)
        finally:
            process.kill()
            process.wait()
            api.waiting.put(None)
            api.shutdown()


def http_v2(
    method: str, path: str, *, body: str | None = None, query: str = "", **more: Any
) -> dict[str, Any]:
    """Make an event of an HTTP API, payload format 2.0; `headers` are added to the usual ones."""
    domain = "abc.execute-api.eu-west-1.amazonaws.com"
    headers = {
        "host": domain,
        "x-forwarded-for": "203.0.113.9",
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
        **more.pop("headers", {}),
    }
    http = {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.9"}
    context = {
        "accountId": "123456789012",
        "apiId": "abc",
        "domainName": domain,
        "http": {**http, "userAgent": "test"},
        "requestId": "r",
        "routeKey": "$default",
        "stage": "$default",
    }
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": context,
        "isBase64Encoded": False,
        **({"body": body} if body is not None else {}),
        **more,
    }


def function_url(method: str, path: str, **more: Any) -> dict[str, Any]:
    """Make an event of a function URL: the same form, from another address."""
    domain = "abc.lambda-url.eu-west-1.on.aws"
    more["headers"] = {"host": domain, **more.get("headers", {})}
    event = http_v2(method, path, **more)
    event["requestContext"]["domainName"] = domain
    return event


def rest_v1(
    method: str,
    path: str,
    *,
    body: str | None = None,
    query: Mapping[str, list[str]] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Make an event of a REST API; `query` has a list of values for each name."""
    headers = {"Host": "abc.example", "X-Forwarded-Proto": "https", **more.pop("headers", {})}
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": {name: values[-1] for name, values in query.items()}
        if query
        else None,
        "multiValueQueryStringParameters": query,
        "requestContext": {
            "httpMethod": method,
            "identity": {"sourceIp": "203.0.113.9"},
            "path": f"/prod{path}",
            "requestId": "r",
            "stage": "prod",
        },
        "body": body,
        "isBase64Encoded": False,
        **more,
    }
