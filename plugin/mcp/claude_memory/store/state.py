"""Small facts about the store itself, by name. Hot."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3

MARKS = "last_two_states"
REWRITTEN = "scrub_due"  # the whole file is to be written anew after a purge, or is just now


def get(connection: sqlite3.Connection, key: str, default: str = "") -> str:
    """Return the value kept under `key`."""
    row = connection.execute("SELECT v FROM sync_state WHERE k = ?", (key,)).fetchone()
    return str(row[0]) if row else default


def put(connection: sqlite3.Connection, key: str, value: str) -> None:
    """Keep `value` under `key`; call it inside a write transaction."""
    connection.execute(
        "INSERT INTO sync_state (k, v) VALUES (?, ?) ON CONFLICT (k) DO UPDATE SET v = excluded.v",
        (key, value),
    )


def mark(connection: sqlite3.Connection) -> None:
    """Sign the state that is about to be committed, beside the sign of the one before it."""
    connection.execute(
        "INSERT INTO sync_state (k, v) VALUES (?, hex(randomblob(16))) "
        "ON CONFLICT (k) DO UPDATE SET v = substr(v, 17) || hex(randomblob(8))",
        (MARKS,),
    )
