"""How soon a server is gone after a signal, or after its input closed."""

from __future__ import annotations

import signal
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
            report.progress(name)
            idle = [_time(home, _rest, number) for _ in range(ROUNDS)]
            report.add(f"{name} to exit, idle, longest of {ROUNDS}", max(idle), "s", PROMISED)
            busy = [_time(home, _work, number) for _ in range(ROUNDS)]
            report.add(f"{name} to exit, at work, longest of {ROUNDS}", max(busy), "s", PROMISED)
        report.progress("input closed")
        closed = [_time(home, _rest, None) for _ in range(ROUNDS)]
        report.add(f"input closed to exit, longest of {ROUNDS}", max(closed), "s", PROMISED)


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
