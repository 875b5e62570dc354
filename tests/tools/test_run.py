"""`./dev run` shows plugin and server at work, keeps the data, and leaves nothing running."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.support.stdio_peer import HANG, ROOT

if TYPE_CHECKING:
    from pathlib import Path

LINES = (
    f'claude plugin install memory --marketplace "{ROOT}"',
    "claude plugin install memory --marketplace <owner>/<repo>",
    "export MEMORY_API_URL=http://127.0.0.1:",
    "export MEMORY_API_KEY=",
    "/docs",
)
SHARING = (  # in this order
    "The laptop is told:",
    "    Stored memory ",
    "The desktop recalls",
    '"The invoices of this demonstration are printed',
    "The laptop is offline",
    "    Queued: it is safe on this machine",
    "It is online again.",
    '"The archive of this demonstration is in the cellar',
)


def run(data: Path) -> str:
    """Run it once, on a data folder, and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "tools.run", "--once", "--port", "0"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "MEMORY_DATA": str(data)},
        capture_output=True,
        text=True,
        timeout=2 * HANG,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_server_is_proved_and_its_data_is_there_the_next_time(tmp_path: Path) -> None:
    """A first run stores the fact, a second finds it; in both, two machines share memories."""
    first, second = run(tmp_path / "data"), run(tmp_path / "data")
    for line in LINES:
        assert line in first
    for said in (first, second):
        rest = said
        for part in SHARING:
            assert part in rest, said
            rest = rest.partition(part)[2]
        assert "Already stored" not in said  # what another run told was purged
    assert "stored as #1\n" in first
    assert "stored as #1 by an earlier run" in second
    key = first.split("MEMORY_API_KEY=")[1].split()[0]
    assert f"MEMORY_API_KEY={key}" in second
    assert not list((tmp_path / "data").rglob("postmaster.pid"))
