"""Small facts about the store itself, each a text under a name. Hot.

The names that more than one module uses are listed here. A switch is "1" or empty.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3

NEXT_LOCAL_NO = "next_local_no"
# To whom the store belongs: empty while it is local.
SERVER, ACCOUNT, EPOCH = "server_id", "account_id", "epoch"
# How far the change feed was read; the last full dump's generation, and whether it is under way.
CURSOR, GEN, IN_FULL_DUMP = "cursor", "gen", "need_sweep"
RESYNC_AT = "resync_at"  # when a full dump was last asked for, because something differed
ROWS_CHECKED_AT = "rows_checked_at"  # when all rows were last compared with their views
# How the exchange with the server goes; ERROR_BY is the fingerprint of the server and key.
LAST_OK, LAST_ERROR, ERROR_BY = "last_ok", "last_error", "error_by"
BLOCKED, READ_ONLY = "blocked", "read_only"
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
