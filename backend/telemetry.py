"""What operators see: JSON logs, Prometheus metrics and traces. Never content, never a key.

An account appears as a hash, an address as its template, an error as its type and place.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import logging
import os
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from backend.tracing import UNDER_WAY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from contextlib import AbstractContextManager
    from uuid import UUID

    from prometheus_client import Metric

    from backend.tracing import Tracer

ROOT = Path(__file__).resolve().parent.parent
SERVER_ERRORS = 500
NO_SDK = (
    "OTEL_EXPORTER_OTLP_ENDPOINT is set, but OpenTelemetry's SDK is not installed. Install "
    "requirements-otel.lock in place of requirements-backend.lock, or take the variable away."
)
BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, kw_only=True)
class Served:
    """One answered request, as it may be told."""

    request_id: str
    method: str
    route: str
    status: int
    seconds: float
    account: UUID | None


class Workers(MultiProcessCollector):
    """The numbers of all workers of a server, read from the folder that they write them to."""

    def __init__(self, folder: str) -> None:
        """Take the folder."""
        super().__init__(None, folder)  # type: ignore[no-untyped-call]
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        """Add up what each worker has counted; what one was busy with when it died is over."""
        for file in Path(self._folder).glob("gauge_live*_*.db"):
            process = int(file.stem.rpartition("_")[2])
            if not _is_alive(process):
                mark_process_dead(process, self._folder)  # type: ignore[no-untyped-call]
        found: Iterable[Metric] = super().collect()  # type: ignore[no-untyped-call]
        return found


class _Relay(logging.Handler):
    """Hands on what libraries say by the usual way of Python."""

    def __init__(self, log: Any) -> None:  # noqa: ANN401
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if error is None:
            self._log.warning("library", name=record.name, problem=record.getMessage())
        else:
            kind = type(error).__name__
            self._log.error("library", name=record.name, kind=kind, where=places(error))


class Telemetry:
    """Counts, logs and traces what the server does."""

    def __init__(self, stream: TextIO | None = None) -> None:
        """Write logs to the stream, standard output if there is none."""
        self.registry = CollectorRegistry()
        labels = ("method", "route", "status")
        self._requests = Counter(
            "memory_requests", "Requests answered.", labels, registry=self.registry
        )
        self._seconds = Histogram(
            "memory_request_seconds",
            "Time to answer.",
            labels[:2],
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.running = Gauge(
            "memory_requests_running",
            "Requests being answered now.",
            registry=self.registry,
            multiprocess_mode="livesum",
        )
        self._compared = Counter(
            "memory_semantic",
            "Recalls, by what compared the texts: the model that was asked for, or the table.",
            ("by",),
            registry=self.registry,
        )
        self._keeper_failures = Counter(
            "memory_keeper_failures",
            "Times that the keeper of secrets gave no answer, or refused.",
            registry=self.registry,
        )
        self._tracer: Tracer | None = None
        self.log: Any = structlog.wrap_logger(
            structlog.PrintLogger(stream or sys.stdout),
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.JSONRenderer(),
            ],
        )

    @contextlib.contextmanager
    def metrics_at(self, host: str, port: int, workers: str) -> Iterator[None]:
        """Serve the metrics there meanwhile; without a host or port, nowhere.

        They are those of this process, or of all that write theirs to the folder `workers`.
        """
        if not host or not port:
            yield
            return
        registry = self.registry
        if workers:
            registry = CollectorRegistry()
            registry.register(Workers(workers))
        try:
            server, thread = start_http_server(port, host, registry)
        except OSError as error:  # another worker of this machine has the port
            if not (workers and error.errno == errno.EADDRINUSE):  # and does not show ours
                self.log.warning("no metrics", port=port, problem=error.strerror)
            yield
            return
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    @contextlib.contextmanager
    def libraries(self) -> Iterator[None]:
        """Meanwhile write the warnings of libraries as our own lines are written."""
        handler, root = _Relay(self.log), logging.getLogger()
        root.addHandler(handler)
        try:
            yield
        finally:
            root.removeHandler(handler)

    @contextlib.contextmanager
    def traces(self, *, are_wanted: bool) -> Iterator[None]:
        """Send traces to the collector meanwhile, if they are wanted; its absence harms nothing."""
        tracer = self._tracer = self._begin_tracing() if are_wanted else None
        try:
            yield
        finally:
            self._tracer = None
            if tracer is not None:
                tracer.end()

    def traced(self, traceparent: str) -> AbstractContextManager[None]:
        """Have the trace of a request under way meanwhile, if there are traces."""
        if self._tracer is None:
            return contextlib.nullcontext()
        return self._tracer.request(traceparent)

    def served(self, request: Served) -> None:
        """Tell of one answered request."""
        self._requests.labels(request.method, request.route, str(request.status)).inc()
        self._seconds.labels(request.method, request.route).observe(request.seconds)
        account = hashed(request.account)
        if trace := UNDER_WAY.get():
            facts: dict[str, str | int] = {
                "http.request.method": request.method,
                "http.route": request.route,
                "http.response.status_code": request.status,
                "request_id": request.request_id,
                "account": account,
            }
            name = f"{request.method} {request.route}"
            trace.tell(name, facts, is_failed=request.status >= SERVER_ERRORS)
        self.log.info(
            "request",
            request_id=request.request_id,
            account=account,
            method=request.method,
            route=request.route,
            status=request.status,
            ms=round(request.seconds * 1000, 2),
        )

    def compared(self, by: str) -> None:
        """Tell what compared the texts of a recall on a server that asks for the model."""
        self._compared.labels(by).inc()

    def keeper_failed(self, problem: str) -> None:
        """Tell what is the matter with the keeper of secrets."""
        self._keeper_failures.inc()
        self.log.warning("keeper", problem=problem)

    def failed(self, request_id: str, error: BaseException) -> None:
        """Tell of a defect: what kind of error it was and where, without what it says."""
        self.log.error("defect", request_id=request_id, where=places(error), **_kind(error))

    def unavailable(self, request_id: str, reason: BaseException) -> None:
        """Tell why a request met no database."""
        self.log.warning("unavailable", request_id=request_id, **_kind(reason))

    def _begin_tracing(self) -> Tracer | None:
        try:
            from backend.spans import Collector

            return Collector(self._arrive)
        except ImportError:
            self.log.warning("no traces", problem=NO_SDK)
        except Exception as error:  # noqa: BLE001  (the server goes before its traces)
            self.log.warning("no traces", problem="An OTEL_ variable cannot be used.")
            self.failed("", error)
        return None

    def _arrive(self, do_arrive: bool) -> None:  # noqa: FBT001  (told as it is)
        if do_arrive:
            self.log.info("traces arrive again")
        else:
            self.log.warning("no traces", problem="The collector does not take them.")


def hashed(account: UUID | None) -> str:
    """Return what an account is called in logs."""
    return hashlib.sha256(account.bytes).hexdigest()[:16] if account else ""


def _kind(error: BaseException) -> dict[str, str]:
    """Return the type of an error and, of one of PostgreSQL's, its code."""
    state = getattr(error, "sqlstate", None)
    return {"kind": type(error).__name__} | ({"sqlstate": state} if state else {})


def places(error: BaseException) -> list[str]:
    """Return where an error came from, innermost last; its text may hold what must not be told."""
    frames = traceback.extract_tb(error.__traceback__)[-8:]
    return [f"{_short(frame.filename)}:{frame.lineno}" for frame in frames]


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _short(filename: str) -> str:
    path = Path(filename)
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else path.name
