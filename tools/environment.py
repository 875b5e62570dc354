"""Virtual environments made from a lock file: every file hash-checked, re-made only on a change.

Standard library only, because this is what runs before anything is installed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
TOOLS = ROOT / ".tools"
BIN = "Scripts" if os.name == "nt" else "bin"


class SetupFailed(Exception):
    """The set-up cannot go on; the message says what to do."""


def python_of(folder: Path) -> Path:
    """Return the interpreter inside the environment at `folder`."""
    return folder / BIN / ("python.exe" if os.name == "nt" else "python")


def say(text: str) -> None:
    """Tell the person at the terminal what is going on."""
    print(f"dev: {text}", file=sys.stderr, flush=True)


def ready(folder: Path, lock: Path, base: str, what: str) -> Path:
    """Make the environment at `folder` hold exactly what `lock` lists; return its interpreter.

    Raises:
        SetupFailed: nothing could be installed; the message says what to do.
    """
    mark = _mark(folder, lock, base)
    stamp = folder / "made-from"
    with _alone(folder):
        if not (stamp.is_file() and stamp.read_text() == mark and python_of(folder).exists()):
            begun = time.monotonic()
            say(f"setting up {what} in {folder.relative_to(ROOT)} (once; can take a minute)")
            shutil.rmtree(folder, ignore_errors=True)
            _create(folder, base)
            _install(folder, lock)
            stamp.write_text(mark)
            say(f"{what} is ready after {time.monotonic() - begun:.0f} s")
    return python_of(folder)


def _mark(folder: Path, lock: Path, base: str) -> str:
    """Name all that an environment depends on: lock, interpreter, and its own place."""
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    return f"{digest}\n{Path(base).resolve()}\n{folder}\n"


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one process at a time set up `folder`."""
    TOOLS.mkdir(exist_ok=True)
    with (TOOLS / f"{folder.name}.lock").open("w") as guard:
        if os.name != "nt":
            import fcntl  # noqa: PLC0415  (POSIX only)

            fcntl.flock(guard, fcntl.LOCK_EX)
        yield


def _create(folder: Path, base: str) -> None:
    uv = shutil.which("uv")
    if uv:
        _run([uv, "venv", "--quiet", "--no-project", "--python", base, str(folder)], "uv venv")
        return
    probe = subprocess.run([base, "-c", "import ensurepip, venv"], capture_output=True, check=False)
    if probe.returncode:
        raise SetupFailed(
            f"{base} has no venv module. On Debian and Ubuntu: sudo apt install python3-venv. "
            "Or put uv on the PATH, which needs neither venv nor pip."
        )
    _run([base, "-m", "venv", str(folder)], "python3 -m venv")


def _install(folder: Path, lock: Path) -> None:
    uv, python = shutil.which("uv"), str(python_of(folder))
    if uv:
        command = [uv, "pip", "sync", "--quiet", "--no-config", "--python", python]
    else:
        command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        command += ["--no-input", "--no-deps", "--only-binary=:all:"]
    _run(
        [*command, "--require-hashes", *(["-r"] if not uv else []), str(lock)],
        f"installing {lock.name}",
    )


def _run(command: list[str], doing: str) -> None:
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(command, stdout=output, stderr=output, cwd=ROOT, check=False)
        if done.returncode:
            output.seek(0)
            said = output.read().decode(errors="replace")[-4_000:]
            raise SetupFailed(
                f"{doing} failed:\n{said}\nIs a package index reachable? Then run this again."
            )
