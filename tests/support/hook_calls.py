"""Hooks called both ways: inside this process as the server does, and through their doorways."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from claude_memory.hooks import context, runtime

from tests.support.stores import NOW, PROJECT

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping
    from datetime import datetime

    from claude_memory.hooks.context import Context
    from claude_memory.hooks.spoken import Spoken

HOOKS = Path(__file__).resolve().parents[2] / "plugin" / "hooks"


def context_in(
    home: object,
    store: sqlite3.Connection | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    project: str = PROJECT,
    now: datetime = NOW,
    spoken: Spoken | None = None,
) -> Context:
    """Return the surroundings of an event for a data folder and its open store.

    `spoken` is what the process has heard before; without it, the event has a process of its own.
    """
    given = {"MEMORY_HOME": str(home), **(environ or {})}
    return context.from_environ(given, lambda: store, project, now, spoken)


def asked(event: dict[str, Any], around: Context) -> dict[str, Any]:
    """Answer an event as the server would; the answer must be a JSON object."""
    said = json.loads(runtime.answer(event, around))
    assert isinstance(said, dict)
    return said


def added(said: dict[str, Any]) -> str:
    """Return the text that an answer adds to the context."""
    return str(said.get("hookSpecificOutput", {}).get("additionalContext", ""))


@dataclass(frozen=True)
class Done:
    """How a doorway ended."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> dict[str, Any]:
        """The answer, which is nothing or one JSON object."""
        answer = json.loads(self.out) if self.out else {}
        assert isinstance(answer, dict)
        return answer


def through_doorway(
    name: str, event: object, home: object, *, python: str = sys.executable, **environ: str
) -> Done:
    """Run a doorway as the client does, with an event or with raw bytes on its stdin."""
    raw = event if isinstance(event, bytes) else json.dumps(event).encode()
    done = subprocess.run(
        [python, "-S", "-E", str(HOOKS / f"{name}.py")],
        input=raw,
        capture_output=True,
        env={**os.environ, "MEMORY_HOME": str(home), **environ},
        check=False,
    )
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())
