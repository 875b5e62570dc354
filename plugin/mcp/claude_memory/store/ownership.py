"""To whom a store belongs: bound to an account once, and to no other ever after. Hot.

Nothing is sent from a store that is not bound. What was remembered before is queued when it is
bound, in the same transaction; no memory is ever matched by its text.
"""

from __future__ import annotations

from claude_memory.errors import BadInput
from claude_memory.memory import drafted, stamp
from claude_memory.store import ids, memories, outbox, records, seals, state
from claude_memory.store.rows import COLUMNS, to_memory

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from claude_memory.store.records import Record

FORMER = "former"


def owner(connection: sqlite3.Connection) -> tuple[str, str]:
    """Return the server and the account that a store belongs to, both empty for a local one."""
    return state.get(connection, state.SERVER), state.get(connection, state.ACCOUNT)


def bind(
    connection: sqlite3.Connection, server: str, account: str, epoch: str, now: datetime
) -> None:
    """Bind a local store and queue all that it holds.

    Raises:
        BadInput: it belongs to somebody already.
    """
    if any(owner(connection)):
        message = "This store belongs to an account already."
        raise BadInput(message)
    state.put(connection, state.SERVER, server)
    state.put(connection, state.ACCOUNT, account)
    state.put(connection, state.EPOCH, epoch)
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM memories WHERE live = 1 ORDER BY rid"  # noqa: S608  (fixed names)
    ).fetchall()
    for memory in map(to_memory, rows):
        outbox.made(connection, memory, stamp(now))
        seals.send(connection, memory.uid)


def former(connection: sqlite3.Connection) -> list[str]:
    """Return the names of the files in which this store's key worked under another account."""
    return state.get(connection, FORMER).split()


def follow(connection: sqlite3.Connection, names: list[str]) -> None:
    """Note in which files this store's key worked under another account."""
    known = former(connection)
    new = [name for name in names if name not in known]
    if new:
        state.put(connection, FORMER, " ".join([*known, *new]))


def move(source: sqlite3.Connection, target: sqlite3.Connection, now: datetime) -> None:
    """Copy what a local store holds into another one, which queues it.

    The caller holds the write locks of both. To do it again does no harm: a uid is copied once.
    """
    for record in records.every(source):
        if not memories.is_used(target, record.memory.uid):
            _copy(target, record, now)
    _move_dead(source, target)
    seals.move_loose(source, target)
    for table in ("turns", "proposals"):
        _copy_rows(source, target, table)


def _copy(target: sqlite3.Connection, record: Record, now: datetime) -> None:
    memory = record.memory
    is_taken = ids.is_local_no_used(target, memory.local_no)
    memories.add(
        target,
        drafted(memory),
        now,
        seq=memory.session_seq,
        uid=memory.uid,
        local_no=None if is_taken else memory.local_no,
        created_at=memory.created_at,
    )
    records.put_past(target, memory, record.past, record.sealed)
    records.settle(target, memory.uid, memory.updated_at, memory.supersedes)
    seals.send(target, memory.uid)


def _move_dead(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
    """Bring what deletes can be undone from; no server has heard of those memories."""
    rows = source.execute(
        "SELECT uid, local_no FROM memories m WHERE live = 0 "
        "AND EXISTS (SELECT 1 FROM history h WHERE h.uid = m.uid) ORDER BY rid"
    ).fetchall()
    for uid, local_no in rows:
        if not memories.is_used(target, uid):
            kept = None if ids.is_local_no_used(target, local_no) else local_no
            memories.lay_down(target, memories.BARE._replace(uid=uid, local_no=kept), live=False)
            records.copy_past(source, target, uid, kept)


def _copy_rows(source: sqlite3.Connection, target: sqlite3.Connection, table: str) -> None:
    """Copy rows under the ids that they have: a turn is known by its own, whoever brings it."""
    names = [row[1] for row in source.execute(f"PRAGMA table_info({table})")]
    marks = ", ".join("?" * len(names))
    listed = ", ".join(names)
    target.executemany(
        f"INSERT OR IGNORE INTO {table} ({listed}) VALUES ({marks})",  # noqa: S608  (fixed names)
        source.execute(f"SELECT {listed} FROM {table}").fetchall(),  # noqa: S608
    )
