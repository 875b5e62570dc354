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
WINDOWS = os.name == "nt"
BIN = "Scripts" if WINDOWS else "bin"
VENV_FIX = (
    "On Debian and Ubuntu: sudo apt install python3-venv. "
    "Or put uv on the PATH, which needs neither venv nor pip."
)


class SetupFailed(Exception):
    """The set-up cannot go on; the message says what to do."""


def say(text: str) -> None:
    """Tell the person at the terminal what is going on."""
    print(f"dev: {text}", file=sys.stderr, flush=True)


def python_of(folder: Path) -> Path:
    """Return the interpreter inside the environment at `folder`."""
    return folder / BIN / ("python.exe" if WINDOWS else "python")


def development() -> Path:
    """Make .venv hold what requirements.lock lists; return its interpreter."""
    return ready(VENV, ROOT / "requirements.lock", sys.executable, "the development environment")


def ready(folder: Path, lock: Path, base: str, what: str) -> Path:
    """Make the environment at `folder` hold exactly what `lock` lists; return its interpreter.

    Raises:
        SetupFailed: nothing could be installed; the message says what to do.
    """
    base = str(Path(base).resolve())  # never a link inside the environment that is re-made
    with alone(folder):
        if not _is_current(folder, lock, base):
            begun = time.monotonic()
            say(f"setting up {what} in {folder.name}: once, can take a minute ...")
            shutil.rmtree(folder, ignore_errors=True)
            _create(folder, base)
            _install(folder, lock)
            _stamp(folder).write_text(_origin(folder, lock, base))
            say(f"{what} is ready after {time.monotonic() - begun:.0f} s")
    return python_of(folder)


def has_venv(python: str) -> bool:
    """Tell whether an environment can be made from `python`."""
    if shutil.which("uv"):
        return True
    probe = [python, "-c", "import ensurepip, venv"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Let one process at a time set up `folder`; a lock file beside it stays."""
    folder.parent.mkdir(exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as guard:
        if sys.platform != "win32":
            import fcntl  # noqa: PLC0415  (does not exist on Windows)

            fcntl.flock(guard, fcntl.LOCK_EX)
        yield


def run_quietly(command: list[str], doing: str, cwd: Path = ROOT) -> None:
    """Run `command`, showing what it said only when it fails.

    Raises:
        SetupFailed: it failed.
    """
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(command, stdout=output, stderr=output, cwd=cwd, check=False)
        if done.returncode:
            output.seek(0)
            said = output.read().decode(errors="replace")[-4_000:]
            raise SetupFailed(f"{doing} failed:\n{said}\nIs the package index reachable?")


def _is_current(folder: Path, lock: Path, base: str) -> bool:
    stamp = _stamp(folder)
    if not (stamp.is_file() and python_of(folder).exists()):
        return False
    return stamp.read_text() == _origin(folder, lock, base)


def _stamp(folder: Path) -> Path:
    return folder / "made-from"


def _origin(folder: Path, lock: Path, base: str) -> str:
    """Name all that an environment depends on: its lock, its interpreter and its own place."""
    return f"{hashlib.sha256(lock.read_bytes()).hexdigest()}\n{base}\n{folder}\n"


def _create(folder: Path, base: str) -> None:
    uv = shutil.which("uv")
    if uv:
        run_quietly([uv, "venv", "--no-project", "--python", base, str(folder)], "uv venv")
    elif has_venv(base):
        run_quietly([base, "-m", "venv", str(folder)], "python3 -m venv")
    else:
        raise SetupFailed(f"{base} has no venv module. {VENV_FIX}")


def _install(folder: Path, lock: Path) -> None:
    """Install wheels only: nothing that was downloaded is run while it is installed."""
    uv, python = shutil.which("uv"), str(python_of(folder))
    if uv:
        command = [uv, "pip", "sync", "--python", python, "--only-binary", ":all:"]
    else:
        command = [python, "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
        command += ["--no-deps", "--only-binary", ":all:", "-r"]
    run_quietly([*command, str(lock), "--require-hashes"], f"installing {lock.name}")
