"""What a store needs now and then, off every request.

That is expiry, scrubbing, pruning, a check of the index, and vectors that are missing.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from claude_memory.errors import StoreBusy
from claude_memory.memory import days_before, stamp
from claude_memory.service.secrets import Unattended
from claude_memory.store import failures, history, meaning, purge, sessions, state
from claude_memory.store.connection import write

if TYPE_CHECKING:
    import sqlite3

    from claude_memory.service.place import Place
    from claude_memory.service.secrets import SecretDoor

LAST = "upkeep_at"
DAILY = timedelta(days=1)
AT_ONCE = 100  # vectors written in one transaction: others wait for it


def run(place: Place, door: SecretDoor) -> None:
    """Do what is due; a second session that comes at the same time finds little left to do.

    Raises:
        StoreError: the store cannot be written now; the next run does it.
    """
    with place.guarded():
        connection = place.connection()
        purge.expire(connection, days_before(place.now(), history.KEPT_DAYS))
        Unattended(place, door).destroy_loose(connection)
        purge.finish_copies(connection, place.database, place.now())
        if purge.is_due(connection):
            purge.scrub(connection)
        if _claim_the_day(place, connection):
            purge.remove_old_copies(place.database, place.now())
            sessions.prune(connection, place.now())
            _check_index(place, connection)
            connection.execute("PRAGMA optimize")
        if state.get(connection, state.IN_FULL_DUMP) != "1":  # else who receives them does it
            _understand(connection)


def _understand(connection: sqlite3.Connection) -> None:
    """Write what memories mean where that is missing: those of earlier versions, or from afar."""
    with write(connection, durable=False):
        meaning.begin(connection)
    last = 0
    while True:
        with write(connection, durable=False):
            last = meaning.fill(connection, last, AT_ONCE)
        if not last:
            break
    while True:
        with write(connection, durable=False):
            if not meaning.seal(connection):
                return


def _claim_the_day(place: Place, connection: sqlite3.Connection) -> bool:
    """Let one session a day do the work that reads the whole store."""
    if _is_done(place, connection):
        return False
    with write(connection, durable=False):
        if _is_done(place, connection):
            return False
        state.put(connection, LAST, stamp(place.now()))
    return True


def _is_done(place: Place, connection: sqlite3.Connection) -> bool:
    """Tell whether the day's work is done; a time ahead of the clock is from a wrong one."""
    now = place.now()
    return stamp(now - DAILY) < state.get(connection, LAST) <= stamp(now)


def _check_index(place: Place, connection: sqlite3.Connection) -> None:
    """Compare the full-text index with the memories, and rebuild it where they differ."""
    check = "INSERT INTO memories_fts (memories_fts, rank) VALUES ('integrity-check', 1)"
    try:
        with write(connection, durable=False):
            connection.execute(check)
    except StoreBusy:
        return  # tomorrow
    except Exception:  # noqa: BLE001  (whatever it says, a new index is the answer)
        with write(connection):
            connection.execute("INSERT INTO memories_fts (memories_fts) VALUES ('rebuild')")
        said = "The search index did not fit the memories and was rebuilt; nothing is lost."
        failures.note(place.home, "index", said, place.now())
