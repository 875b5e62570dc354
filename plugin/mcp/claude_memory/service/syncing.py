"""What a person should know of syncing: how it stands, what waits, what was refused or lost."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from claude_memory.memory import label
from claude_memory.store import memories, outbox
from claude_memory.store.lines import plain
from claude_memory.sync import standing

if TYPE_CHECKING:
    import sqlite3

    from claude_memory.service.place import Place
    from claude_memory.settings import Settings

SHOWN = 5  # rejected changes and conflicts listed at most
STATES = {
    "local": "waiting for the server's first answer",
    "ready": "in step",
    "backoff": "no answer; tried again by itself",
    "key": "the key is refused",
    "upgrade": "server and plugin speak no common version",
}


def lines(connection: sqlite3.Connection, settings: Settings) -> list[tuple[str, str]]:
    """Return where to and how far it is synced."""
    if not settings.syncs:
        queued = outbox.count(connection)
        waiting = f"{queued} changes wait until a key is set again" if queued else ""
        return [("Queue", waiting or "nothing to send: this store is local")]
    now = standing.read(connection)
    queued = now.queued if outbox.is_bound(connection) else _all(connection)
    state = "receiving everything" if _is_receiving(connection) else STATES[now.state]
    last = f"last success {now.last_ok[:16]}Z" if now.last_ok else "no success yet"
    return [
        ("Server", plain(settings.api_url)),
        ("Sync", f"{state}; {last}"),
        ("Queue", f"{queued} changes to send" if queued else "everything is sent"),
    ]


def _all(connection: sqlite3.Connection) -> int:
    """Count what the first answer of a server will queue."""
    query = "SELECT count(*) FROM memories WHERE live = 1"
    return int(connection.execute(query).fetchone()[0])


def _is_receiving(connection: sqlite3.Connection) -> bool:
    query = "SELECT 1 FROM sync_state WHERE k = 'need_sweep' AND v = '1'"
    return connection.execute(query).fetchone() is not None


def attention(connection: sqlite3.Connection, place: Place, settings: Settings) -> list[str]:
    """Return what needs a person, each with its fix."""
    now = standing.read(connection)
    found = []
    if settings.syncs and now.last_error:
        found.append(f"Sync: {now.last_error}")
    if settings.syncs and now.is_read_only:
        found.append("Sync: this key may only read; give it the scope 'write' to send changes.")
    found += [_refused(connection, op) for op in outbox.rejected(connection, SHOWN)]
    if now.rejected > SHOWN:
        found.append(f"{now.rejected - SHOWN} more changes were refused by the server.")
    found += _conflicts(connection)
    return found + _waiting_files(place)


def _refused(connection: sqlite3.Connection, op: outbox.Pending) -> str:
    return (
        f"The server refused the {op.kind} of {_name(connection, op.uid)} ({plain(op.error)}). It "
        "is kept here: change it with memory_update to try again, or discard it with memory_delete."
    )


def _conflicts(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute(
        "SELECT uid, body, at FROM shelf ORDER BY at DESC LIMIT ?", (SHOWN,)
    ).fetchall()
    return [_conflict(connection, *row) for row in rows]


def _conflict(connection: sqlite3.Connection, uid: str, text: str, at: str) -> str:
    mine = json.loads(text)
    lost = json.dumps(mine.get("content", mine), ensure_ascii=False)
    present = memories.get(connection, uid)
    theirs = json.dumps(present.content, ensure_ascii=False) if present else "deleted"
    return (
        f"{_name(connection, uid)} was changed here and elsewhere ({at[:16]}Z). Kept: {theirs}. "
        f"Yours: {lost}; memory_update with id {_name(connection, uid)} and restore=true takes "
        "yours back."
    )


def _name(connection: sqlite3.Connection, uid: str) -> str:
    found = memories.get(connection, uid)
    if found is not None:
        return label(found)
    row = connection.execute("SELECT no, local_no FROM memories WHERE uid = ?", (uid,)).fetchone()
    if row is None or row == (None, None):
        return uid
    return f"#{row[0]}" if row[0] is not None else f"L{row[1]}"


def _waiting_files(place: Place) -> list[str]:
    """Tell of what was written under another key and waits for that key's account."""
    folder = os.path.dirname(place.database)
    here = os.path.basename(place.database)
    names = [name for name in os.listdir(folder) if name.startswith("memory-new-")]
    return [
        f"{plain(name)} holds memories written under another key; they are sent when that key is "
        "used again and its server answers."
        for name in names
        if name.endswith(".db") and name != here
    ]
