"""A stand-in for the user's `claude` program: an executable that records how it was started."""

from __future__ import annotations

import json
import os
import select
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

PATIENCE = 60.0  # seconds; only a broken program takes as long

# The second line is a command to the shell and a text to Python: a first line that named the Python
# itself would break at a blank in its path.
PROGRAM = """#!/bin/sh
'''exec' "{python}" -SE "$0" "$@"
' '''
import json, os, signal, subprocess, sys
here = os.path.dirname(os.path.abspath(__file__))
call = {{"argv": sys.argv[1:], "stdin": sys.stdin.read(), "env": dict(os.environ),
        "cwd": os.getcwd(), "found": os.listdir("."), "pid": os.getpid()}}
with open(os.path.join(here, "calls.jsonl"), "a") as calls:
    calls.write(json.dumps(call) + "\\n")
behaviour = json.load(open(os.path.join(here, "behaviour.json")))
if behaviour["hangs"]:
    waits = "import signal; signal.alarm(300); signal.pause()"
    helper = subprocess.Popen([sys.executable, "-SEc", waits])
    with open(os.path.join(here, "started"), "w") as started:
        started.write("%d %d" % (os.getpid(), helper.pid))
    signal.pause()
sys.stdout.write(behaviour["prints"])
sys.exit(behaviour["code"])
"""


class StandIn:
    """The program in a folder of its own, and what it has been asked."""

    def __init__(self, folder: Path) -> None:
        """Write the program; it finds no events until told otherwise."""
        folder.mkdir()
        self.folder = folder
        self.path = str(folder / "claude")
        (folder / "claude").write_text(PROGRAM.format(python=sys.executable))
        (folder / "claude").chmod(0o755)
        self.finds()

    def finds(self, *events: Mapping[str, Any]) -> None:
        """Answer from now on with these events."""
        self.says(json.dumps({"events": list(events)}))

    def says(self, result: str, **more: Any) -> None:
        """Answer with this text as the model's."""
        usage = {"input_tokens": 481, "cache_read_input_tokens": 19, "output_tokens": 20}
        held = {"type": "result", "is_error": False, "result": result, "usage": usage, **more}
        self.prints(json.dumps(held))

    def prints(self, text: str, code: int = 0) -> None:
        """Print exactly this and end with this code."""
        self._behave(prints=text, code=code)

    def hangs(self) -> None:
        """Never answer, and start a helper that never ends either."""
        os.mkfifo(self.folder / "started")
        self._behave(hangs=True)

    def wait_until_started(self) -> list[int]:
        """Wait for a hanging program to run; return its process id and its helper's."""
        pipe = os.open(self.folder / "started", os.O_RDONLY | os.O_NONBLOCK)
        try:
            ready, _, _ = select.select([pipe], [], [], PATIENCE)
            assert ready, "the stand-in was not started"
            return [int(pid) for pid in os.read(pipe, 100).split()]
        finally:
            os.close(pipe)

    @property
    def calls(self) -> Sequence[dict[str, Any]]:
        """How it was started each time."""
        try:
            lines = (self.folder / "calls.jsonl").read_text().splitlines()
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in lines]

    def _behave(self, *, prints: str = "", code: int = 0, hangs: bool = False) -> None:
        held = {"prints": prints, "code": code, "hangs": hangs}
        (self.folder / "behaviour.json").write_text(json.dumps(held))


def ends(pid: int) -> bool:
    """Wait until a process has ended; False when it goes on."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        ready, _, _ = select.select([handle], [], [], PATIENCE)
        return bool(ready)
    finally:
        os.close(handle)
