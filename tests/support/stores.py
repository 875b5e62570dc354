"""Local stores with memories in them, made the way the plugin makes them."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from claude_memory import paths
from claude_memory.memory import Draft
from claude_memory.store import memories, sessions
from claude_memory.store.connection import open_store, write

if TYPE_CHECKING:
    import sqlite3

    from claude_memory.memory import Memory

NOW = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
PROJECT = "github.com/acme/site"


_open_ones: list[sqlite3.Connection] = []


def opened(home: object) -> sqlite3.Connection:
    """Open the store of a data folder until the test ends; make it if there is none."""
    return kept(open_store(paths.database(str(home))))


def kept(connection: sqlite3.Connection) -> sqlite3.Connection:
    """Have a connection closed when the test ends: a forgotten one warns, wherever that falls."""
    _open_ones.append(connection)
    return connection


def close_all() -> None:
    """Close what the test has opened in its own thread."""
    while _open_ones:
        _open_ones.pop().close()


def put(connection: sqlite3.Connection, content: str, **fields: Any) -> Memory:
    """Store one memory: a global fact of average weight unless `fields` say otherwise."""
    now = fields.pop("now", NOW)
    values = {
        "category": "facts",
        "tags": "",
        "expanded_keywords": "",
        "importance": 0.5,
        "is_sensitive": False,
        "scope": "global",
        "project": "",
        "session": "",
        "source": "user",
        "supersedes": "",
        "expires_at": "",
    }
    draft = Draft(content=content, **{**values, **fields})
    with write(connection, durable=False):
        seq = sessions.next_seq(connection, draft.session, draft.project, now)
        return memories.add(connection, draft, now, seq=seq)
