"""Twenty sessions that store into one file at the same time."""

from __future__ import annotations

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Barrier
from typing import TYPE_CHECKING, NamedTuple

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
ROUNDS = 3


class Round(NamedTuple):
    """What came of one round: memories that are missing or there twice, and milliseconds."""

    lost: int
    doubled: int
    waits: list[float]


def run(report: Report) -> None:
    """Let them store, a few times, and count what arrived."""
    rounds = []
    for number in range(ROUNDS):
        report.progress(f"{SESSIONS} sessions, {STORES} stores each: {number + 1} of {ROUNDS}")
        with stores.folder() as place:
            rounds.append(_round(place / "home"))
    name = f"{SESSIONS} sessions, {STORES} stores each"
    report.add(f"{name}: lost", sum(one.lost for one in rounds), "memories", 0)
    report.add("the same, stored twice", sum(one.doubled for one in rounds), "memories", 0)
    late = statistics.median(share(one.waits, 0.99) for one in rounds)
    report.add(f"the same, 99th percentile of waiting, middle of {ROUNDS}", late, "ms", 250)
    usual = statistics.median(share(one.waits, 0.5) for one in rounds)
    report.add("the same, median", usual, "ms")


def _round(home: Path) -> Round:
    together = Barrier(SESSIONS)
    with ExitStack() as stack:
        servers = [
            stack.enter_context(Server(home, f"session-{number}")) for number in range(SESSIONS)
        ]
        for server in servers:
            server.initialize()
            server.call("memory_list")
        with ThreadPoolExecutor(SESSIONS) as pool:
            jobs = [
                pool.submit(_store, server, number, together)
                for number, server in enumerate(servers)
            ]
            waits = [wait for job in jobs for wait in job.result()]
        for server in servers:
            server.leave()
    kept, doubled = _count(home)
    return Round(SESSIONS * STORES - kept, doubled, waits)


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
