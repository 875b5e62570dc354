"""The server's programs in processes of their own, `python -m backend serve` above all."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from typing import Self

ROOT = Path(__file__).parents[2]
PATIENCE = 90  # seconds


class Program:
    """A program of the server in a process of its own; all that it says is kept."""

    def __init__(
        self, environ: dict[str, str], *arguments: str, python: str = sys.executable
    ) -> None:
        """Start it; what it writes is read all the time, so that it never waits for a reader."""
        usual = {
            name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ
        }
        self.process = subprocess.Popen(
            [python, *arguments],
            cwd=ROOT,
            env={**usual, "MEMORY_METRICS_PORT": "0", **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.said = ""  # to the person who started it
        self.logged = ""
        self._heard = threading.Condition()
        self._is_over = False
        self._readers = [
            threading.Thread(target=self._listen),
            threading.Thread(target=self._collect_logs),
        ]
        for reader in self._readers:
            reader.start()

    def __enter__(self) -> Self:
        """Give the program."""
        return self

    def __exit__(self, *_: object) -> None:
        """See to it that it is gone, with its workers: each of them holds what is read here."""
        if any(reader.is_alive() for reader in self._readers):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self._end()

    def line(self, begins: str) -> str:
        """Wait until it says a line that begins so, and return that."""

        def heard() -> str:
            lines = self.said.splitlines()
            return next((line for line in lines if line.startswith(begins)), "")

        with self._heard:
            self._heard.wait_for(lambda: heard() or self._is_over, PATIENCE)
            assert heard(), self.said + self.logged
            return heard()

    def stop(self, with_signal: int = signal.SIGINT) -> int:
        """Tell it to stop and return its exit status."""
        self.process.send_signal(with_signal)
        return self.wait()

    def wait(self) -> int:
        """Wait for its end by itself; return its exit status."""
        status = self.process.wait(PATIENCE)
        self._end()
        return status

    def _listen(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._heard:
                self.said += line
                self._heard.notify_all()
        with self._heard:
            self._is_over = True
            self._heard.notify_all()

    def _collect_logs(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.logged += line

    def _end(self) -> None:
        self.process.wait(PATIENCE)
        for reader in self._readers:
            reader.join()
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()


class Serving(Program):
    """`python -m backend serve`, as a person starts it."""

    def __init__(
        self, environ: dict[str, str], *arguments: str, python: str = sys.executable
    ) -> None:
        """Start it on a port that is free."""
        is_by_workers = environ.get("MEMORY_WORKERS", "1") != "1"
        self._last_words = "  export MEMORY_API_KEY" if is_by_workers else "Ready: "
        command = ["-m", "backend", "serve", "--port", "0", *arguments]
        super().__init__(environ, *command, python=python)

    def settings(self) -> dict[str, str]:
        """Wait until it serves; return the settings of a client that it printed."""
        self.line(self._last_words)
        found = dict(re.findall(r"export (MEMORY_API_\w+)=(\S+)", self.said))
        assert found, self.said + self.logged
        return found

    def address(self) -> str:
        """Wait until it serves; return where."""
        self.line(self._last_words)
        found = re.search(r"Starting on (http://[\w.]+:\d+)", self.said)
        assert found, self.said + self.logged
        return found[1]

    def wait_until_ready(self) -> httpx.Client:
        """Wait until it serves; return a client with the key that it printed."""
        found = self.settings()
        headers = {"Authorization": f"Bearer {found['MEMORY_API_KEY']}"}
        transport = httpx.HTTPTransport(retries=5)
        return httpx.Client(
            base_url=found["MEMORY_API_URL"], headers=headers, timeout=60, transport=transport
        )
