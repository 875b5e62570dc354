"""One conversation with the client in print mode: several prompts in one process, as JSON lines."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from typing import IO

    from tests.support.claude_code.script import Json

# Far above what anything takes on an idle machine: it only keeps a hung client from hanging a run.
PATIENCE = 120.0

_STREAM = (
    "--print",
    "--input-format=stream-json",
    "--output-format=stream-json",
    "--verbose",
    "--include-hook-events",
)


@dataclass(frozen=True)
class Until:
    """A step in which the session stays open until something has happened."""

    condition: Callable[[], bool]
    seconds: float = 60.0


class Talk:
    """A running client that is spoken to."""

    def __init__(self, command: Sequence[str], cwd: Path, env: Mapping[str, str]) -> None:
        """Start the client."""
        self.events: list[Json] = []
        self.stderr = ""
        self.returncode = 0
        self._ended = False
        self._changed = threading.Condition()
        self._process = subprocess.Popen(
            [*command, *_STREAM],
            cwd=cwd,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def hold(self, steps: Sequence[str | Until]) -> None:
        """Take every step in turn, then close the input and wait for the client to end."""
        with self._process as process:
            assert process.stdout is not None
            assert process.stderr is not None
            readers = [
                threading.Thread(target=self._read_events, args=(process.stdout,)),
                threading.Thread(target=self._read_errors, args=(process.stderr,)),
            ]
            for reader in readers:
                reader.start()
            try:
                for step in steps:
                    self._take(step)
                self._close_input()
                self.returncode = process.wait(PATIENCE)
            finally:
                process.kill()
                for reader in readers:
                    reader.join()

    def _take(self, step: str | Until) -> None:
        if isinstance(step, Until):
            assert _holds(step), f"still not so after {step.seconds} s: {step.condition}"
            return
        answered = self._answered()
        self._say(step)
        with self._changed:
            came = self._changed.wait_for(
                lambda: self._ended or self._answered() > answered, PATIENCE
            )
        assert came, f"no answer to {step!r}: {self.stderr}"

    def _answered(self) -> int:
        return sum(event.get("type") == "result" for event in self.events)

    def _say(self, text: str) -> None:
        assert self._process.stdin is not None
        message = {"type": "user", "message": {"role": "user", "content": text}}
        try:
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise AssertionError(f"the client ended before {text!r}: {self.stderr}") from error

    def _close_input(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()

    def _read_events(self, stream: IO[str]) -> None:
        for line in stream:
            with self._changed:
                self.events.append(json.loads(line))
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _read_errors(self, stream: IO[str]) -> None:
        for line in stream:
            self.stderr += line


def _holds(step: Until) -> bool:
    """Ask again and again: what is waited for may happen in another process, or in a file."""
    deadline = time.monotonic() + step.seconds
    while not step.condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
