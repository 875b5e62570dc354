"""How soon a server is gone after a signal, or after its input closed."""

from __future__ import annotations

import signal
import statistics
import time
from typing import TYPE_CHECKING

from bench import stores
from bench.processes import PATIENCE, Server

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bench.report import Report

ROUNDS = 20
PROMISED = 0.3  # seconds


def run(report: Report) -> None:
    """End idle servers and busy ones."""
    with stores.copy(100_000, report) as home:
        for name, number in (("SIGTERM", signal.SIGTERM), ("SIGINT", signal.SIGINT)):
            _measure(report, home, f"{name} to exit, idle", _rest, number)
            _measure(report, home, f"{name} to exit, at work", _work, number)
        _measure(report, home, "input closed to exit", _rest, None)


def _measure(
    report: Report, home: Path, name: str, prepare: Callable[[Server], None], number: int | None
) -> None:
    report.progress(name)
    times = [_time(home, prepare, number) for _ in range(ROUNDS)]
    report.add(f"{name}, longest of {ROUNDS}", max(times), "s", PROMISED)
    report.add("the same, median", statistics.median(times), "s")


def _rest(server: Server) -> None:
    server.call("memory_list")


def _work(server: Server) -> None:
    """Leave the server with calls that it has not answered yet."""
    for number in range(20):
        server.tell("tools/call", name="memory_store", arguments={"content": f"fact {number}"})
        server.tell("tools/call", name="memory_status", arguments={})


def _time(home: Path, prepare: Callable[[Server], None], number: int | None) -> float:
    with Server(home) as server:
        server.initialize()
        prepare(server)
        begun = time.perf_counter()
        if number is None:
            server.close()
        else:
            server.process.send_signal(number)
        server.process.wait(PATIENCE)
        return time.perf_counter() - begun
