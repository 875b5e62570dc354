"""Whole memories, as an export writes and an import restores them: with their past and seals."""

from __future__ import annotations

import json
from collections import namedtuple

from claude_memory.store import history, seals
from claude_memory.store.memories import change, get
from claude_memory.store.rows import COLUMNS, to_memory
from claude_memory.store.seals import Seal

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from typing import Any, NamedTuple

    from claude_memory.memory import Memory

    class Earlier(NamedTuple):
        """A state before an edit; `fields` is a memory's as a dict."""

        at: str
        fields: dict[str, Any]

    class Kept(NamedTuple):
        """A seal; `earlier` is the place of its state among the earlier ones, None for today's."""

        seal: Seal
        at: str
        earlier: int | None

    class Record(NamedTuple):
        """A memory with its earlier states, oldest first, and all its seals."""

        memory: Memory
        past: tuple[Earlier, ...]
        sealed: tuple[Kept, ...]

else:
    Earlier = namedtuple("Earlier", "at fields")
    Kept = namedtuple("Kept", "seal at earlier")
    Record = namedtuple("Record", "memory past sealed")


def every(connection: sqlite3.Connection) -> Iterator[Record]:
    """Yield each live memory with its past, oldest first."""
    query = f"SELECT {COLUMNS} FROM memories WHERE live = 1 ORDER BY rid"  # noqa: S608
    for row in connection.execute(query):
        memory = to_memory(row)
        states = connection.execute(
            "SELECT id, at, fields FROM history WHERE uid = ? AND kind = 'edited' ORDER BY id",
            (memory.uid,),
        ).fetchall()
        past = tuple(Earlier(at, _portable(json.loads(fields))) for _, at, fields in states)
        places = {entry: place for place, (entry, _, _) in enumerate(states)}
        yield Record(memory, past, _sealed(connection, memory.uid, places))


def _portable(state: dict[str, Any]) -> dict[str, Any]:
    state.pop(history.FORMER, None)  # the server's versions are of one account
    return state


def _sealed(connection: sqlite3.Connection, uid: str, places: dict[int, int]) -> tuple[Kept, ...]:
    rows = connection.execute(
        "SELECT bound, keeper, key_id, blob, at, history_id FROM secrets WHERE uid = ? "
        "AND (history_id IS NULL OR history_id > 0) ORDER BY id",
        (uid,),
    )
    return tuple(Kept(Seal._make(row[:4]), row[4], places.get(row[5])) for row in rows)


def put_past(
    connection: sqlite3.Connection,
    memory: Memory,
    past: tuple[Earlier, ...],
    sealed: tuple[Kept, ...],
) -> None:
    """Give a memory that was just added its earlier states and seals."""
    entries: list[int] = []
    for at, fields in past:
        here = {**fields, "local_no": memory.local_no, "no": memory.no}
        entries.append(history.put(connection, memory.uid, at, "edited", here))
    for seal, at, earlier in sealed:
        entry = None if earlier is None else entries[earlier]
        seals.lay_down(connection, memory.uid, seal, at, entry)


def copy_past(
    source: sqlite3.Connection, target: sqlite3.Connection, uid: str, local_no: int | None
) -> None:
    """Bring the earlier states of a deleted memory, and their seals, into another store."""
    states = source.execute(
        "SELECT id, at, kind, fields FROM history WHERE uid = ? ORDER BY id", (uid,)
    ).fetchall()
    for entry, at, kind, text in states:
        here = {**_portable(json.loads(text)), "local_no": local_no}
        added = history.put(target, uid, at, kind, here)
        for *seal, sealed_at in source.execute(
            "SELECT bound, keeper, key_id, blob, at FROM secrets WHERE history_id = ?", (entry,)
        ).fetchall():
            seals.lay_down(target, uid, Seal._make(seal), sealed_at, added)


def settle(connection: sqlite3.Connection, uid: str, updated_at: str, supersedes: str) -> None:
    """Write what a restored memory brings that a new one makes for itself."""
    connection.execute("UPDATE memories SET updated_at = ? WHERE uid = ?", (updated_at, uid))
    added = get(connection, uid)
    if added is not None and added.supersedes != supersedes:
        change(connection, added._replace(supersedes=supersedes))
