"""The judge: the user's own `claude` program, asked once, without tools, plugins or a session.

The conversation goes in on stdin, never in argv. A nested client cannot start another judge: safe
mode loads no plugin, and everything of ours stays silent under the guard in its environment.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from claude_memory import paths
from claude_memory.hooks.context import JUDGE_GUARD
from claude_memory.learn.prompt import SYSTEM
from claude_memory.store.judge_calls import CUT_OFF

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import IO, Any

SECONDS = 60.0
OUTPUT_LIMIT = 262_144  # bytes
OPTIONS = ("--safe-mode", "--tools", "", "--no-session-persistence")
MODEL = ("--model", "haiku", "--output-format", "json")
# What tells a client that it runs inside another one, and what is none of the judge's business.
# All else stays: it may be how this user signs in.
REMOVED = re.compile(
    r"CLAUDECODE|AI_AGENT|CLAUDE_(?:PID|EFFORT|ENV_FILE|PROJECT_DIR)|CLAUDE_PLUGIN_\w+|"
    r"CLAUDE_CODE_(?:SESSION_ID|ENTRYPOINT|SSE_PORT|CHILD_\w+|MESSAGING_\w+|LAUNCHED_BY_\w+)|"
    r"(?:CLAUDE_)?MEMORY_\w+|VAULT_\w+"
)
# On Windows: no console window, and a process group of its own.
WINDOWS_FLAGS = getattr(subprocess, "CREATE_NO_WINDOW", 0) | getattr(
    subprocess, "CREATE_NEW_PROCESS_GROUP", 0
)
CACHED = ("cache_creation_input_tokens", "cache_read_input_tokens")
ANSWERED, FAILED, TIMEOUT, STOPPED = "answered", "failed", "timeout", CUT_OFF


@dataclass(frozen=True)
class Verdict:
    """What one call of the judge came to; `outcome` is answered, failed, timeout or stopped."""

    outcome: str
    events: tuple[object, ...] = ()
    input_tokens: int = 0
    output_tokens: int = 0
    reason: str = ""


class Judge(Protocol):
    """Proposes events for a turn."""

    def ask(self, prompt: str) -> Verdict:
        """Answer one prompt; never raises for what the judge does."""

    def stop(self) -> None:
        """End a call that is under way, and refuse all further ones."""


def choose(judge: str, home: str, environ: Mapping[str, str]) -> Judge | None:
    """Return the judge that the settings ask for, or None where there is none."""
    program = paths.find_claude(environ) if judge == "claude" else ""
    return ClaudeJudge(program, home, environ) if program else None


class ClaudeJudge:
    """Runs the `claude` program once for each prompt, in an empty folder of ours."""

    def __init__(
        self, program: str, home: str, environ: Mapping[str, str], seconds: float = SECONDS
    ) -> None:
        """Keep what is needed to start it; nothing is started yet."""
        self._command = [program, "-p", *OPTIONS, *MODEL, "--system-prompt", SYSTEM]
        self._folder = os.path.join(home, "judge")
        self._environ = nested_environ(environ)
        self._seconds = seconds
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._is_stopped = False
        self._is_late = False

    def ask(self, prompt: str) -> Verdict:
        """Start the program, hand it the prompt, and read its answer."""
        try:
            child = self._start()
        except OSError as error:
            return Verdict(FAILED, reason=f"claude could not be started: {error.strerror}")
        if child is None:
            return Verdict(STOPPED)
        clock = threading.Timer(self._seconds, self._end_late)
        clock.daemon = True
        clock.start()
        try:
            output = _converse(child, prompt)
            child.wait()  # the clock and `stop` end it if it does not end by itself
        finally:
            clock.cancel()
            _kill(child)
            with self._lock:
                self._child = None
        return self._verdict(output, child.returncode)

    def stop(self) -> None:
        """End a call that is under way, with all that it started."""
        with self._lock:
            self._is_stopped = True
            if self._child is not None:
                _kill(self._child)

    def _start(self) -> subprocess.Popen[bytes] | None:
        paths.make_private_folder(self._folder)
        with self._lock:
            if self._is_stopped:
                return None
            self._is_late = False
            self._child = subprocess.Popen(  # noqa: S603  (the user's own program)
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=self._folder,
                env=self._environ,
                start_new_session=os.name != "nt",
                creationflags=WINDOWS_FLAGS,
            )
            return self._child

    def _end_late(self) -> None:
        with self._lock:
            self._is_late = True
            if self._child is not None:
                _kill(self._child)

    def _verdict(self, output: bytes, returncode: int) -> Verdict:
        if self._is_stopped:
            return Verdict(STOPPED)
        if self._is_late:
            return Verdict(TIMEOUT, reason=f"claude gave no answer within {self._seconds:g} s")
        return read_answer(output, returncode)


def nested_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the judge: the user's, the guard, and nothing of this session."""
    kept = {name: value for name, value in environ.items() if not REMOVED.fullmatch(name)}
    return {**kept, JUDGE_GUARD: "1", "CLAUDE_CODE_EFFORT_LEVEL": "low"}


def read_answer(output: bytes, returncode: int) -> Verdict:
    """Read what `--output-format json` printed; a text without our JSON object holds no events."""
    try:
        held = json.loads(output[:OUTPUT_LIMIT].decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        held = None
    if not isinstance(held, dict):
        return Verdict(FAILED, reason=f"claude ended with code {returncode} and no readable answer")
    usage = held.get("usage")
    if not isinstance(usage, dict):
        usage = {}
    tokens_in = sum(_tokens(usage, name) for name in ("input_tokens", *CACHED))
    tokens_out = _tokens(usage, "output_tokens")
    text = str(held.get("result") or "")
    if held.get("is_error") or returncode:
        reason = " ".join(text.split())[:200] or f"claude ended with code {returncode}"
        return Verdict(FAILED, (), tokens_in, tokens_out, reason)
    return Verdict(ANSWERED, tuple(find_events(text)), tokens_in, tokens_out)


def _tokens(usage: Mapping[str, Any], name: str) -> int:
    value = usage.get(name)
    return max(0, value) if isinstance(value, int) else 0


def find_events(text: str) -> list[object]:
    """Return the list in the first JSON object with the key `events`, whatever stands around it."""
    decoder = json.JSONDecoder()
    for match in re.finditer(r"\{", text):
        try:
            held, _ = decoder.raw_decode(text, match.start())
        except (ValueError, RecursionError):
            continue
        if isinstance(held, dict) and isinstance(held.get("events"), list):
            return list(held["events"])
    return []


def _converse(child: subprocess.Popen[bytes], prompt: str) -> bytes:
    """Write the prompt while reading the answer: neither side may block the other."""
    stdin, stdout = child.stdin, child.stdout
    if stdin is None or stdout is None:  # both are pipes, as asked for
        return b""
    feeder = threading.Thread(target=_feed, args=(stdin, prompt.encode()), daemon=True)
    feeder.start()
    with stdout:
        output = stdout.read(OUTPUT_LIMIT + 1)
    if len(output) > OUTPUT_LIMIT:
        _kill(child)
    feeder.join(1.0)
    return output


def _feed(stdin: IO[bytes], data: bytes) -> None:
    try:
        with stdin:
            stdin.write(data)
    except OSError:
        return  # it ended without reading; its answer tells why


def _kill(child: subprocess.Popen[bytes]) -> None:
    """Kill a child and everything in its group; one that has ended is left in peace."""
    if child.poll() is not None:
        return
    try:
        if os.name == "nt":
            child.kill()
        else:
            os.killpg(child.pid, signal.SIGKILL)
    except OSError:
        return
