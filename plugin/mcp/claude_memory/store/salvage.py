"""Mends a damaged store: rebuilds its index, or sets the file aside and saves what can be read.

The damaged file is never deleted. Other sessions notice that the file was replaced and open the new
one (`StoreConnection.is_current`).
"""

from __future__ import annotations

import os
import sqlite3
from collections import namedtuple

from claude_memory.memory import stamp
from claude_memory.store.connection import open_store, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from typing import Any, NamedTuple

# What is saved, in this order. Sessions and injections are not worth a doubtful row.
TABLES = (
    "memories",
    "history",
    "secrets",
    "pending_ops",
    "shelf",
    "proposals",
    "turns",
    "sync_state",
)
GAP = 10_000  # unreadable rows in a row after which the end is taken for reached

if TYPE_CHECKING:

    class Mended(NamedTuple):
        """What was done: `aside` is where the damaged file is now, or empty for the index alone."""

        aside: str
        saved: int

else:
    Mended = namedtuple("Mended", "aside saved")


def mend(path: str, now: datetime) -> Mended:
    """Make the store at `path` usable again and save all that can be read.

    Raises:
        StoreError: not even a new file can be made there.
    """
    if _rebuild_index(path):
        return Mended("", 0)
    aside = f"{path}.damaged-{stamp(now)[:19].replace(':', '')}"
    for end in ("-wal", "-shm", ""):
        if os.path.exists(path + end):
            os.replace(path + end, aside + end)
    fresh = open_store(path)
    try:
        saved = _save(aside, fresh)
    finally:
        fresh.close()
    return Mended(aside, saved)


def sentence(mended: Mended) -> str:
    """Say what was done, for a person."""
    if not mended.aside:
        return "The search index was damaged and has been rebuilt; no memory is lost."
    return (
        f"The memory database was damaged. {mended.saved} memories could be read and are kept in a "
        f"new file; the damaged one is {mended.aside}."
    )


def _rebuild_index(path: str) -> bool:
    """Rebuild the index where the tables themselves are sound; tell whether that was it."""
    try:
        connection = sqlite3.connect(path, isolation_level=None)
        try:
            if connection.execute("PRAGMA integrity_check(1)").fetchone()[0] != "ok":
                return False
            connection.execute("INSERT INTO memories_fts (memories_fts) VALUES ('rebuild')")
            connection.execute(
                "INSERT INTO memories_fts (memories_fts, rank) VALUES ('integrity-check', 1)"
            )
        finally:
            connection.close()
    except sqlite3.Error:
        return False
    return True


def _save(aside: str, fresh: sqlite3.Connection) -> int:
    """Copy every readable row of the damaged file; return how many memories are live now."""
    try:
        damaged = sqlite3.connect(aside)
        damaged.execute("PRAGMA query_only=1")
        known = {name for (name,) in damaged.execute("SELECT name FROM sqlite_master")}
    except sqlite3.Error:
        return 0
    try:
        with write(fresh):
            for table in TABLES:
                if table in known:
                    _copy_table(damaged, fresh, table)
            _count_on(fresh)
    finally:
        damaged.close()
    query = "SELECT count(*) FROM memories WHERE live = 1"
    return int(fresh.execute(query).fetchone()[0])


def _copy_table(damaged: sqlite3.Connection, fresh: sqlite3.Connection, table: str) -> None:
    columns = [row[1] for row in fresh.execute(f"PRAGMA table_info({table})")]
    names, marks = ", ".join(columns), ", ".join("?" * len(columns))
    for row in _rows(damaged, table, names):
        try:
            fresh.execute(f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})", row)  # noqa: S608
        except sqlite3.Error:
            continue  # a row that no longer fits its own table


def _rows(damaged: sqlite3.Connection, table: str, names: str) -> Iterator[tuple[Any, ...]]:
    """Yield the rows that can be read, stepping over those that cannot."""
    if table in {"sync_state", "shelf"}:  # small, and without a number to step by
        try:
            yield from damaged.execute(f"SELECT {names} FROM {table}").fetchall()  # noqa: S608
        except sqlite3.Error:
            pass
        return
    last, failed = 0, 0
    query = f"SELECT rowid, {names} FROM {table} WHERE rowid > ? ORDER BY rowid LIMIT 1"  # noqa: S608
    while failed < GAP:
        try:
            row = damaged.execute(query, (last,)).fetchone()
        except (sqlite3.Error, UnicodeDecodeError):
            last, failed = last + 1, failed + 1
            continue
        if row is None:
            return
        last, failed = row[0], 0
        yield row[1:]


def _count_on(fresh: sqlite3.Connection) -> None:
    """Let numbers go on behind the highest that was saved."""
    fresh.execute(
        "UPDATE sync_state SET v = max(CAST(v AS INTEGER), 1 + coalesce((SELECT max(local_no) FROM "
        "(SELECT local_no FROM memories UNION ALL SELECT local_no FROM proposals)), 0)) "
        "WHERE k = 'next_local_no'"
    )
