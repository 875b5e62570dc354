"""What `./dev test` runs, and on which interpreters.

The plugin's own suite runs on every other Python found, then the whole suite on the development
environment, so that the last line is the closing line of the run that covers most.
"""

from __future__ import annotations

import os
import subprocess
import time
from typing import TYPE_CHECKING

from tools import components, environment, interpreters
from tools.environment import ROOT, TOOLS, say

if TYPE_CHECKING:
    from pathlib import Path

    from tools.interpreters import Interpreter

PLUGIN_SUITE = ROOT / "tests" / "plugin"
PLUGIN_LOCK = ROOT / "requirements-plugin-tests.lock"


def run(arguments: list[str]) -> int:
    """Run the suite as `arguments` ask; return the exit status.

    Raises:
        SetupFailed: something the tests need cannot be installed.
    """
    heavy = "--all" in arguments
    chosen = [argument for argument in arguments if argument != "--all"]
    python = environment.development()
    if heavy:
        components.install()
    failed: list[str] = []
    if chosen:
        say("tests were chosen, so they run on one Python only; `./dev test` alone runs on all")
    else:
        failed = _run_on_the_others(python)
    status = _pytest(python, [*(["--all"] if heavy else []), *chosen])
    if failed:
        say(f"the plugin's suite failed on Python {', '.join(failed)}: see above")
    return status or int(bool(failed))


def _run_on_the_others(python: Path) -> list[str]:
    """Run the plugin's suite on each other series; return those that failed."""
    main = _series_of(python)
    there = interpreters.found()
    say(f"the whole suite runs on Python {main}, the plugin's also on each other one found:")
    results: dict[str, str] = {}
    for series in interpreters.WANTED:
        interpreter = there.get(series)
        if series == main:
            results[series] = "runs last, with the whole suite"
        elif interpreter is None:
            results[series] = f"not found (looked in {interpreters.LOOKED_IN})"
        elif not environment.has_venv(interpreter.path):
            results[series] = f"NOT RUN: {interpreter.path} has no venv. {environment.VENV_FIX}"
        else:
            results[series] = _run_on(interpreter)
    for series, result in results.items():
        say(f"  Python {series:<5} {result}")
    return [series for series, result in results.items() if result.startswith("FAILED")]


def _run_on(interpreter: Interpreter) -> str:
    name = f"Python {interpreter.version}"
    folder = TOOLS / f"python-{interpreter.series}"
    python = environment.ready(folder, PLUGIN_LOCK, interpreter.path, f"pytest for {name}")
    say(f"the plugin's suite on {name} ({interpreter.path})")
    begun = time.monotonic()
    options = ["--other-interpreter", "-q", "-p", "no:cacheprovider", str(PLUGIN_SUITE)]
    status = _pytest(python, options)
    verdict = f"FAILED (pytest's exit status {status})" if status else "passed"
    return f"{verdict} in {time.monotonic() - begun:.0f} s on {interpreter.version}"


def _pytest(python: Path, options: list[str]) -> int:
    workers = max(2, min(os.cpu_count() or 2, 8))
    command = [str(python), "-m", "pytest", "-n", str(workers), "--dist", "worksteal", *options]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def _series_of(python: Path) -> str:
    question = [str(python), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    return subprocess.run(question, capture_output=True, text=True, check=True).stdout.strip()
