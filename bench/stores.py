"""Stores of many memories: each size is built once per run, in a folder that goes away with it."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from claude_memory import paths
from claude_memory.memory import Draft, stamp
from claude_memory.store import memories, sessions, state
from claude_memory.store.connection import open_store, write

from bench.corpus import Corpus

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from bench.corpus import Fact
    from bench.report import Report

START = datetime(2026, 1, 1, tzinfo=UTC)
PER_SESSION = 40
UPKEEP = "upkeep_at"  # today's is done: it would cost in the middle of something else
_built: dict[int, Path] = {}
_folders: list[str] = []


def home(count: int, report: Report) -> Path:
    """Return a data folder whose store holds so many memories; look, do not touch."""
    if count not in _built:
        _built[count] = _build(count, report)
    return _built[count]


@contextmanager
def copy(count: int, report: Report) -> Iterator[Path]:
    """Lend a data folder of so many memories that may be written to."""
    original = home(count, report)
    with folder() as place:
        copied = Path(shutil.copytree(original, place / "home"))
        for path in copied.rglob("*.db"):  # else the first write would pay for the copying
            with path.open("rb+") as file:
                os.fsync(file.fileno())
        yield copied


@contextmanager
def folder() -> Iterator[Path]:
    """Lend an empty folder."""
    with tempfile.TemporaryDirectory(prefix="claude-memory bench ") as name:
        yield Path(name)


def clear() -> None:
    """Remove everything that was built."""
    while _folders:
        shutil.rmtree(_folders.pop(), ignore_errors=True)
    _built.clear()


def _build(count: int, report: Report) -> Path:
    place = tempfile.mkdtemp(prefix="claude-memory bench ")
    _folders.append(place)
    connection = open_store(paths.database(place))
    connection.execute("PRAGMA cache_size=-200000")
    try:
        with write(connection, durable=False):
            for number, fact in enumerate(Corpus().facts(count)):
                if number % 1_000 == 0:
                    report.progress(f"building a store: {number:,} of {count:,} memories")
                _put(connection, number, fact)
            state.put(connection, UPKEEP, stamp(datetime.now(UTC)))
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()
    report.progress("")
    return Path(place)


def _put(connection: sqlite3.Connection, number: int, fact: Fact) -> None:
    now = START + timedelta(minutes=number)
    session = f"session-{number // PER_SESSION}"
    draft = Draft(
        **fact._asdict(),
        is_sensitive=False,
        session=session,
        source="user",
        supersedes="",
        expires_at="",
    )
    seq = sessions.next_seq(connection, session, fact.project, now)
    memories.add(connection, draft, now, seq=seq)
