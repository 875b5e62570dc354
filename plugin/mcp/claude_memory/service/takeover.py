"""Takes over the database of the earlier system, once, with a copy of it kept beside ours.

Its `memories` table has an integer id where ours has a uid; the other columns are read by name and
may be missing. Its queue of unsent changes needs no care: every memory in it is a row as well.

Thousands of memories take seconds, all in one transaction: sessions that start meanwhile wait.
"""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from claude_memory import memory as values
from claude_memory import paths
from claude_memory.errors import BadInput
from claude_memory.memory import CATEGORIES, Draft, moment, stamp
from claude_memory.service.secrets import Safe, separate
from claude_memory.store import header, memories, purge, schema, seals, state
from claude_memory.store.connection import open_store, write
from claude_memory.store.lock import PATIENCE
from claude_memory.store.sameness import normalise

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    Seal = Callable[[str, Safe], tuple["seals.Seal | None", tuple[str, ...]]]


@dataclass(frozen=True)
class Taken:
    """How many memories came over, from where, and where the copy is."""

    count: int
    source: str
    copy: str
    unsealed: int

    def sentence(self) -> str:
        """Say what was done, for a person."""
        text = f"{self.count} memories were taken over from {self.source}; a copy is {self.copy}."
        if self.unsealed:
            text += (
                f" {self.unsealed} of them held secrets that could not be sealed: the values are "
                "only in that copy, which is deleted after 30 days."
            )
        return text


def is_earlier(path: str) -> bool:
    """Tell whether `path` is a database of the earlier system; reads its header first."""
    found = header.read(path)
    if not found.startswith(header.MAGIC) or header.has_version(found):
        return False
    try:
        connection = sqlite3.connect(paths.uri(path, "ro"), uri=True, timeout=PATIENCE)
        try:
            columns = {row[1]: row[2] for row in connection.execute("PRAGMA table_info(memories)")}
        finally:
            connection.close()
    except sqlite3.Error:
        return False
    return "content" in columns and "uid" not in columns and "INT" in columns.get("id", "").upper()


def in_place(path: str, seal: Seal, now: datetime) -> Taken | None:
    """Turn an earlier database at our own path into ours, in one transaction.

    Raises:
        StoreError: it cannot be written; the file is as it was.
    """
    connection = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
    try:
        connection.execute("PRAGMA secure_delete=ON")
        with write(connection):  # held while the copy is made: nobody takes over a second time
            if schema.version(connection):  # another session was faster
                return None
            ready, copy = _read(path, path, seal, now)
            _drop_everything(connection)
            schema.create(connection)
            taken = _insert(connection, ready, now)
            state.put(connection, state.REWRITTEN, "1")
        _make_private(path)
        purge.scrub(connection)
    finally:
        connection.close()
    return replace(taken, source="the earlier database at the same place", copy=copy)


def _make_private(path: str) -> None:
    """Take away what the earlier system let others read."""
    os.chmod(os.path.dirname(path), 0o700)
    for end in ("", "-wal", "-shm"):
        if os.path.exists(path + end):
            os.chmod(path + end, 0o600)


def from_elsewhere(source: str, path: str, seal: Seal, now: datetime) -> Taken | None:
    """Bring the memories of an earlier database at `source` into ours; that file is left alone.

    Raises:
        StoreError: ours cannot be written; it is as it was.
    """
    key = f"taken_over:{os.path.realpath(source)}"
    connection = open_store(path)
    try:
        if state.get(connection, key):
            return None
        connection.execute(f"PRAGMA busy_timeout={int(PATIENCE * 1000)}")
        with write(connection):
            if state.get(connection, key):
                return None
            ready, copy = _read(source, path, seal, now)
            state.put(connection, key, stamp(now))
            taken = _insert(connection, ready, now)
    finally:
        connection.close()
    return replace(taken, source=source, copy=copy)


@dataclass(frozen=True)
class _Ready:
    draft: Draft
    uid: str
    created_at: str
    seal: seals.Seal | None
    unsealed: bool


