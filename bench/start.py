"""From the start of a server to its answer to tools/list."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from bench import stores
from bench.processes import Server

if TYPE_CHECKING:
    from pathlib import Path

    from bench.report import Report

REPEATS = 15


def run(report: Report) -> None:
    """Start servers, on nothing and on a large store."""
    with stores.folder() as place:
        _measure(report, place / "home", "start to tools/list answered", limited=True)
    with stores.copy(100_000, report) as home:
        _measure(report, home, "the same at 100,000 memories", limited=False)


def _measure(report: Report, home: Path, name: str, *, limited: bool) -> None:
    times, peaks = [], []
    for number in range(REPEATS):
        report.progress(f"{name}: {number + 1} of {REPEATS}")
        with Server(home) as server:
            server.initialize()
            server.ask("tools/list")
            times.append(server.cpu())
            peaks.append(server.peak_mb())
            server.leave()
    report.add(name, statistics.median(times) / 1000, "CPU-s", 0.10 if limited else None)
    report.add(f"{name}, memory", max(peaks), "MB", 30 if limited else None)
