"""The first half of `./dev run` shows the plugin at work."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.stdio_peer import HANG, ROOT


def test_memory_is_stored_recalled_and_given_with_the_prompt() -> None:
    """Two sessions in two projects; nothing is left in the home folder of whoever runs it."""
    done = subprocess.run(
        [sys.executable, "-m", "tools.prove_plugin"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=HANG,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Stored memory L1 in category 'facts'." in done.stdout
    assert done.stdout.count('"The team deploys on Tuesdays, because the on-call rota') == 3
    assert list(Path.home().iterdir()) == []
