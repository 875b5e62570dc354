"""Mends a damaged store: rebuilds its index, or sets the file aside and saves what can be read.

The damaged file is kept 30 days, like every copy beside the store. Other sessions notice that the
file was replaced and open the new one (`StoreConnection.is_current`).
"""

from __future__ import annotations

import os
import sqlite3
from collections import namedtuple

from claude_memory import errors
from claude_memory.memory import stamp
from claude_memory.store import header, memories, mending, schema, state
from claude_memory.store.connection import identity, open_alone, write
from claude_memory.store.lock import mend_lock
from claude_memory.store.trouble import explain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from typing import Any, BinaryIO, NamedTuple

    from claude_memory.store.connection import StoreConnection

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
ENDS = ("-wal", "-shm", "")
BLOCK = 1 << 20  # bytes
GAP = 10_000  # unreadable rows in a row after which the end is taken for reached

if TYPE_CHECKING:

    class Mended(NamedTuple):
        """What was done: `aside` is where the damaged file is now, or empty.

        Without one, the index was rebuilt (`reindexed`), or there was nothing to mend.
        """

        aside: str
        saved: int
        reindexed: bool

else:
    Mended = namedtuple("Mended", "aside saved reindexed")


def mend(path: str, now: datetime) -> Mended:
    """Make the store at `path` usable again and save all that can be read.

    Raises:
        StoreError: not even a new file can be made there.
    """
    try:
        with mend_lock(path):
            if _is_sound(path):
                return Mended("", 0, reindexed=False)
            if _rebuild_index(path):
                return Mended("", 0, reindexed=True)
            return _begin_anew(path, now)
    except OSError as error:
        raise explain(error, path) from error


def sentence(mended: Mended) -> str:
    """Say what was done, for a person."""
    if mended.reindexed:
        return "The search index was damaged and has been rebuilt; no memory is lost."
    if not mended.aside:
        return "The memory database is sound: another session has mended it."
    return (
        f"The memory database was damaged. {mended.saved} memories could be read and are kept in a "
        f"new file; the damaged one is {mended.aside} and stays there for 30 days."
    )


def leave(connection: StoreConnection) -> None:
    """Close a connection whose file was removed or replaced, and set that file's log aside.

    SQLite would take the log for the new file's own, and mix the two.
    """
    path = connection.path
    connection.close()
    try:
        with mend_lock(path):
            if connection.log is not None and connection.log == identity(path + "-wal"):
                os.replace(path + "-wal", path + ".log-of-replaced-file")
                os.unlink(path + "-shm")
    except OSError:
        return  # the whole folder is gone


def _begin_anew(path: str, now: datetime) -> Mended:
    aside = f"{path}.damaged-{stamp(now)[:19].replace(':', '')}"
    holder = _hold(path)
    try:
        for end in ENDS:
            if os.path.exists(path + end):
                os.replace(path + end, aside + end)
        os.chmod(aside, 0o600)
        os.utime(aside)  # it is kept as long as other copies, counted from now
        fresh = open_alone(path)
        try:
            return Mended(aside, _save(aside, fresh, now), reindexed=False)
        finally:
            fresh.close()
    finally:
        holder.close()


def _hold(path: str) -> sqlite3.Connection:
    """Keep others from writing into the file while it is set aside, as far as it still allows."""
    holder = sqlite3.connect(path, isolation_level=None)
    try:
        holder.execute("BEGIN IMMEDIATE")
    except sqlite3.Error:
        pass
    return holder


def _is_sound(path: str) -> bool:
    """Tell whether the file can be read from end to end, and its index fits."""
    try:
        connection = sqlite3.connect(path, isolation_level=None)
        try:
            return _stands_all_checks(connection)
        finally:
            connection.close()
    except sqlite3.Error as error:
        _refuse_to_judge(error)
        return False


def _refuse_to_judge(error: sqlite3.Error) -> None:
    """Raise what says nothing about the file itself: a sound one must not be set aside for it."""
    found = explain(error)
    if isinstance(found, (errors.StoreBusy, errors.StoreFull)):
        raise found from error


