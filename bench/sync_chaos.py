"""Three minutes in which clients, server and database are killed: all must agree in the end."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING

from tests.support import chaos

if TYPE_CHECKING:
    from bench.report import Report

SECONDS = 180.0


def run(report: Report) -> None:
    """Kill for three minutes, and count what was broken; the seed is printed with what was."""
    seed = SystemRandom().getrandbits(32)
    folder = Path(tempfile.mkdtemp(prefix="claude-memory-chaos-"))
    found = chaos.run(folder, SECONDS, seed, report.progress)
    if found.broken:
        report.progress("")
        print(f"seed {seed}, what is left is in {folder}:", *found.broken, sep="\n")
    else:
        shutil.rmtree(folder)
    report.add("180 s of kill -9: broken promises and differences", len(found.broken), "found", 0)
    report.add("the same: changes acknowledged", found.calls, "calls")
    report.add("the same: calls cut off by a kill", found.cut_off, "calls")
    for kind in sorted(found.kills):
        report.add(f"the same: kills of a {kind}", found.kills[kind], "kills")
    report.add("the same: until five sessions on four folders agree", found.seconds_to_idle, "s")
