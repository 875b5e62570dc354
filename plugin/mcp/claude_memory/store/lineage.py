"""Notices a write-ahead log that is not of the file beside it, before SQLite believes it.

A backup was put in the file's place, or a program that copies folders brought one of the two only.
SQLite would lay the log over the file without a word, and memories would be gone, or all damaged.

Each commit signs its state and names the one before (`state.mark`). So the state in the file
itself, without its log, is named in a log that goes on from it, and in no other.
"""

from __future__ import annotations

import os
import sqlite3
from datetime import datetime, timezone

from claude_memory import paths
from claude_memory.memory import stamp
from claude_memory.store import failures, schema, state
from claude_memory.store.lock import mend_lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

HEADER, FRAME = 32, 24  # bytes before the frames of a log, and before the page of each
SIGN = 16  # characters

SAID = (
    "Beside the memory database lay a log of another state of it, as happens where only one of the "
    "two is restored or copied. The database is used as it is; the log, which may hold what is "
    "missing, is {aside} and stays there for 30 days."
)

_known: set[str] = set()  # files that this process may have open: see `part`


def part(path: str) -> None:
    """Set the log beside the file at `path` aside if it is another's; the next greeting says so.

    Once in a process, before it opens the file: whoever closes a file gives up the locks that its
    process holds on it.
    """
    if path in _known:
        return
    _known.add(path)
    if not _is_foreign(path):
        return
    with mend_lock(path) as lock:
        if lock.is_held and _is_foreign(path):
            try:
                _set_aside(path)
            except (OSError, sqlite3.Error):
                return  # in use, where such files cannot be moved


def _is_foreign(path: str) -> bool:
    """Tell whether the log is signed, and not once with the state of the file.

    Others may write both meanwhile: then the file has another state afterwards.
    """
    present = _state_of(path)
    return bool(present) and not _goes_on_from(path, present) and _state_of(path) == present


def _state_of(path: str) -> str:
    """Return the sign of the state in the file itself; empty where it cannot be told."""
    try:
        connection = sqlite3.connect(paths.uri(path, "ro&immutable=1"), uri=True)
        try:
            return state.get(connection, state.MARKS)[-SIGN:]
        finally:
            connection.close()
    except sqlite3.Error:
        return ""


def _goes_on_from(path: str, sign: str) -> bool:
    """Tell whether the log names a state, or has no signs, as one of an earlier version."""
    is_signed, wanted, marks = False, sign.encode(), state.MARKS.encode()
    for page in _pages(path):
        if wanted in page:
            return True
        is_signed = is_signed or marks in page
    return not is_signed


def _pages(path: str) -> Iterator[bytes]:
    """Yield what SQLite would take from the log; not what is left behind it of earlier ones."""
    try:
        with open(path + "-wal", "rb") as log:
            header = log.read(HEADER)
            size = FRAME + int.from_bytes(header[8:12], "big")
            while len(frame := log.read(size)) > FRAME and frame[8:16] == header[16:24]:
                yield frame
    except OSError:
        return  # whoever was the last to leave has removed it


def _set_aside(path: str) -> None:
    """Go on with the file as it is; who has it open with that log finds it replaced."""
    now = datetime.now(timezone.utc)
    aside = f"{path}.foreign-log-{stamp(now)[:19].replace(':', '')}"
    connection = sqlite3.connect(paths.uri(path, "ro&immutable=1"), uri=True)
    try:
        os.replace(path + "-wal", aside)
        failures.note(paths.home_of(path), "database", SAID.format(aside=aside), now)
        os.utime(aside)  # it is kept as long as other copies, counted from now
        if os.path.exists(path + "-shm"):
            os.unlink(path + "-shm")
        schema.snapshot(connection, path)
    finally:
        connection.close()
