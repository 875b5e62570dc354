"""Work on a whole store: purging, the daily upkeep, export and import."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from claude_memory import paths
from claude_memory.store import state
from claude_memory.store.connection import open_store, write

from bench import stores
from bench.processes import Costs, Server, command_cpu, program

if TYPE_CHECKING:
    from pathlib import Path

    from bench.report import Report

PURGES = 5
LABEL = re.compile(r"^(?:L|#)\d+", re.MULTILINE)


def run(report: Report) -> None:
    """Measure each of them once or a few times."""
    with stores.copy(100_000, report) as home:
        _purge(report, home)
        _upkeep(report, home)
    _move(report)


def _purge(report: Report, home: Path) -> None:
    report.progress("purging")
    with Server(home) as server:
        server.initialize()
        labels = iter(LABEL.findall(server.call("memory_list", limit=PURGES + 1)))
        found = server.costs(
            lambda: server.call("memory_delete", id=next(labels), purge=True), PURGES + 1
        )
        server.leave()
    report.add("purge of one memory at 100,000, mean", found.mean, "CPU-ms")


def _upkeep(report: Report, home: Path) -> None:
    """Let the server's background do the work of a day."""
    report.progress("daily upkeep")
    connection = open_store(paths.database(str(home)))
    with write(connection):
        state.put(connection, stores.UPKEEP, "")
    with Server(home) as server:
        server.initialize()
        before = server.cpu()
        while not state.get(connection, stores.UPKEEP):
            time.sleep(0.05)
        used = before
        while server.cpu() > used + 1:
            used = server.cpu()
            time.sleep(1)
        server.leave()
    connection.close()
    report.add("daily upkeep at 100,000, in the background", (used - before) / 1000, "CPU-s")


def _move(report: Report) -> None:
    """Export ten thousand memories and bring them into an empty store."""
    with stores.copy(10_000, report) as home, stores.folder() as place:
        file = str(place / "memories.jsonl")
        report.progress("export")
        gone = Costs.of([command_cpu(program("export", file), home) for _ in range(3)])
        report.add("export of 10,000", gone.median / 1000, "CPU-s")
        report.progress("import")
        brought = command_cpu(program("import", file), place / "home")
        report.add("import of 10,000 lines", brought / 1000, "CPU-s")
        known = command_cpu(program("import", file), place / "home")
        report.add("import of the same again", known / 1000, "CPU-s")
