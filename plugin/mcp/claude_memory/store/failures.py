"""What went wrong where nobody looks: noted by hooks and workers, shown once, then set aside. Hot.

One JSON line a failure, in a file of its own, because the database may be what failed. Noting
never raises, because its caller is busy with a failure already.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections import namedtuple

from claude_memory import paths
from claude_memory.errors import ClaudeMemoryError
from claude_memory.memory import stamp
from claude_memory.store.trouble import explain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import NamedTuple

FILE_LIMIT = 65_536  # bytes; what fails at every prompt need not be told a thousand times
TEXT_LIMIT = 500  # characters of one failure

if TYPE_CHECKING:

    class Failure(NamedTuple):
        """One thing that went wrong, how often, and when last."""

        where: str
        text: str
        at: str
        times: int

else:
    Failure = namedtuple("Failure", "where text at times")


def note(home: str, where: str, text: str, now: datetime) -> None:
    """Append a failure, its text redacted; where that cannot be done, nothing happens."""
    entry = {"at": stamp(now), "where": where, "text": _redacted(text)}
    try:
        _append(paths.failures(home), json.dumps(entry))
    except OSError:
        return


def explained(error: Exception) -> str:
    """Say what happened; of an unexpected error only its kind and place, not the user's data."""
    if isinstance(error, ClaudeMemoryError):
        return error.sentence()
    if isinstance(error, sqlite3.Error):
        return explain(error).sentence()
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    if not trace:
        return type(error).__name__
    file = os.path.basename(trace.tb_frame.f_code.co_filename)
    return f"{type(error).__name__} in {file}, line {trace.tb_lineno}. Please report it."


def unseen(home: str) -> list[Failure]:
    """Return the failures that no greeting has shown, the latest first, each once."""
    return _read(paths.failures(home))


def shown(home: str) -> list[Failure]:
    """Return the failures of the last greeting that had any."""
    return _read(_aside(home))


def latest(home: str, most: int) -> list[str]:
    """Write the latest failures for a person, those that no greeting has shown first."""
    noted = [*unseen(home), *shown(home)][:most]
    return [f"{one.at[:16]} {one.where}: {one.text}" for one in noted]


def take(home: str) -> list[Failure]:
    """Return the failures not yet shown, and set them aside as shown."""
    if not unseen(home):
        return []
    try:
        # In one step: of two sessions that greet at once, one gets them all.
        os.replace(paths.failures(home), _aside(home))
    except OSError:
        return []
    return shown(home)


def _aside(home: str) -> str:
    return paths.failures(home) + ".shown"


def _append(path: str, entry: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        if os.fstat(descriptor).st_size < FILE_LIMIT:
            os.write(descriptor, entry.encode("ascii") + b"\n")
    finally:
        os.close(descriptor)


def _read(path: str) -> list[Failure]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = file.read(2 * FILE_LIMIT).splitlines()
    except OSError:
        return []
    found: dict[tuple[str, str], Failure] = {}
    for line in lines:
        failure = _parse(line)
        if failure:
            key = (failure.where, failure.text)
            before = found.pop(key, None)
            found[key] = failure._replace(times=before.times + 1 if before else 1)
    return list(reversed(list(found.values())))


def _parse(line: str) -> Failure | None:
    """Read one line; a torn or foreign one is passed over."""
    try:
        entry = json.loads(line)
        return Failure(str(entry["where"]), str(entry["text"]), str(entry["at"]), 1)
    except (ValueError, TypeError, KeyError):
        return None


def _redacted(text: str) -> str:
    """Put a failure on one short line without secrets; if that fails, without any text."""
    try:
        from claude_memory.redaction import detector  # only failing hooks pay

        return " ".join(detector.redact(text).text.split())[:TEXT_LIMIT]
    except Exception:  # noqa: BLE001  (no text is better than a secret, or than a second failure)
        return ""
