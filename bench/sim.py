"""The simulation of syncing: seeded runs of the shipped client and server, as many as asked for."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from bench import stores
from tests.sim.runs import spread

if TYPE_CHECKING:
    from bench.report import Report
    from tests.sim.runs import Found

BAR = 30  # characters


def run(report: Report) -> None:
    """Make the runs, show how far they are, and print whatever broke an invariant."""
    begun, made, broken = time.monotonic(), 0, 0

    def tell(found: Found) -> None:
        nonlocal made, broken
        made += found.made
        broken += len(found.broken)
        for _, text in found.broken:
            report.progress("")
            print(text, flush=True)
        report.progress(_bar(made, report.runs, broken, time.monotonic() - begun))

    seeds = range(report.seed, report.seed + report.runs)
    with stores.folder() as place:
        spread(place, seeds, report.steps, report.jobs or os.cpu_count() or 1, tell)
    report.add(f"runs of {report.steps} steps with an invariant broken", broken, "runs", 0)
    report.add("the same: runs made", made, "runs")


def _bar(made: int, runs: int, broken: int, seconds: float) -> str:
    done = "#" * (BAR * made // runs)
    left = seconds / made * (runs - made) / 60
    return f"[{done:{BAR}}] {made:,} of {runs:,} runs, {broken} broken, {left:.0f} minutes left"
