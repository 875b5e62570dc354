"""A real OpenBao of its own for a test."""

from __future__ import annotations

import subprocess
import threading
from typing import TYPE_CHECKING

import pytest

from tests.support import components
from tools.ports import free_port

if TYPE_CHECKING:
    from pathlib import Path

ROOT_TOKEN = "root-of-" + "this-test"


class OpenBao:
    """A development server on a free port of `host`; with TLS its authority is in the folder."""

    def __init__(self, folder: Path, scheme: str = "http", host: str = "127.0.0.1") -> None:
        """Start it and wait until it serves."""
        port = free_port(host)
        self.address = f"{scheme}://{host}:{port}"
        tls = ["-dev-tls", f"-dev-tls-cert-dir={folder}"] if scheme == "https" else []
        self._process = subprocess.Popen(
            [
                str(components.openbao()),
                "server",
                "-dev",
                *tls,
                f"-dev-root-token-id={ROOT_TOKEN}",
                "-dev-no-store-token",
                f"-dev-listen-address={host}:{port}",
            ],
            env={"HOME": str(folder), "PATH": "/usr/bin:/bin"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._wait()

    def stop(self) -> None:
        """End the server and wait for its last word."""
        self._process.terminate()
        self._process.wait()
        self._reader.join()
        assert self._process.stdout
        self._process.stdout.close()

    def _wait(self) -> None:
        assert self._process.stdout
        said = []
        for line in self._process.stdout:
            said.append(line)
            if line.startswith("Root Token:"):
                break
        else:
            pytest.fail("OpenBao did not start:\n" + "".join(said), pytrace=False)
        self._reader = threading.Thread(target=self._process.stdout.read)
        self._reader.start()
