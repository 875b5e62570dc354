"""What `./dev` does with its arguments."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from tools import environment, lint, locks, suite
from tools.environment import ROOT, WINDOWS, SetupFailed, say

if TYPE_CHECKING:
    from collections.abc import Callable

INTERRUPTED = 130
USAGE = """\
usage: ./dev COMMAND

  run            show plugin and server at work, and keep the server up until Ctrl-C
  test [ARG...]  the whole default suite; each ARG goes to pytest and limits it to one Python
  test --all     also what needs large downloads (real Claude Code, OpenBao), which it installs
  bench [NAME]   the benchmarks: prints a table, writes JSON
  lint           style, types, import rules, sizes, documents
  lock           re-make the lock files from pyproject.toml (needs uv; --upgrade moves versions)

The first command sets up .venv from requirements.lock, every file checked against its hash."""


def main(arguments: list[str]) -> int:
    """Do what the first argument names; return the exit status."""
    name, rest = (arguments or [""])[0], arguments[1:]
    commands: dict[str, Callable[[], int]] = {
        "run": lambda: _module("tools.run", rest),
        "test": lambda: suite.run(rest),
        "bench": lambda: _module("bench", rest),
        "lint": lint.run,
        "lock": lambda: locks.run(rest),
    }
    if name not in commands:
        wanted_help = name in {"--help", "-h", "help"}
        print(USAGE, file=sys.stdout if wanted_help else sys.stderr)
        return 0 if wanted_help else 2
    try:
        return commands[name]()
    except SetupFailed as failure:
        say(str(failure))
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED


def _module(name: str, arguments: list[str]) -> int:
    command = [str(environment.development()), "-m", name, *arguments]
    if not WINDOWS:  # become the program, so that Ctrl-C and signals reach it and nothing else
        os.chdir(ROOT)
        os.execv(command[0], command)  # noqa: S606  (no shell is wanted)
    return subprocess.run(command, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
