"""A small collector of OpenTelemetry: takes spans over OTLP/HTTP, and keeps the bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.support.answering import Answering

if TYPE_CHECKING:
    from opentelemetry.proto.common.v1.common_pb2 import KeyValue
    from opentelemetry.proto.trace.v1.trace_pb2 import Span

    from tests.support.answering import Asked


class Collector(Answering):
    """Keeps what it is sent; everything is there once its sender has ended."""

    def __init__(self) -> None:
        super().__init__()
        self.bodies: list[bytes] = []

    def answer(self, asked: Asked) -> tuple[int, bytes]:
        """Take spans."""
        if asked.path == "/v1/traces":
            self.bodies.append(asked.body)
        return 200, b""

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