def _stands_all_checks(connection: sqlite3.Connection) -> bool:
    if not 0 < schema.version(connection) <= schema.CURRENT:
        return False
    if connection.execute("PRAGMA integrity_check(1)").fetchone()[0] != "ok":
        return False
    connection.execute(
        "INSERT INTO memories_fts (memories_fts, rank) VALUES ('integrity-check', 1)"
    )
    for table in TABLES:  # a text may have become none
        for _row in connection.execute(f"SELECT * FROM {table}"):  # noqa: S608  (fixed names)
            pass
    return True


def _rebuild_index(path: str) -> bool:
    """Rebuild the index where the tables themselves are sound; tell whether that was it."""
    try:
        connection = sqlite3.connect(path, isolation_level=None)
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO memories_fts (memories_fts) VALUES ('rebuild')")
            if _stands_all_checks(connection):
                connection.execute("COMMIT")
                return True
        finally:
            connection.close()
    except sqlite3.Error as error:
        _refuse_to_judge(error)
    return False


def _save(aside: str, fresh: sqlite3.Connection, now: datetime) -> int:
    """Copy every readable row of the damaged file; return how many memories are live now."""
    copy = _copy_with_sound_header(aside)
    try:
        damaged = sqlite3.connect(copy)
        damaged.text_factory = _readable
        damaged.execute("PRAGMA query_only=1")
        known = {name for (name,) in damaged.execute("SELECT name FROM sqlite_master")}
        with write(fresh):
            for table in TABLES:
                if table in known:
                    _copy_table(damaged, fresh, table, now)
            _count_on(fresh)
        damaged.close()
    except sqlite3.Error:
        return 0
    finally:
        for end in ENDS:
            if os.path.exists(copy + end):
                os.unlink(copy + end)
    return memories.count(fresh)


def _copy_with_sound_header(aside: str) -> str:
    """Copy the damaged file and its log, so that it stays as it was, and put the header right."""
    copy = f"{aside}.part-{os.getpid()}"
    for end in ("", "-wal"):
        if os.path.exists(aside + end):
            with open(aside + end, "rb") as source, _private(copy + end) as target:
                while block := source.read(BLOCK):
                    target.write(block)
    with open(copy, "r+b") as file:
        found, size = file.read(header.SIZE), os.path.getsize(copy)
        if size >= header.PAGE:
            pages = header.pages(found, size)
            file.truncate(pages * header.PAGE)
            file.seek(0)
            file.write(header.repaired(found, pages))
    return copy


def _private(path: str) -> BinaryIO:
    return open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def _readable(text: bytes) -> str:
    return text.decode("utf-8", "replace")


def _copy_table(
    damaged: sqlite3.Connection, fresh: sqlite3.Connection, table: str, now: datetime
) -> None:
    columns = [row[1] for row in fresh.execute(f"PRAGMA table_info({table})")]
    names, marks = ", ".join(columns), ", ".join("?" * len(columns))
    for row in _rows(damaged, table, names):
        mended = mending.row(table, dict(zip(columns, row)), now)
        if mended is None:
            continue
        try:
            fresh.execute(
                f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})",  # noqa: S608
                [mended[name] for name in columns],
            )
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
        except sqlite3.Error:
            last, failed = last + 1, failed + 1
            continue
        if row is None:
            return
        if row[0] > last + GAP and failed < GAP - 1:  # perhaps its number is what was damaged
            last, failed = last + 1, failed + 1
            continue
        last, failed = row[0], 0
        yield row[1:]


def _count_on(fresh: sqlite3.Connection) -> None:
    """Let numbers go on behind the highest that was saved, and syncing begin with everything."""
    # What the server has is compared row by row with what was saved: a full dump.
    for name in (state.CURSOR, state.ROWS_CHECKED_AT):
        state.put(fresh, name, "")
    fresh.execute(
        "UPDATE sync_state SET v = max(CAST(v AS INTEGER), 1 + coalesce((SELECT max(local_no) FROM "
        "(SELECT local_no FROM memories UNION ALL SELECT local_no FROM proposals)), 0)) "
        "WHERE k = ?",
        (state.NEXT_LOCAL_NO,),
    )
