"""`python -m backend serve` in a process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]
PATIENCE = 90  # seconds


class Serving:
    """A server in a process of its own."""

    def __init__(self, environ: dict[str, str], *arguments: str) -> None:
        """Start it; what it says goes to a file, so that it never waits for a reader."""
        usual = {
            name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "backend", "serve", "--port", "0", *arguments],
            cwd=ROOT,
            env={**usual, "MEMORY_METRICS_PORT": "0", **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.said = ""

    def settings(self) -> dict[str, str]:
        """Read what it says until it serves; return the settings of a client that it printed."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said += line
            if line.startswith("Ready: "):
                break
        found = dict(re.findall(r"export (MEMORY_API_\w+)=(\S+)", self.said))
        assert found, self.said
        return found

    def wait_until_ready(self) -> httpx.Client:
        """Wait until it serves; return a client with the key that it printed."""
        found = self.settings()
        headers = {"Authorization": f"Bearer {found['MEMORY_API_KEY']}"}
        return httpx.Client(base_url=found["MEMORY_API_URL"], headers=headers, timeout=30)

    def stop(self, with_signal: int = signal.SIGINT) -> int:
        """Tell it to stop and return its exit status."""
        self.process.send_signal(with_signal)
        _, rest = self.process.communicate(timeout=PATIENCE)
        self.said += rest
        return self.process.returncode
