"""Runs a hook under another user's id: as root, a write that must fail would succeed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.support.hook_calls import HOOKS, Done

# Everything is loaded first: the other user may not be allowed to read where Python lives.
PROGRAM = """
import os, sys
doorway, packages = sys.argv[1:]
sys.path.insert(0, packages)
from claude_memory.hooks import approve, compaction, greeting, recall_prompt, runtime, session_end
from claude_memory.hooks import stop
from claude_memory.redaction import detector
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
runtime.run(doorway, sys.stdin.buffer, sys.stdout.buffer, os.environ)
"""


def as_other_user(doorway: str, event: dict[str, Any], home: Path) -> tuple[Done, Path]:
    """Run a doorway on a copy of `home` that can be read and not written; return that place too."""
    with tempfile.TemporaryDirectory() as outer:
        Path(outer).chmod(0o755)
        place = Path(outer) / "data"
        shutil.copytree(home, place)
        _protect(place)
        done = subprocess.run(
            [sys.executable, "-S", "-E", "-c", PROGRAM, doorway, str(HOOKS.parent / "mcp")],
            input=json.dumps(event).encode(),
            capture_output=True,
            env={**os.environ, "MEMORY_HOME": str(place)},
            cwd=outer,
            check=False,
        )
        before = {path.name for path in home.rglob("*")}
        assert {path.name for path in place.rglob("*")} == before, "something was written"
        for folder in (place, *place.rglob("*/")):
            folder.chmod(0o755)
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode()), place


def _protect(place: Path) -> None:
    for path in (place, *place.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
