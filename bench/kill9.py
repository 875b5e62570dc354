"""Servers killed in the middle of their work, 10,000 times: what was answered must be there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench import stores
from tests.support.kill_rounds import rounds

if TYPE_CHECKING:
    from bench.report import Report

STORES, KILLS, AT_ONCE = 20, 500, 4


def run(report: Report) -> None:
    """Kill on one growing store after the other, and count the stores that broke a promise."""
    answered = cut_off = done = lost = 0
    for seed in range(STORES):
        report.progress(
            f"{seed * KILLS:,} of {STORES * KILLS:,} kills, {answered:,} calls answered"
        )
        with stores.folder() as place:
            try:
                tally = rounds(place / "home", KILLS, seed=1_000 + seed, victims=AT_ONCE)
            except AssertionError as found:
                report.progress("")
                print(f"store {seed}: {found}")
                lost += 1
                continue
        answered += tally.answered
        cut_off += tally.cut_off
        done += tally.half_done
    report.add(f"{STORES * KILLS:,} kills: stores with a lost or torn write", lost, "stores", 0)
    report.add("the same: calls answered before a kill", answered, "calls")
    report.add("the same: calls cut off, done wholly or not at all", cut_off, "calls")
    report.add("the same: cut off between commit and answer", done, "calls")
