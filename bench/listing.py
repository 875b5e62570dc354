"""memory_list through a server at 100,000 memories."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench import stores
from bench.processes import Server

if TYPE_CHECKING:
    from bench.report import Report

CALLS = 200


def run(report: Report) -> None:
    """List the newest twenty."""
    with stores.copy(100_000, report) as home, Server(home) as server:
        server.initialize()
        for _ in range(10):
            server.call("memory_list", limit=20)
        report.progress(f"{CALLS} calls")
        found = server.costs(lambda: server.call("memory_list", limit=20), CALLS)
        one = server.costs(
            lambda: server.call("memory_list", limit=20, category="decisions"), CALLS
        )
        server.leave()
    report.add("list of 20 at 100,000", found.median, "CPU-ms", 2)
    report.add("the same, 95th percentile", found.p95, "CPU-ms")
    report.add("list of 20 of one category", one.median, "CPU-ms", 2)
