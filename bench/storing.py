"""memory_store through a server at 100,000 memories; each call is on the disk when it returns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench import stores
from bench.corpus import SEED, Corpus
from bench.processes import Server

if TYPE_CHECKING:
    from bench.report import Report

SIZE = 100_000
CALLS = 600
WARMING = 20


def run(report: Report) -> None:
    """Store facts, and compare with a call that does nothing."""
    with stores.copy(SIZE, report) as home, Server(home) as server:
        server.initialize()
        facts = Corpus(SEED + 1).facts(CALLS + WARMING)

        def store() -> None:
            fact = next(facts)
            server.call(
                "memory_store",
                content=fact.content,
                category=fact.category,
                tags=fact.tags,
                expanded_keywords=fact.expanded_keywords,
                importance=fact.importance,
            )

        for _ in range(WARMING):
            store()
            server.ask("ping")
        report.progress(f"{CALLS} calls")
        empty = server.costs(lambda: server.ask("ping"), CALLS)
        found = server.costs(store, CALLS)
        server.leave()
    report.add("store, durable, at 100,000", found.median, "CPU-ms", 1.5)
    report.add("the same, 95th percentile", found.p95, "CPU-ms")
    report.add("the same, mean", found.mean, "CPU-ms")
    report.add("an empty call (ping)", empty.median, "CPU-ms")
    report.add("store in empty calls", found.median / empty.median, "times")
