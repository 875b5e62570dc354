"""Makes text unrecoverable: out of the row, the history, the index, the log and the snapshots.

`secure_delete` zeroes freed pages, but not what moved between pages, hence `VACUUM`; the full-text
index keeps deleted words in old segments until they are merged, hence `optimize`; the write-ahead
log keeps old pages until it is truncated.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time

from claude_memory.store import (
    history,
    memories,
    proposals,
    seals,
    shelf,
    state,
    turns,
    weighings,
)
from claude_memory.store.connection import BETWEEN_PARTS, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

PURGED = "purged"  # the server's mark on what is left of a memory
IN_COPIES = "purged_elsewhere:"  # before a uid: it may still be in the copies
MERGED = 50  # pages of the index in one transaction
PART_SECONDS = 600  # making a copy takes a few
LOGS = ("-wal", "-shm", "-journal")  # of a copy that is open, or was not closed
NO_COPIES = (*LOGS, ".lock")
# Of a copy: what names its memory, and what waited to be sent, learned or decided on when the copy
# was made. Nobody goes on with that, and its text may be that of a memory stored later.
OF_A_MEMORY = ("memories", "history", "secrets")
UNFINISHED = ("pending_ops", "shelf", "turns", "proposals")


def forget_origin(connection: sqlite3.Connection, uid: str) -> None:
    """Drop what a memory could be learned from again, and proposals that say the same."""
    earlier = history.latest(connection, uid)
    memory = memories.get(connection, uid) or (earlier[2] if earlier else None)
    if memory is not None:
        turns.forget(connection, memory.session)
        proposals.forget(connection, memory.content)


def forget(connection: sqlite3.Connection, uid: str) -> None:
    """Erase all earlier texts of a purged memory; call it inside a write transaction.

    Its seals become loose, and its copies stay for `finish_copies`: whatever comes in between,
    upkeep goes on there.
    """
    before = connection.total_changes
    connection.execute("DELETE FROM history WHERE uid = ?", (uid,))
    seals.loosen(connection, uid)
    shelf.forget(connection, uid)
    weighings.forget(connection)
    # The server's state stays counted until the server says that it is gone, without its text.
    bare = json.dumps({"uid": uid, PURGED: True})
    query = "UPDATE memories SET srv = CASE WHEN srv <> '' THEN ? ELSE srv END WHERE uid = ?"
    connection.execute(query, (bare, uid))
    if connection.total_changes > before:  # a new machine hears of many that it never had
        state.put(connection, state.REWRITTEN, "1")
    state.put(connection, IN_COPIES + uid, "1")


def expire(connection: sqlite3.Connection, before: str) -> None:
    """Erase earlier texts that are of no use any more, after which a scrub is due."""
    with write(connection):
        seals.loosen_useless(connection, before)
        if history.expire(connection, before):
            state.put(connection, state.REWRITTEN, "1")
        connection.execute("DELETE FROM shelf WHERE at < ?", (before,))


def scrub(connection: sqlite3.Connection) -> bool:
    """Overwrite what deleted text left in the index, in the pages and in the write-ahead log.

    Returns whether nothing is left; False while another session reads an old state of the file.
    A later call (upkeep makes one) finishes the work.
    """
    _merge_index(connection)
    if not _rewrite(connection):
        return False
    with write(connection):
        state.put(connection, state.REWRITTEN, "")
    return True


def _merge_index(connection: sqlite3.Connection) -> None:
    """Make one segment of the full-text index, a part at a time: others can store meanwhile."""
    pages = -MERGED  # of all segments, not of some of like size; it is told so once
    while True:
        with write(connection):
            state.put(connection, state.REWRITTEN, "1")
            before = connection.total_changes
            merge = "INSERT INTO memories_fts (memories_fts, rank) VALUES ('merge', ?)"
            connection.execute(merge, (pages,))
            if connection.total_changes - before <= 1:  # as the manual says: nothing was left to do
                return
        pages = MERGED
        time.sleep(BETWEEN_PARTS)


def _rewrite(connection: sqlite3.Connection) -> bool:
    """Write the whole file anew: between the cells of split pages stay copies of moved rows."""
    try:
        connection.execute("PRAGMA temp_store=FILE")  # it may be much for the memory
        connection.execute("VACUUM")
        return not connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    except sqlite3.OperationalError:  # no lock, or no room
        return False
    finally:
        connection.execute("PRAGMA temp_store=MEMORY")


def is_due(connection: sqlite3.Connection) -> bool:
    """Tell whether a scrub has to be done or finished."""
    return bool(state.get(connection, state.REWRITTEN))


def copies(path: str) -> list[str]:
    """Return the snapshots and backups that stand beside the database at `path`."""
    folder, name = os.path.split(path)
    beside = (entry for entry in os.listdir(folder) if entry.startswith(name + "."))
    whole = (entry for entry in beside if ".part-" not in entry and not entry.endswith(NO_COPIES))
    return [os.path.join(folder, entry) for entry in sorted(whole)]


def finish_copies(connection: sqlite3.Connection, path: str, now: datetime) -> list[str]:
    """Erase what was purged from the copies as well; return those that could not be cleaned."""
    size = len(IN_COPIES)
    query = "SELECT k, substr(k, ?) FROM sync_state WHERE substr(k, 1, ?) = ?"
    left = connection.execute(query, (size + 1, size, IN_COPIES)).fetchall()
    stubborn = purge_copies(path, [uid for _, uid in left], now) if left else []
    if left and not stubborn:
        with write(connection):
            keys = [(key,) for key, _ in left]
            connection.executemany("DELETE FROM sync_state WHERE k = ?", keys)
    return stubborn


def purge_copies(path: str, uids: Collection[str], now: datetime) -> list[str]:
    """Erase memories from the copies beside the database; return those that could not be cleaned.

    The copy that a takeover keeps of an earlier system's database has our uids too.
    """
    stubborn = []
    remove_parts(path, now)
    for copy in copies(path):
        try:
            made = os.stat(copy)
            _purge_copy(copy, uids)
            os.utime(copy, ns=(made.st_atime_ns, made.st_mtime_ns))  # it goes when it would have
        except (OSError, sqlite3.Error):
            stubborn.append(copy)
    return stubborn


def _purge_copy(copy: str, uids: Collection[str]) -> None:
    connection = sqlite3.connect(copy, isolation_level=None)
    try:
        connection.execute("PRAGMA secure_delete=ON")
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        connection.execute("BEGIN IMMEDIATE")  # of a thousand memories too
        gone = 0
        for table in tables.intersection(OF_A_MEMORY):
            query = f"DELETE FROM {table} WHERE uid = ?"  # noqa: S608  (three fixed names)
            gone += connection.executemany(query, [(uid,) for uid in uids]).rowcount
        for table in tables.intersection(UNFINISHED):
            gone += connection.execute(f"DELETE FROM {table}").rowcount  # noqa: S608
        if gone and "sync_state" in tables:
            weighings.forget(connection)
        if gone and "memories_fts" in tables:
            connection.execute("INSERT INTO memories_fts (memories_fts) VALUES ('optimize')")
        connection.execute("COMMIT")
        if gone:
            connection.execute("VACUUM")
    finally:
        connection.close()


def remove_parts(path: str, now: datetime) -> None:
    """Delete what a copy that was cut off has left, once nobody can still be making it."""
    folder, name = os.path.split(path)
    for entry in os.listdir(folder):
        part = os.path.join(folder, entry)
        if not entry.startswith(name + ".") or ".part-" not in entry:
            continue
        if os.path.getmtime(part) < now.timestamp() - PART_SECONDS:
            os.unlink(part)


def remove_old_copies(path: str, now: datetime) -> None:
    """Delete the copies older than the history is kept, those of other accounts' files included."""
    folder, oldest = os.path.dirname(path), now.timestamp() - history.KEPT_DAYS * 86_400
    named = (entry.partition(".db.") for entry in os.listdir(folder))
    for name in {name for name, is_copy, _ in named if is_copy}:
        database = os.path.join(folder, f"{name}.db")
        remove_parts(database, now)
        for copy in [one for one in copies(database) if os.path.getmtime(one) < oldest]:
            for end in ("", *LOGS):
                if os.path.exists(copy + end):
                    os.unlink(copy + end)
