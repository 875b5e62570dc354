"""A small collector of OpenTelemetry: takes spans over OTLP/HTTP, and keeps the bytes."""

from __future__ import annotations

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, cast

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.proto.common.v1.common_pb2 import KeyValue
    from opentelemetry.proto.trace.v1.trace_pb2 import Span


class Collector(ThreadingHTTPServer):
    """Keeps what it is sent; everything is there once its sender has ended."""

    def __init__(self) -> None:
        """Listen on a free port."""
        super().__init__(("127.0.0.1", 0), _Taking)
        self.bodies: list[bytes] = []

    @property
    def url(self) -> str:
        """Return what OTEL_EXPORTER_OTLP_ENDPOINT is to be."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def spans(self) -> list[Span]:
        """Return the spans, in the order in which they ended."""
        return [
            span
            for one in map(ExportTraceServiceRequest.FromString, self.bodies)
            for resource in one.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def services(self) -> set[str]:
        """Return the names of those who sent."""
        return {
            str(told(resource.resource.attributes)["service.name"])
            for one in map(ExportTraceServiceRequest.FromString, self.bodies)
            for resource in one.resource_spans
        }


def told(attributes: object) -> dict[str, str | int]:
    """Return attributes by name."""
    found = {}
    for one in cast("list[KeyValue]", attributes):
        is_text = one.value.HasField("string_value")
        found[one.key] = one.value.string_value if is_text else one.value.int_value
    return found


@contextlib.contextmanager
def collecting() -> Iterator[Collector]:
    """Run a collector meanwhile."""
    with Collector() as collector:
        thread = threading.Thread(target=collector.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield collector
        finally:
            collector.shutdown()
            thread.join()


class _Taking(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/v1/traces":
            self.server.bodies.append(body)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *given: object) -> None:  # noqa: A002  (its given name)
        """Say nothing."""
