"""`python3 server.py COMMAND` as a person runs it: a real process on a test's own data folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.stdio_peer import CLIENT, HANG

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SERVER = (sys.executable, str(CLIENT / "server.py"))
HEADER = '{"format": "claude-memory", "format_version": 1}'


def run(
    home: object,
    *arguments: object,
    cwd: object = None,
    environ: Mapping[str, str] | None = None,
    program: Sequence[str] = SERVER,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [*program, *map(str, arguments)],
        cwd=str(cwd or home),
        env={**os.environ, "MEMORY_HOME": str(home), **(environ or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=HANG,
        check=False,
    )


def said(done: subprocess.CompletedProcess[str]) -> str:
    """Return the output of a command that worked."""
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    return done.stdout


def complaint(done: subprocess.CompletedProcess[str]) -> str:
    """Return the one line of a command that failed, and no traceback."""
    assert (done.returncode, done.stdout) == (1, ""), done.stdout + done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr.rstrip("\n")


def everything_in(folder: object) -> dict[str, bytes]:
    """Return every file below a folder with its bytes."""
    files = (path for path in Path(str(folder)).rglob("*") if path.is_file())
    return {str(path): path.read_bytes() for path in files}
