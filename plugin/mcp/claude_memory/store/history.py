"""Earlier texts of memories, kept 30 days: what an edit or a delete can be undone from. Hot.

An edit that came from another machine can be undone as one that was made here; a delete that did
cannot, and what was kept before it is of no use any more.
"""

from __future__ import annotations

import json

from claude_memory.memory import Memory, stamp
from claude_memory.store import outbox, state
from claude_memory.store.rows import FIELDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime
    from typing import Any

    Marks = dict[str, Any]

KEPT_DAYS = 30
UNDONE = "undone"
FORMER = "former"
SEALS = "seals"
CAME_BACK = "came_back_from:"  # before a uid: the deleted one whose place it took
USELESS = (  # from before a time, or of a memory that was deleted on another machine
    "(h.at < ? OR NOT EXISTS (SELECT 1 FROM memories WHERE uid = h.uid AND live = 1) "
    "AND NOT EXISTS (SELECT 1 FROM history d WHERE d.uid = h.uid AND d.kind = 'deleted') "
    "AND NOT EXISTS (SELECT 1 FROM pending_ops WHERE uid = h.uid))"
)


def record(
    connection: sqlite3.Connection,
    memory: Memory,
    kind: str,
    now: datetime,
    *,
    undone: bool = False,
) -> int:
    """Keep a memory's present state as `edited` or `deleted`; return the entry's id.

    What a restore leaves is kept as `undone`: it came after the present state, not before it. The
    seal of its secret, if it has one, moves from the memory to the entry.
    """
    blobs = connection.execute(
        "SELECT blob FROM secrets WHERE uid = ? AND history_id IS NULL", (memory.uid,)
    ).fetchall()
    noted: Marks = {UNDONE: True} if undone else {}
    if former := _former(connection, memory.uid):
        noted[FORMER] = former
    if memory.is_sensitive:
        from zlib import crc32

        noted[SEALS] = [crc32(blob) for (blob,) in blobs]
    entry = keep(connection, memory, kind, stamp(now), noted)
    connection.execute(
        "UPDATE secrets SET history_id = ? WHERE uid = ? AND history_id IS NULL",
        (entry, memory.uid),
    )
    return entry


def keep(
    connection: sqlite3.Connection,
    memory: Memory,
    kind: str,
    at: str,
    marks: Marks,
) -> int:
    """Keep a state of a memory, which need not be the present one; its seals stay where they are.

    Returns the entry's id.
    """
    return put(connection, memory.uid, at, kind, {**memory._asdict(), **marks})


def put(connection: sqlite3.Connection, uid: str, at: str, kind: str, fields: Marks) -> int:
    """Write an entry down; return its id. `fields` are those of a memory, and marks."""
    cursor = connection.execute(
        "INSERT INTO history (uid, at, kind, fields) VALUES (?, ?, ?, ?)",
        (uid, at, kind, json.dumps(fields, ensure_ascii=False)),
    )
    return int(cursor.lastrowid or 0)


def _former(connection: sqlite3.Connection, uid: str) -> Marks | None:
    """Return the `uid` and `version` by which the server knows the present content of a memory."""
    for op in reversed(outbox.of_memory(connection, uid)):
        if outbox.RESTORES in op.body:
            return op.body[outbox.RESTORES]  # type: ignore[no-any-return]
        if op.sealed or op.kind == "create" or "content" in op.body:
            return None
    row = connection.execute("SELECT sv FROM memories WHERE uid = ?", (uid,)).fetchone()
    return {"uid": uid, "version": row[0]} if row and row[0] else None


def marks(connection: sqlite3.Connection, entry: int) -> tuple[list[int] | None, Marks]:
    """Return which seals the state of an entry had, and how the server knows that state.

    Seals are told by the CRC-32 of their blobs; None where that was not noted. The server knows a
    state by `uid` and `version`; the version is 1 where it is not known.
    """
    row = connection.execute("SELECT fields FROM history WHERE id = ?", (entry,)).fetchone()
    fields = json.loads(row[0])
    return fields.get(SEALS), fields.get(FORMER) or {"uid": fields["uid"], "version": 1}


def go_on(connection: sqlite3.Connection, uid: str) -> None:
    """Count what was undone as earlier, since an edit follows: it can no longer be redone."""
    rows = connection.execute("SELECT id, fields FROM history WHERE uid = ?", (uid,)).fetchall()
    for entry, text in rows:
        fields = json.loads(text)
        if fields.pop(UNDONE, False):
            earlier = json.dumps(fields, ensure_ascii=False)
            connection.execute("UPDATE history SET fields = ? WHERE id = ?", (earlier, entry))


def latest(
    connection: sqlite3.Connection, uid: str, *, undone: bool = False
) -> tuple[int, str, Memory] | None:
    """Return id, kind and state of the newest entry of a memory, earlier or undone, or None."""
    rows = connection.execute(
        "SELECT id, kind, fields FROM history WHERE uid = ? ORDER BY id DESC", (uid,)
    )
    for entry, kind, text in rows:
        fields = json.loads(text)
        if fields.get(UNDONE, False) is undone:
            earlier = Memory(**{name: fields[name] for name in FIELDS})
            # an undone delete changed the uid
            return int(entry), str(kind), earlier._replace(uid=uid)
    return None


def count(connection: sqlite3.Connection, kind: str) -> int:
    """Count the entries of one kind."""
    query = "SELECT count(*) FROM history WHERE kind = ?"
    return int(connection.execute(query, (kind,)).fetchone()[0])


def remove(connection: sqlite3.Connection, entry: int) -> None:
    """Forget one entry."""
    connection.execute("DELETE FROM history WHERE id = ?", (entry,))


def expire(connection: sqlite3.Connection, before: str) -> int:
    """Forget entries that are of no use any more; return how many."""
    found = f"(SELECT h.id FROM history h WHERE {USELESS})"  # noqa: S608  (a fixed condition)
    return connection.execute(f"DELETE FROM history WHERE id IN {found}", (before,)).rowcount  # noqa: S608


def move(connection: sqlite3.Connection, uid: str, heir: str) -> None:
    """Hand the entries and seals of a memory to the one that takes its place, and note that."""
    state.put(connection, CAME_BACK + heir, uid)
    connection.execute("UPDATE history SET uid = ? WHERE uid = ?", (heir, uid))
    connection.execute("UPDATE secrets SET uid = ? WHERE uid = ?", (heir, uid))


def lineage(connection: sqlite3.Connection, uid: str) -> list[str]:
    """Return a uid, and those that its memory had before deletes of it were undone here."""
    found = [uid]
    while (before := state.get(connection, CAME_BACK + found[-1])) and before not in found:
        found.append(before)
    return found


def rename_superseded(connection: sqlite3.Connection, uid: str, heir: str) -> None:
    """Let a deleted memory that superseded `uid` come back as the successor of its heir."""
    rows = connection.execute(
        "SELECT id, fields FROM history WHERE kind = 'deleted' AND instr(fields, ?)", (uid,)
    )
    for entry, text in rows.fetchall():
        fields = json.loads(text)
        if fields["supersedes"] == uid:
            renamed = json.dumps({**fields, "supersedes": heir}, ensure_ascii=False)
            connection.execute("UPDATE history SET fields = ? WHERE id = ?", (renamed, entry))
