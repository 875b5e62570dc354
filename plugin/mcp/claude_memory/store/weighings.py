"""Keeps why the last prompts were given what they were given, and what was kept back. Hot.

A record quotes words of memories, so that a purge drops all records.
"""

from __future__ import annotations

import json

from claude_memory.memory import stamp
from claude_memory.store import state
from claude_memory.store.connection import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from datetime import datetime

KEY = "weighings"
KEPT = 5  # records


def note(
    connection: sqlite3.Connection, given: Iterable[str], cut: Iterable[str], now: datetime
) -> None:
    """Keep one record: a line for each memory that was given, and for each that was kept back."""
    record = {"at": stamp(now), "given": list(given), "cut": list(cut)}
    with write(connection, durable=False):
        state.put(connection, KEY, json.dumps([record, *_read(connection)][:KEPT]))


def last(connection: sqlite3.Connection) -> list[str]:
    """Return the records as lines of text, the latest record first."""
    told = []
    for record in _read(connection):
        told.append(f"{record['at'][:19]}Z")
        told += [f"  given {line}" for line in record["given"]]
        told += [f"  kept back {line}" for line in record["cut"]]
    return told


def forget(connection: sqlite3.Connection) -> None:
    """Drop all records; call it inside a write transaction."""
    connection.execute("DELETE FROM sync_state WHERE k = ?", (KEY,))


def _read(connection: sqlite3.Connection) -> list[dict[str, list[str]]]:
    found: list[dict[str, list[str]]] = json.loads(state.get(connection, KEY, "[]"))
    return found
