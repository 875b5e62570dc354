"""`./dev run` shows plugin and server at work, keeps the data, and leaves nothing running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

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


PROXY = "http://127.0.0.1:9"  # nobody listens there
COMMAND = [sys.executable, "-m", "tools.run", "--port", "0"]


def environ(data: Path) -> dict[str, str]:
    """Return the environment of a run on a data folder, behind a proxy for all that is far."""
    proxies = {"HTTP_PROXY": PROXY, "HTTPS_PROXY": PROXY, "ALL_PROXY": PROXY}
    return {**os.environ, **proxies, "PYTHONPATH": str(ROOT), "MEMORY_DATA": str(data)}


def run(data: Path) -> str:
    """Run it once, on a data folder, and return what it printed."""
    done = subprocess.run(
        [*COMMAND, "--once"],
        cwd=ROOT,
        env=environ(data),
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


@pytest.mark.parametrize(
    ("line", "sent", "code"),
    [
        ("The laptop is told:", signal.SIGHUP, 128 + signal.SIGHUP),
        ("Ctrl-C stops the server", signal.SIGTERM, 128 + signal.SIGTERM),
        ("The laptop is told:", signal.SIGINT, 128 + signal.SIGINT),
        ("Ctrl-C stops the server", signal.SIGINT, 0),
    ],
)
def test_run_that_a_signal_ends_leaves_nothing_running(
    tmp_path: Path, line: str, sent: signal.Signals, code: int
) -> None:
    """Neither the server nor its PostgreSQL, in the middle of the proof or after it; no trace."""
    data = tmp_path / "data"
    errors = tmp_path / "errors"
    with (
        errors.open("w") as stderr,
        subprocess.Popen(
            COMMAND, cwd=ROOT, env=environ(data), stdout=subprocess.PIPE, stderr=stderr, text=True
        ) as process,
    ):
        watchdog = threading.Timer(2 * HANG, process.kill)
        watchdog.start()
        assert process.stdout is not None
        assert any(line in said for said in process.stdout)
        running = [int(file.read_text().split()[0]) for file in data.rglob("postmaster.pid")]
        process.send_signal(sent)
        process.stdout.read()
        assert process.wait() == code
        watchdog.cancel()
    assert "Traceback" not in errors.read_text()
    assert running
    assert not list(data.rglob("postmaster.pid"))
