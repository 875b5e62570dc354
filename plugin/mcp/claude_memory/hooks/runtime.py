"""Runs a hook so that it never harms the prompt: always an answer, always in time, exit code 0.

The server calls `answer` for each event that the client sends to its hook tool; the doorways in
plugin/hooks call `run` with an event on stdin. Hot.
"""

from __future__ import annotations

import json
import os
import sys
import time

from claude_memory import errors, paths, project
from claude_memory.hooks import opening
from claude_memory.hooks.context import from_environ
from claude_memory.memory import bounded, utc_now
from claude_memory.store import bindings, failures
from claude_memory.store.lock import BUSY_SECONDS
from claude_memory.variables import given

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping
    from typing import Any, BinaryIO

    from claude_memory.hooks.context import Context

    Said = dict[str, Any] | str | None
    Handler = Callable[[dict[str, Any], Context], Said]

NOTHING = "{}"  # what the client takes for silence
EVENT_LIMIT = 16_777_216  # bytes on stdin
HARD_STOP = 5.0  # seconds
HARD_STOPS = {"session-end": 1.0}  # the client gives all hooks of this event 1.5 s together
PATIENCE = 1_000  # milliseconds that a hook waits for another session's write
WITHOUT_STORE = ("SessionStart", "PreToolUse", "PermissionRequest")  # what HTTP-only mode answers
# The events of each doorway; the first is meant where the event does not name itself.
DOORWAYS = {
    "session-start": ("SessionStart",),
    "user-prompt-recall": ("UserPromptSubmit",),
    "pre-compact-backup": ("PreCompact",),
    "post-compact-recovery": ("SessionStart",),
    "auto-learn": ("Stop",),
    "auto-allow-memory-tools": ("PreToolUse", "PermissionRequest"),
    "rule-at-use": ("PreToolUse",),
    "session-end": ("SessionEnd",),
}


def answer(event: dict[str, Any], context: Context) -> str:
    """Answer one event with JSON text, or with plain text where the client wants that.

    Never raises: what fails is noted for the next greeting, and the answer is silence.
    """
    hurried = _Hurried(context.connection)
    try:
        tidy = _tidy(event, context)
        handler = None if _is_for_nobody(tidy, context) else _handler(tidy)
        said = handler(tidy, context._replace(connection=hurried.open)) if handler else None
        return said if isinstance(said, str) else json.dumps(said or {})
    except Exception as error:  # noqa: BLE001  (whatever it is, the prompt must go on)
        _report(context, f"hook {event.get('event') or event.get('hook_event_name')}", error)
        return NOTHING
    finally:
        hurried.release()


def session(event: dict[str, Any], context: Context) -> str:
    """Return the session of an event, or that of its surroundings where it names none.

    A placeholder that the client left literal names none.
    """
    named = event.get("session_id")
    is_named = named and named != "${session_id}"
    return bounded(str(named if is_named else context.session))


def run(
    doorway: str,
    source: BinaryIO,
    sink: BinaryIO,
    environ: Mapping[str, str],
    seconds: float | None = None,
) -> None:
    """Answer the event on `source` and end the process with exit code 0."""
    import _thread  # built in, while threading costs 4 ms

    home = paths.home(environ)
    limit = HARD_STOPS.get(doorway, HARD_STOP) if seconds is None else seconds
    _thread.start_new_thread(_stop_hard, (limit, home, doorway))
    _thread.start_new_thread(_stop_harder, (limit + 0.5,))
    try:
        sink.write(_run(doorway, source, environ).encode("utf-8", "replace"))
        sink.flush()
    except BrokenPipeError:
        pass  # the client has left
    except Exception as error:  # noqa: BLE001  (a traceback on stderr would alarm the user)
        failures.note(home, doorway, failures.explained(error), utc_now())
    finally:
        os._exit(0)  # a closed pipe must not become an exit code while Python shuts down


def _run(doorway: str, source: BinaryIO, environ: Mapping[str, str]) -> str:
    opened: list[sqlite3.Connection | None] = []

    def connection() -> sqlite3.Connection | None:
        if not opened:
            opened.append(opening.open_existing(bindings.of(context.home, context.server)))
        return opened[0]

    context = from_environ(environ, connection, "", utc_now())
    event = _event(doorway, _read(source, doorway, context))
    folder = given(environ, "CLAUDE_PROJECT_DIR") or str(event.get("cwd") or os.getcwd())
    try:
        return answer(event, context._replace(project=bounded(project.identity(folder))))
    finally:
        if opened and opened[0] is not None:
            opened[0].close()


