"""Writes a store as JSON lines: a header, then one memory a line with its history and seals.

Nothing is lost on the way out and back in, and no clear secret leaves: what was sealed stays
ciphertext, readable only with this machine's key or its Vault.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

from claude_memory.memory import stamp
from claude_memory.store.rows import COLUMNS, to_memory

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from datetime import datetime
    from typing import Any

FORMAT = "claude-memory"
FORMAT_VERSION = 1


def lines(connection: sqlite3.Connection, now: datetime, version: str) -> Iterator[str]:
    """Yield the lines of an export, oldest memory first, all from one moment of the store."""
    header = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "exported_at": stamp(now),
        "claude_memory": version,
    }
    yield json.dumps(header)
    connection.execute("BEGIN")
    try:
        rows = connection.execute(
            f"SELECT {COLUMNS} FROM memories WHERE live = 1 ORDER BY rid"  # noqa: S608
        )
        for row in rows:
            memory = to_memory(row)
            entry: dict[str, Any] = memory._asdict()
            entry["history"] = _history(connection, memory.uid)
            entry["sealed"] = _sealed(connection, memory.uid)
            yield json.dumps(entry, ensure_ascii=False)
    finally:
        connection.execute("COMMIT")


def _history(connection: sqlite3.Connection, uid: str) -> list[dict[str, Any]]:
    rows = connection.execute(
        "SELECT id, at, fields FROM history WHERE uid = ? AND kind = 'edited' ORDER BY id", (uid,)
    )
    return [{"id": entry, "at": at, "fields": json.loads(fields)} for entry, at, fields in rows]


def _sealed(connection: sqlite3.Connection, uid: str) -> list[dict[str, Any]]:
    rows = connection.execute(
        "SELECT bound, history_id, keeper, key_id, blob, at FROM secrets WHERE uid = ? ORDER BY id",
        (uid,),
    )
    names = ("bound", "history_id", "keeper", "key_id", "blob", "at")
    return [
        {**dict(zip(names, row)), "blob": base64.b64encode(row[4]).decode("ascii")} for row in rows
    ]
