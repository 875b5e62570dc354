"""Writes a store as JSON lines: a header, then one memory a line with its history and seals.

Nothing is lost on the way out and back in, and no clear secret leaves: what was sealed stays
ciphertext, readable only with this machine's key or its Vault. Deleted memories stay behind.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

from claude_memory.memory import stamp
from claude_memory.store import records

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from datetime import datetime
    from typing import Any

    from claude_memory.store.records import Kept

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
        for record in records.every(connection):
            entry: dict[str, Any] = record.memory._asdict()
            entry["history"] = [one._asdict() for one in record.past]
            entry["sealed"] = [_seal(one) for one in record.sealed]
            yield json.dumps(entry, ensure_ascii=False)
    finally:
        connection.execute("COMMIT")


def _seal(kept: Kept) -> dict[str, Any]:
    blob = base64.b64encode(kept.seal.blob).decode("ascii")
    return {**kept.seal._asdict(), "blob": blob, "at": kept.at, "history": kept.earlier}
