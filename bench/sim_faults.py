"""Planted faults: how many runs of the simulation it takes to notice each."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from bench import document, stores
from tests.sim.faults import FAULTS
from tests.sim.runs import hunt_all

if TYPE_CHECKING:
    from bench.report import Report
    from tests.sim.runs import Caught

PAGE = document.DOCS / "reliability.md"
MOST_RUNS = 60
HEAD = ("planted fault", "noticed by", "runs needed")
_caught: dict[str, Caught] = {}


def run(report: Report) -> None:
    """Plant each fault in turn and hunt it."""
    seeds = range(report.seed, report.seed + MOST_RUNS)
    jobs = report.jobs or os.cpu_count() or 1
    with stores.folder() as place:
        for fault, caught in hunt_all(place, list(FAULTS), seeds, report.steps, jobs):
            _caught[fault] = caught
            report.progress(f"{len(_caught)} of {len(FAULTS)} faults hunted")
            if not caught.invariant:
                report.progress("")
                print(f"not noticed: {fault}", flush=True)
    missed = [fault for fault, caught in _caught.items() if not caught.invariant]
    report.add("planted faults", len(FAULTS), "faults", 20, at_least=True)
    report.add(f"not noticed in {MOST_RUNS} runs", len(missed), "faults", 0)
    report.add("most runs that one took", max(one.runs for one in _caught.values()), "runs")


def publish() -> None:
    """Put the table into docs/reliability.md."""
    rows = [(fault, _caught[fault].invariant, str(_caught[fault].runs)) for fault in FAULTS]
    lines = [HEAD, ("---",) * len(HEAD), *rows]
    document.put(PAGE, "\n".join(f"| {' | '.join(line)} |" for line in lines))