def _read(source: BinaryIO, doorway: str, context: Context) -> dict[str, Any]:
    """Read the event; a broken one is noted and taken for an empty one."""
    text = source.read(EVENT_LIMIT).decode("utf-8", "replace").strip("\ufeff \r\n\t")
    try:
        event = json.loads(text) if text else {}
        if isinstance(event, dict):
            return event
    except (ValueError, RecursionError):
        pass
    _report(context, doorway, errors.BadInput("The client sent an event that cannot be read."))
    return {}


def _event(doorway: str, event: dict[str, Any]) -> dict[str, Any]:
    """Name the event: a doorway answers its own events and no others."""
    events = DOORWAYS[doorway]
    named = event.get("hook_event_name")
    if doorway == "post-compact-recovery":
        event["source"] = "compact"
    return {**event, "event": named if named in events else events[0]}


def _tidy(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """Name event and session, read a tool's arguments; literal placeholders count as none."""
    known = {key: value for key, value in event.items() if value != "${" + key + "}"}
    known["event"] = known.get("event") or known.get("hook_event_name") or ""
    known["session_id"] = session(event, context)
    known["tool_input"] = _arguments(event.get("tool_input"))
    return known


def _arguments(given: object) -> dict[str, Any]:
    """Return a tool's arguments, which arrive as an object or as its JSON text."""
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except (ValueError, RecursionError):
            return {}
    return given if isinstance(given, dict) else {}


def _is_for_nobody(event: dict[str, Any], context: Context) -> bool:
    """Tell whether the event comes from our own judge, or needs a store where there is none."""
    name = event["event"]
    needs_store = name not in WITHOUT_STORE or event.get("source") == "compact"
    return context.silent or (context.direct and needs_store)


def _handler(event: dict[str, Any]) -> Handler | None:
    """Choose who answers; only the chosen one is loaded."""
    name = event["event"]
    if name == "UserPromptSubmit":
        from claude_memory.hooks import recall_prompt

        return recall_prompt.answer
    if name == "PreCompact" or (name == "SessionStart" and event.get("source") == "compact"):
        from claude_memory.hooks import compaction

        return compaction.answer
    if name == "SessionStart":
        from claude_memory.hooks import greeting

        return greeting.answer
    if name == "PreToolUse" and not str(event.get("tool_name")).startswith("mcp__"):
        from claude_memory.hooks import rule_at_use

        return rule_at_use.answer
    if name in {"PreToolUse", "PermissionRequest"}:
        from claude_memory.hooks import approve

        return approve.answer
    if name == "Stop":
        from claude_memory.hooks import stop

        return stop.answer
    if name == "SessionEnd":
        from claude_memory.hooks import session_end

        return session_end.answer
    return None


class _Hurried:
    """Opens the store with little patience, and gives a shared connection its patience back."""

    def __init__(self, connect: Callable[[], sqlite3.Connection | None]) -> None:
        self._connect = connect
        self._connection: sqlite3.Connection | None = None

    def open(self) -> sqlite3.Connection | None:
        if self._connection is None:
            self._connection = self._connect()
            self._wait(PATIENCE)
        return self._connection

    def release(self) -> None:
        self._wait(int(BUSY_SECONDS * 1000))

    def _wait(self, milliseconds: int) -> None:
        if self._connection is not None:
            self._connection.execute(f"PRAGMA busy_timeout={milliseconds}")


def _report(context: Context, where: str, error: Exception) -> None:
    """Note a failure for the next greeting; explain it on stderr when asked to."""
    text = failures.explained(error)
    failures.note(context.home, where, text, context.now)
    if context.debug:
        sys.stderr.write(f"claude-memory, {where}: {text}\n")
        sys.excepthook(type(error), error, error.__traceback__)
        sys.stderr.flush()


def _stop_hard(seconds: float, home: str, doorway: str) -> None:
    time.sleep(seconds)
    failures.note(home, doorway, f"Stopped after {seconds:g} s without an answer.", utc_now())
    os._exit(0)


def _stop_harder(seconds: float) -> None:
    """End the process even if noting the failure hangs as well."""
    time.sleep(seconds)
    os._exit(0)
