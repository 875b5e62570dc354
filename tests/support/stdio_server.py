"""A real MCP server process with a few made-up tools: what the tests of stdio talk to.

    python stdio_server.py FOLDER      FOLDER holds `claude_memory`

`slow` waits until it is cancelled, until the file named `until` exists, or until a bound. Each call
of it adds a byte to `until.started`.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

sys.path.insert(0, sys.argv[1])

from claude_memory.errors import BadInput
from claude_memory.stdio.calls import Call, Tool
from claude_memory.stdio.server import Server

TEXT = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
ANY = {"type": "object"}
BOUND = 60.0  # seconds


def echo(call: Call) -> str:
    """Return the text, or the JSON types of the arguments where there is none."""
    return str(call.arguments.get("text", sorted(call.arguments)))


def slow(call: Call) -> str:
    """Note that it started, then wait."""
    until = Path(str(call.arguments["until"]))
    with Path(f"{until}.started").open("ab") as started:
        started.write(b".")
    end = time.monotonic() + BOUND
    while time.monotonic() < end and not until.exists():
        if call.cancelled:
            Path(f"{until}.cancelled").touch()
            return "cancelled"
        time.sleep(0.005)
    return "waited"


def refused(call: Call) -> str:
    """Fail on purpose."""
    raise BadInput("The text is too long.", "Split it.")


def broken(call: Call) -> str:
    """Fail by accident, with something private in the exception."""
    raise KeyError("private words")


def noisy(call: Call) -> str:
    """Print where only the protocol may write, from Python, from C and from a child."""
    print("stray print")
    os.write(1, b"stray write\n")
    os.system("echo stray child; cat")  # noqa: S605  (the shell inherits both streams)
    return "quiet"


def fail(where: str, error: Exception) -> None:
    """Record a failure as the composition root does, then fail as well."""
    sys.stderr.write(f"failure in {where}: {type(error).__name__}\n")
    sys.stderr.flush()
    raise OSError("the record cannot be written")


TOOLS = [
    (Tool("echo", "Returns the text.", TEXT, {"readOnlyHint": True}, {"x/alwaysLoad": True}), echo),
    (Tool("slow", "Waits.", ANY), slow),
    (Tool("refused", "Fails on purpose.", ANY), refused),
    (Tool("broken", "Fails by accident.", ANY), broken),
    (Tool("noisy", "Prints.", ANY), noisy),
    (Tool("hook", "Is not listed.", ANY, hidden=True), echo),
]

if __name__ == "__main__":
    raise SystemExit(Server("test-server", "1.2.3", "Use echo.", TOOLS, fail).serve())
