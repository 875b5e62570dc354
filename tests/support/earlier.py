"""Databases as the earlier system left them on people's machines."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

TABLES = """
CREATE TABLE memories (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    content TEXT NOT NULL,
    category TEXT DEFAULT 'facts',
    tags TEXT DEFAULT '',
    expanded_keywords TEXT DEFAULT '',
    importance REAL DEFAULT 0.5,
    is_sensitive INTEGER DEFAULT 0,
    created_at TEXT DEFAULT (datetime('now')),
    updated_at TEXT DEFAULT (datetime('now')),
    deleted_at TEXT,
    server_id INTEGER
);
CREATE VIRTUAL TABLE memories_fts USING fts5 (
    content, tags, expanded_keywords, content='memories', content_rowid='id',
    tokenize='porter unicode61'
);
CREATE TRIGGER memories_ai AFTER INSERT ON memories BEGIN
    INSERT INTO memories_fts (rowid, content, tags, expanded_keywords)
    VALUES (new.id, new.content, new.tags, new.expanded_keywords);
END;
CREATE TRIGGER memories_ad AFTER DELETE ON memories BEGIN
    INSERT INTO memories_fts (memories_fts, rowid, content, tags, expanded_keywords)
    VALUES ('delete', old.id, old.content, old.tags, old.expanded_keywords);
END;
CREATE TRIGGER memories_au AFTER UPDATE ON memories BEGIN
    INSERT INTO memories_fts (memories_fts, rowid, content, tags, expanded_keywords)
    VALUES ('delete', old.id, old.content, old.tags, old.expanded_keywords);
    INSERT INTO memories_fts (rowid, content, tags, expanded_keywords)
    VALUES (new.id, new.content, new.tags, new.expanded_keywords);
END;
CREATE TABLE pending_ops (
    id INTEGER PRIMARY KEY AUTOINCREMENT, op_type TEXT NOT NULL, memory_id INTEGER,
    payload TEXT, created_at TEXT DEFAULT (datetime('now')), attempts INTEGER DEFAULT 0
);
CREATE TABLE sync_meta (key TEXT PRIMARY KEY, value TEXT);
INSERT INTO sync_meta VALUES ('last_sync', '2025-06-01T10:00:00');
"""


def make(path: Path, rows: Iterable[dict[str, Any]], *, mode: int = 0o644) -> None:
    """Make the earlier system's database with these rows, its file readable for everybody."""
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(str(path))) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.executescript(TABLES)
        for row in rows:
            names, marks = ", ".join(row), ", ".join("?" * len(row))
            number = connection.execute(
                f"INSERT INTO memories ({names}) VALUES ({marks})", tuple(row.values())
            ).lastrowid
            connection.execute(
                "INSERT INTO pending_ops (op_type, memory_id, payload) VALUES ('store', ?, ?)",
                (number, str(row["content"])),
            )
        connection.commit()
    path.chmod(mode)