def _read(source: str, path: str, seal: Seal, now: datetime) -> tuple[list[_Ready], str]:
    """Copy the earlier database beside `path` and read its live memories, redacted and sealed."""
    target = f"{path}.earlier-{stamp(now)[:10]}"
    purge.remove_parts(path, now)
    connection = sqlite3.connect(paths.uri(source, "ro"), uri=True, timeout=5)
    try:
        names = [row[1] for row in connection.execute("PRAGMA table_info(memories)")]
        where = " WHERE deleted_at IS NULL" if "deleted_at" in names else ""
        cursor = connection.execute(f"SELECT * FROM memories{where} ORDER BY id")  # noqa: S608
        rows = [dict(zip(names, row)) for row in cursor]
        uids = _uids(rows, now)
        schema.snapshot(connection, target, lambda copy: _mark(copy, uids))
    finally:
        connection.close()
    kept = (row for row in rows if _text(row.get("content")).strip())
    return [_ready(row, uids[row["id"]], seal, now) for row in kept], target


def _uids(rows: list[dict[str, Any]], now: datetime) -> dict[int, str]:
    """Give each row a uid, and rows of the same text the same one."""
    of_text: dict[str, str] = {}
    return {
        row["id"]: of_text.setdefault(normalise(_text(row.get("content"))), values.new_uid(now))
        for row in rows
    }


def _mark(copy: sqlite3.Connection, uids: dict[int, str]) -> None:
    """Write our uids into the copy, so that a purge finds the memory there too."""
    copy.execute("ALTER TABLE memories ADD COLUMN uid TEXT")
    pairs = [(uid, number) for number, uid in uids.items()]
    copy.executemany("UPDATE memories SET uid = ? WHERE id = ?", pairs)
    copy.commit()


def _ready(row: dict[str, Any], uid: str, seal: Seal, now: datetime) -> _Ready:
    safe = separate(
        _text(row.get("content")).strip(),
        _text(row.get("tags")),
        _text(row.get("expanded_keywords")),
    )
    found, _notes = seal(uid, safe)
    category = _text(row.get("category"))
    draft = Draft(
        content=safe.content,
        category=category if category in CATEGORIES else "facts",
        tags=safe.tags,
        expanded_keywords=safe.expanded_keywords,
        importance=_importance(row.get("importance")),
        is_sensitive=bool(safe.kinds) or bool(row.get("is_sensitive")),
        scope="global",
        project="",
        session="",
        source="import",
        supersedes="",
        expires_at="",
    )
    unsealed = bool(safe.clear) and found is None
    return _Ready(draft, uid, _time(row.get("created_at"), now), found, unsealed)


def _text(value: object) -> str:
    return "" if value is None else str(value).replace("\x00", "")


def _importance(value: object) -> float:
    return min(1.0, max(0.0, float(value))) if isinstance(value, (int, float)) else 0.5


def _time(value: object, now: datetime) -> str:
    try:
        return stamp(moment(_text(value)))
    except BadInput:
        return stamp(now)


def _insert(connection: sqlite3.Connection, ready: list[_Ready], now: datetime) -> Taken:
    count = unsealed = 0
    for one in ready:
        if memories.is_used(connection, one.uid):  # the same text once more
            continue
        memories.add(connection, one.draft, now, seq=0, uid=one.uid, created_at=one.created_at)
        if one.seal is not None:
            seals.put(connection, one.uid, one.seal, now)
        count, unsealed = count + 1, unsealed + one.unsealed
    return Taken(count, "", "", unsealed)


def _drop_everything(connection: sqlite3.Connection) -> None:
    """Drop the earlier tables; virtual ones first, since they drop their own shadows."""
    query = (
        "SELECT type, name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' AND type IN "
        "('trigger', 'view', 'table') ORDER BY type = 'table', sql NOT LIKE 'CREATE VIRTUAL%'"
    )
    for kind, name in connection.execute(query).fetchall():
        connection.execute(f'DROP {kind} IF EXISTS "{name}"')
