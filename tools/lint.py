"""What `./dev lint` runs: style, types, import rules, sizes, documents; all of it, always."""

from __future__ import annotations

import os
import subprocess
import time
from typing import TYPE_CHECKING

from tools import environment
from tools.environment import BIN, ROOT, VENV, say

if TYPE_CHECKING:
    from pathlib import Path

OLDEST_CHECKED = (
    "3.10"  # the plugin promises 3.9; mypy no longer checks for it, the suite runs on it
)


def run() -> int:
    """Run every check, show what each found, and return 1 if any failed.

    Raises:
        SetupFailed: the checkers cannot be installed.
    """
    python = environment.development()
    failed = [name for name, command in _checks(python) if not _passes(name, command)]
    say(f"lint found something in: {', '.join(failed)}" if failed else "lint is clean")
    return int(bool(failed))


def _checks(python: Path) -> list[tuple[str, list[str]]]:
    module = [str(python), "-m"]
    modern = [
        name
        for name in ("backend", "migrations", "tests", "tools", "bench")
        if (ROOT / name).is_dir()
    ]
    old = ["plugin/mcp", "tests/plugin", "tests/conftest.py"]
    return [
        ("style", [*module, "ruff", "check", "--output-format", "concise", "."]),
        ("format", [*module, "ruff", "format", "--check", "."]),
        ("types (plugin)", [*module, "mypy", "--python-version", OLDEST_CHECKED, *old]),
        ("types", [*module, "mypy", *modern]),
        ("imports", [str(VENV / BIN / "lint-imports")]),
        ("sizes", [*module, "tools.sizes"]),
        ("documents", [*module, "tools.documents"]),
    ]


def _passes(name: str, command: list[str]) -> bool:
    begun = time.monotonic()
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "plugin" / "mcp")])}
    done = subprocess.run(command, cwd=ROOT, env=paths, capture_output=True, text=True, check=False)
    verdict = "found something" if done.returncode else "ok"
    say(f"{name:<15} {verdict} ({time.monotonic() - begun:.0f} s)")
    if done.returncode:
        print(done.stdout + done.stderr, flush=True)
    return done.returncode == 0
