"""Opens the store for a hook that runs as a process of its own: never makes one, never migrates.

Both are the server's work, which has more time than a hook. Hot.
"""

from __future__ import annotations

import os
import sqlite3

from claude_memory import errors, paths
from claude_memory.store import connection, schema


def open_existing(path: str) -> sqlite3.Connection | None:
    """Open the store at `path`; None where there is none, or none of the present schema yet.

    Raises:
        StoreError: there is one, and it cannot be used.
    """
    if not _has_content(path):
        return None
    reader = connection.open_reader(path)
    try:
        found = schema.version(reader)
    finally:
        reader.close()
    return connection.open_store(path) if found >= schema.CURRENT else None


def is_waiting(home: str) -> bool:
    """Tell whether there are memories that the server has yet to take over or migrate."""
    earlier = os.path.expanduser(paths.EARLIER_HOME)
    return any(_has_content(paths.database(folder)) for folder in (home, earlier))


def try_out(home: str) -> None:
    """Make sure that a store could be made below `home`, without making one.

    Raises:
        StoreReadOnly: no folder can be made there.
        StoreError: this Python's SQLite has no full-text search.
    """
    place = os.path.dirname(paths.database(home))
    while not os.path.lexists(place) and place != os.path.dirname(place):
        place = os.path.dirname(place)
    if not os.path.isdir(place) or not os.access(place, os.W_OK | os.X_OK):
        raise errors.StoreReadOnly(f"No folder for memories can be made in {place}.")
    probe = sqlite3.connect(":memory:")
    try:
        probe.execute("CREATE VIRTUAL TABLE probe USING fts5 (x)")
    except sqlite3.Error as error:
        raise connection.explain(error) from error
    finally:
        probe.close()


def _has_content(path: str) -> bool:
    try:
        return os.stat(path).st_size > 0
    except OSError:
        return False
