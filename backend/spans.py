"""Spans for OpenTelemetry, sent to the collector that the standard variables (OTEL_*) name.

The provider is ours alone. What libraries would tell of themselves goes nowhere: the SDK of MCP,
for one, makes spans too, and knows what its callers say.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import (
    SERVICE_NAME,
    SERVICE_VERSION,
    OTELResourceDetector,
    Resource,
)
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from opentelemetry.trace import SpanKind, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from backend.errors import ApiError
from backend.tracing import UNDER_WAY
from backend.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import Span, Tracer

SERVICE = "claude-memory"
LAST_PATIENCE = 3.0  # seconds for what was not sent yet when the server ends
SERVER_ERRORS = 500
PROPAGATOR = TraceContextTextMapPropagator()


class Collector:
    """Makes a span of each request and of each of its parts, and sends them in batches."""

    def __init__(self, arrive: Callable[[bool], None]) -> None:
        """Take what is told, in a thread, whether spans arrive, whenever that changes."""
        library = logging.getLogger("opentelemetry")  # it would quote settings that hold keys
        library.addHandler(logging.NullHandler())
        library.propagate = False
        ours = Resource({SERVICE_NAME: SERVICE, SERVICE_VERSION: VERSION})
        self._provider = TracerProvider(
            # What the operator says of the service goes before what we say.
            resource=Resource.create(ours.merge(OTELResourceDetector().detect()).attributes),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(BatchSpanProcessor(_Exporter(arrive)))
        self._tracer = self._provider.get_tracer("backend", VERSION)

    @contextlib.contextmanager
    def request(self, traceparent: str) -> Iterator[None]:
        """Have a span for a request under way, within the trace that the caller names."""
        caller = PROPAGATOR.extract({"traceparent": traceparent}, Context())
        span = self._tracer.start_span("request", caller, SpanKind.SERVER)
        before = UNDER_WAY.set(Request(self._tracer, span))
        try:
            yield
        finally:
            UNDER_WAY.reset(before)
            span.end()

    def end(self) -> None:
        """Send what was not sent yet; a collector that does not answer holds nobody up for long."""
        ending = threading.Thread(target=self._provider.shutdown, daemon=True)
        ending.start()
        ending.join(LAST_PATIENCE)


@dataclass(frozen=True)
class Request:
    """The trace of one request."""

    tracer: Tracer
    span: Span

    def tell(self, name: str, facts: Mapping[str, str | int], *, is_failed: bool) -> None:
        """Say what the request was and how it ended."""
        self.span.update_name(name)
        self.span.set_attributes(facts)
        if is_failed:
            self.span.set_status(StatusCode.ERROR)

    @contextlib.contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Measure a part; of an error only its kind is told, since its text may hold content."""
        span = self.tracer.start_span(name, set_span_in_context(self.span, Context()))
        try:
            yield
        except BaseException as error:
            span.set_attribute("error.type", type(error).__name__)
            if not isinstance(error, ApiError) or error.status >= SERVER_ERRORS:
                span.set_status(StatusCode.ERROR)
            raise
        finally:
            span.end()


class _Exporter(OTLPSpanExporter):
    """Sends spans over HTTP, and says when they cease to arrive and when they do so again."""

    def __init__(self, arrive: Callable[[bool], None]) -> None:
        super().__init__()
        self._arrive, self._do_arrive = arrive, True

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = super().export(spans)
        do_arrive = result is SpanExportResult.SUCCESS
        if do_arrive != self._do_arrive:
            self._do_arrive = do_arrive
            self._arrive(do_arrive)
        return result
