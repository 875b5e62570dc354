"""Writes and reads single memories. Hot. Every write runs inside the caller's transaction."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache

from claude_memory.errors import NotFound
from claude_memory.memory import Memory, bounded, label, moment, new_uid, stamp
from claude_memory.store import history, ids, meaning, outbox, words
from claude_memory.store.rows import (
    COLUMNS,
    COLUMNS_OF_M,
    FIELDS,
    REPLACED,
    SCOPES,
    VISIBLE,
    to_memory,
)
from claude_memory.store.sameness import normalise

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from claude_memory.memory import Draft

SKEW = timedelta(days=1)
# A row of which nothing but its uid is known.
BARE = Memory(
    uid="",
    local_no=None,
    no=None,
    content="",
    category="",
    tags="",
    expanded_keywords="",
    importance=0.5,
    is_sensitive=False,
    scope="global",
    project="",
    session="",
    session_seq=0,
    source="user",
    supersedes="",
    expires_at="",
    created_at="",
    updated_at="",
)
NOTHING_KEPT = (
    "Nothing is kept here that it could be brought back from: earlier texts are kept 30 days, and "
    "none after a purge."
)
ELSEWHERE = (
    "Nothing is kept here that it could be brought back from. What another machine deleted, or "
    "changed before it came here, comes back there, or on the server "
    "(POST /api/memories/ID/restore), for 30 days, unless it was purged."
)
NO_STATE = (0, None, False, 0)
STORED = f"{COLUMNS}, live, twin, words, sv, srv, srv_live, gen"
INSERT = f"INSERT INTO memories ({STORED}) VALUES ({', '.join('?' * (len(FIELDS) + 7))})"  # noqa: S608


@lru_cache(maxsize=4)  # storing a text asks three times
def twin_key(content: str) -> str:
    """Return a digest that equal texts share (NFC, white space and one full stop aside)."""
    import hashlib

    text = normalise(content).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=16).hexdigest()


def present(connection: sqlite3.Connection, now: datetime) -> datetime:
    """Return `now`, or just after the newest memory when the clock was set back a little.

    So "newest first" stays true across a small correction; a clock that is off by more than a day
    is taken at its word, and status says so.
    """
    found = newest_time(connection)
    if not found:
        return now
    newest = moment(found)
    return newest + timedelta(microseconds=1) if now <= newest < now + SKEW else now


def newest_time(connection: sqlite3.Connection) -> str:
    """Return when the newest live memory was made, or an empty text."""
    row = connection.execute(
        "SELECT created_at FROM memories WHERE live = 1 ORDER BY created_at DESC, rid DESC LIMIT 1"
    ).fetchone()
    return str(row[0]) if row else ""


def add(
    connection: sqlite3.Connection,
    draft: Draft,
    now: datetime,
    *,
    seq: int,
    uid: str = "",
    local_no: int | None = None,
    created_at: str = "",
) -> Memory:
    """Insert a memory; a uid and a local number are made unless they are given."""
    at = stamp(present(connection, now))
    memory = Memory(
        uid=uid or new_uid(now),
        local_no=ids.take_local_no(connection) if local_no is None else local_no,
        no=None,
        content=draft.content,
        category=draft.category,
        tags=draft.tags,
        expanded_keywords=draft.expanded_keywords,
        importance=draft.importance,
        is_sensitive=draft.is_sensitive,
        scope=draft.scope,
        project=bounded(draft.project),
        session=bounded(draft.session),
        session_seq=seq,
        source=draft.source,
        supersedes=draft.supersedes,
        expires_at=draft.expires_at,
        created_at=created_at or at,
        updated_at=at,
    )
    meaning.keep(connection, lay_down(connection, memory), memory.content)
    outbox.made(connection, memory, stamp(now))
    return memory


def lay_down(
    connection: sqlite3.Connection,
    memory: Memory,
    *,
    live: bool = True,
    srv: tuple[int, str | None, bool, int] = NO_STATE,
) -> int:
    """Insert the row of a memory, or a tombstone, with the server's state; return its rid.

    `srv` is version, JSON, whether that is of a live row, and the full dump's generation.
    """
    found = (twin_key(memory.content), _words(memory)) if live else ("", "")
    added = connection.execute(INSERT, (*memory, live, *found, *srv))
    return added.lastrowid or 0


def change(connection: sqlite3.Connection, memory: Memory, also: tuple[str, ...] = ()) -> None:
    """Write the changed fields of a live memory; its uid, numbers and source stay.

    Fields named in `also` are sent even if they read as before: their secret has changed.
    """
    before = get(connection, memory.uid)
    if before is None:
        return
    lay_in(connection, memory)
    found = connection.execute("SELECT rid FROM memories WHERE uid = ?", (memory.uid,)).fetchone()
    meaning.keep(connection, found[0], memory.content)
    outbox.changed(connection, before, memory, memory.updated_at, also)


def lay_in(connection: sqlite3.Connection, memory: Memory) -> None:
    """Write the row of a live memory as it is given; only its local number stays.

    Its vector is left to `meaning.fill`: to write thousands at once would hold up everybody.
    """
    connection.execute(
        "UPDATE memories SET no = ?, content = ?, category = ?, tags = ?, expanded_keywords = ?, "
        "importance = ?, is_sensitive = ?, scope = ?, project = ?, session = ?, session_seq = ?, "
        "source = ?, supersedes = ?, expires_at = ?, created_at = ?, updated_at = ?, live = 1, "
        "twin = ?, words = ? WHERE uid = ?",
        (*memory[2:], twin_key(memory.content), _words(memory), memory.uid),
    )


def lay_beside(connection: sqlite3.Connection, memory: Memory) -> None:
    """Write the fields of a live memory that are not searched: the index is left alone."""
    connection.execute(
        "UPDATE memories SET no = ?, category = ?, importance = ?, is_sensitive = ?, scope = ?, "
        "project = ?, session = ?, session_seq = ?, source = ?, supersedes = ?, expires_at = ?, "
        "created_at = ?, updated_at = ? WHERE uid = ?",
        (memory.no, memory.category, *memory[7:], memory.uid),
    )


def bury(connection: sqlite3.Connection, uid: str, at: str, *, forever: bool = False) -> None:
    """Leave only a tombstone of a memory: its uid, its numbers and the time.

    `forever` also erases its history on the server, even if the memory was deleted before.
    """
    if forever or get(connection, uid) is not None:
        outbox.deleted(connection, uid, at, forever=forever)
    lay_out(connection, uid, at)


def lay_out(connection: sqlite3.Connection, uid: str, at: str) -> None:
    """Make the row of a memory a tombstone."""
    connection.execute(
        "UPDATE memories SET live = 0, content = '', category = '', tags = '', "
        "expanded_keywords = '', words = '', twin = '', project = '', session = '', "
        "supersedes = '', expires_at = '', updated_at = ? WHERE uid = ?",
        (at, uid),
    )


def rename_superseded(connection: sqlite3.Connection, uid: str, heir: str, now: datetime) -> None:
    """Let whatever supersedes a memory supersede the one that takes its place."""
    query = (
        f"SELECT {COLUMNS} FROM memories "  # noqa: S608  (fixed names)
        "WHERE supersedes = ? AND supersedes <> '' AND live = 1 AND uid <> ?"
    )
    for row in connection.execute(query, (uid, heir)).fetchall():
        change(connection, to_memory(row)._replace(supersedes=heir, updated_at=stamp(now)))


def get(connection: sqlite3.Connection, uid: str) -> Memory | None:
    """Return the live memory with this uid, or None."""
    query = f"SELECT {COLUMNS} FROM memories WHERE uid = ? AND live = 1"  # noqa: S608
    row = connection.execute(query, (uid,)).fetchone()
    return to_memory(row) if row else None


def count(connection: sqlite3.Connection) -> int:
    """Count the live memories."""
    query = "SELECT count(*) FROM memories WHERE live = 1"
    return int(connection.execute(query).fetchone()[0])


def is_used(connection: sqlite3.Connection, uid: str) -> bool:
    """Tell whether a live memory or a tombstone has this uid."""
    row = connection.execute("SELECT 1 FROM memories WHERE uid = ?", (uid,)).fetchone()
    return row is not None


def named(connection: sqlite3.Connection, memory_id: str) -> Memory:
    """Return the live memory that an id names.

    Raises:
        NotFound: none has it, or it is deleted.
        Ambiguous: it fits two.
    """
    uid = ids.resolve(connection, memory_id)
    memory = get(connection, uid)
    if memory is None:
        fix = "memory_update with restore=true brings it back for 30 days."
        kept = history.latest(connection, uid)
        if kept is None or kept[1] != "deleted":  # it was deleted by another machine, or purged
            fix = way_back(connection, uid)
        message = f"Memory {memory_id} is deleted."
        raise NotFound(message, fix)
    return memory


def way_back(connection: sqlite3.Connection, uid: str) -> str:
    """Say how to get a memory back of which this machine keeps no earlier state."""
    after = heir(connection, uid)
    return after or (ELSEWHERE if outbox.is_bound(connection) else NOTHING_KEPT)


def heir(connection: sqlite3.Connection, uid: str) -> str:
    """Say which live memory took the place of one, as an undone delete does; empty if none did."""
    row = connection.execute(
        f"SELECT {COLUMNS} FROM memories WHERE supersedes = ? AND live = 1",  # noqa: S608
        (uid,),
    ).fetchone()
    return f"{label(to_memory(row))} has taken its place." if row else ""


def twins(
    connection: sqlite3.Connection, content: str, project: str, now: datetime | None
) -> list[Memory]:
    """Return the memories seen from `project` that hold the same text and are visible at `now`.

    Without a time, superseded and expired ones too: what is outdated must not come back as news.
    """
    key = twin_key(content)
    probe = "SELECT 1 FROM memories WHERE twin = ? AND live = 1"
    if not connection.execute(probe, (key,)).fetchone():  # as nearly always
        return []
    rows = connection.execute(
        f"SELECT {COLUMNS_OF_M} FROM memories m WHERE m.twin = :twin AND {SCOPES['']} "  # noqa: S608
        f"AND {VISIBLE if now else 'm.live = 1'} ORDER BY m.rid",
        {"twin": key, "now": stamp(now) if now else "", "project": project},
    )
    text = normalise(content)
    return [memory for memory in map(to_memory, rows) if normalise(memory.content) == text]


def newest(
    connection: sqlite3.Connection,
    now: datetime,
    *,
    category: str,
    tag: str,
    scope: str,
    project: str,
    limit: int,
) -> list[Memory]:
    """Return live memories, newest first; superseded and expired ones are left out."""
    where = [VISIBLE, SCOPES[scope]]
    if category:
        where.append("m.category = :category")
    if tag:
        # SQLite's own lower() knows the letters of ASCII alone.
        connection.create_function("lowered", 1, str.lower)
        where.append("instr(lowered(',' || replace(m.tags, ', ', ',') || ','), :tag) > 0")
    rows = connection.execute(
        f"SELECT {COLUMNS_OF_M} FROM memories m WHERE {' AND '.join(where)} "  # noqa: S608
        "ORDER BY m.created_at DESC, m.rid DESC LIMIT :limit",
        {
            "now": stamp(now),
            "project": project,
            "category": category,
            "tag": f",{tag.lower()},",
            "limit": limit,
        },
    )
    return [to_memory(row) for row in rows]


def of_session(connection: sqlite3.Connection, session: str) -> list[Memory]:
    """Return the live memories that were stored in a session."""
    query = (
        f"SELECT {COLUMNS} FROM memories "  # noqa: S608
        "WHERE session = ? AND session <> '' AND live = 1 ORDER BY session_seq DESC LIMIT 200"
    )
    return [to_memory(row) for row in connection.execute(query, (session,))]


def successor(connection: sqlite3.Connection, uid: str) -> Memory | None:
    """Return the live memory that supersedes this one, if there is one."""
    query = (
        f"SELECT {COLUMNS} FROM memories WHERE uid IN (SELECT s.uid FROM memories m "  # noqa: S608
        f"JOIN memories s ON {REPLACED} WHERE m.uid = ?) ORDER BY rid DESC LIMIT 1"
    )
    row = connection.execute(query, (uid,)).fetchone()
    return to_memory(row) if row else None


def _words(memory: Memory) -> str:
    return words.extra_words(memory.content, memory.tags, memory.expanded_keywords)
