"""A client of a stdio server that says exactly the bytes a test wants to say."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Message = dict[str, Any]

ROOT = Path(__file__).parents[2]
CLIENT = ROOT / "plugin" / "mcp"
TEST_SERVER = [sys.executable, str(Path(__file__).with_name("stdio_server.py")), str(CLIENT)]
HANG = 60.0  # seconds; a guard against hanging, not a promise


def started(until: Path) -> int:
    """Count the calls of the test server's `slow` that have begun."""
    notes = Path(f"{until}.started")
    return notes.stat().st_size if notes.exists() else 0


class Peer:
    """One server process and both ends of its pipes."""

    def __init__(
        self, command: Sequence[str] = TEST_SERVER, env: Mapping[str, str] | None = None
    ) -> None:
        """Start the server; nothing is said to it yet."""
        self.process = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=env,
        )
        self._lines: queue.Queue[bytes] = queue.Queue()
        self._errors: list[bytes] = []
        self._threads = [
            threading.Thread(target=self._read_lines, daemon=True),
            threading.Thread(target=self._read_errors, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.close()  # a child that outlived the server reads on otherwise
        self.end()
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe:
                pipe.close()

    def _read_lines(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(b"")

    def _read_errors(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            self._errors.append(line)

    def say(self, data: bytes) -> None:
        """Write these bytes."""
        assert self.process.stdin
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def send(self, message: object) -> None:
        """Write one message."""
        self.say(json.dumps(message).encode() + b"\n")

    def ask(self, request_id: object, method: str, params: object = None) -> None:
        """Write one request."""
        self.send({"jsonrpc": "2.0", "id": request_id, "method": method, "params": params or {}})

    def call(self, request_id: object, tool: str, **arguments: object) -> None:
        """Write one call of a tool."""
        self.ask(request_id, "tools/call", {"name": tool, "arguments": arguments})

    def start_slow(self, request_id: object, until: Path) -> None:
        """Call the test server's `slow`, and wait until it runs."""
        before = started(until)
        self.call(request_id, "slow", until=str(until))
        self.wait_for_start(until, before + 1)

    def wait_for_start(self, until: Path, count: int) -> None:
        """Wait until so many calls of `slow` with this `until` have begun; nothing else is told."""
        while started(until) < count:
            assert self.answer("ping")["id"] == "asked"

    def hear_line(self) -> bytes:
        """Return the next line as it came; empty at the end."""
        return self._lines.get(timeout=HANG)

    def hear(self) -> Any:  # noqa: ANN401  (a JSON boundary: tests take the answer apart)
        """Return the next message."""
        line = self.hear_line()
        assert line, f"the server ended: {self.errors()}"
        return json.loads(line)

    def answer(self, method: str, params: object = None) -> Any:  # noqa: ANN401  (as above)
        """Ask and return the next message."""
        self.ask("asked", method, params)
        return self.hear()

    def close(self) -> None:
        """Close the server's input; what was not flushed is for nobody."""
        assert self.process.stdin
        try:
            self.process.stdin.close()
        except OSError:
            return

    def end(self) -> int:
        """Wait until the server has ended; return its exit code."""
        code = self.process.wait(HANG)
        for thread in self._threads:
            thread.join()
        return code

    def errors(self) -> str:
        """Return what the server wrote to stderr so far."""
        return b"".join(self._errors).decode(errors="replace")
