"""Twenty sessions that store into one file at the same time."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Barrier
from typing import TYPE_CHECKING

from claude_memory import paths
from claude_memory.store.connection import open_reader

from bench import stores
from bench.corpus import SEED, Corpus
from bench.processes import Server, share

if TYPE_CHECKING:
    from pathlib import Path

    from bench.report import Report

SESSIONS = 20
STORES = 100


def run(report: Report) -> None:
    """Let them store, and count what arrived."""
    report.progress(f"{SESSIONS} sessions, {STORES} stores each")
    with stores.folder() as place:
        home = place / "home"
        with ExitStack() as stack:
            servers = [
                stack.enter_context(Server(home, f"session-{number}")) for number in range(SESSIONS)
            ]
            for server in servers:
                server.initialize()
                server.call("memory_list")
            together = Barrier(SESSIONS)
            with ThreadPoolExecutor(SESSIONS) as pool:
                jobs = [
                    pool.submit(_store, server, number, together)
                    for number, server in enumerate(servers)
                ]
                waits = [wait for job in jobs for wait in job.result()]
            for server in servers:
                server.leave()
        kept, doubled = _count(home)
    report.add("20 sessions, 100 stores each: lost", SESSIONS * STORES - kept, "memories", 0)
    report.add("the same, stored twice", doubled, "memories", 0)
    report.add("the same, a store answered, 99th percentile", share(waits, 0.99), "ms", 250)
    report.add("the same, median", share(waits, 0.5), "ms")


def _store(server: Server, number: int, together: Barrier) -> list[float]:
    texts = Corpus(SEED + 100 + number, words=5_000)
    waits = []
    together.wait()
    for _ in range(STORES):
        content = f"{texts.text(20)} (session {number})"
        begun = time.perf_counter()
        server.call("memory_store", content=content)
        waits.append((time.perf_counter() - begun) * 1000)
    return waits


def _count(home: Path) -> tuple[int, int]:
    connection = open_reader(paths.database(str(home)))
    query = "SELECT count(*), count(*) - count(DISTINCT content) FROM memories WHERE live = 1"
    kept, doubled = connection.execute(query).fetchone()
    connection.close()
    return kept, doubled
