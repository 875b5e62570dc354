"""The trace of the request under way, where requests are traced.

Whoever does a part of a request says which part, and nothing else: a span tells what the log tells.
The SDK of OpenTelemetry is known to `backend.spans` alone, which is loaded where a collector is
named.
"""

from __future__ import annotations

import contextlib
from contextvars import ContextVar
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager


class Trace(Protocol):
    """What is told of one request."""

    def tell(self, name: str, facts: Mapping[str, str | int], *, is_failed: bool) -> None:
        """Say what the request was and how it ended."""

    def part(self, name: str) -> AbstractContextManager[None]:
        """Measure a part of it."""


class Tracer(Protocol):
    """Makes traces, and sends them somewhere."""

    def request(self, traceparent: str) -> AbstractContextManager[None]:
        """Have a trace under way meanwhile, within the caller's own if it has one."""

    def end(self) -> None:
        """Send what was not sent yet, and no more."""


UNTRACED = contextlib.nullcontext()
UNDER_WAY: ContextVar[Trace | None] = ContextVar("trace_under_way", default=None)


def part(name: str) -> AbstractContextManager[None]:
    """Measure a part of the request under way, if that is traced."""
    trace = UNDER_WAY.get()
    return UNTRACED if trace is None else trace.part(name)
