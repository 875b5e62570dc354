"""Opens the store for a hook that runs as a process of its own: never makes one, never migrates.

Both are the server's work, which has more time than a hook. Hot.
"""

from __future__ import annotations

import os
import sqlite3

from claude_memory import errors, paths
from claude_memory.store import bindings, connection, schema
from claude_memory.store.trouble import explain


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


def is_waiting(path: str) -> bool:
    """Tell whether the store at `path` is one that the server has yet to take over or migrate."""
    is_first = os.path.basename(path) == bindings.FIRST  # else an earlier system had none of it
    return _has_content(path) or (is_first and _has_content(paths.earlier_database()))


def can_be_read(path: str) -> bool:
    """Tell whether there is a store at `path` that the server can at least read."""
    try:
        reader = connection.open_reader(path)
    except errors.StoreError:
        return False
    try:
        return schema.version(reader) > 0
    finally:
        reader.close()


def try_out(home: str) -> None:
    """Make sure that a store could be made below `home`, without making one.

    Raises:
        StoreReadOnly: no folder can be made there.
        StoreFull: there is no room for one.
        StoreError: this Python's SQLite has no full-text search.
    """
    place = os.path.dirname(paths.database(home))
    while not os.path.lexists(place) and place != os.path.dirname(place):
        place = os.path.dirname(place)
    if not os.path.isdir(place) or not os.access(place, os.W_OK | os.X_OK):
        raise errors.StoreReadOnly(f"No folder for memories can be made in {place}.")
    if paths.without_room(place):
        message = f"No store for memories can be made in {place}: the disk is full."
        raise errors.StoreFull(message, "Free some space.")
    probe = sqlite3.connect(":memory:")
    try:
        probe.execute("CREATE VIRTUAL TABLE probe USING fts5 (x)")
    except sqlite3.Error as error:
        raise explain(error) from error
    finally:
        probe.close()


def _has_content(path: str) -> bool:
    try:
        return os.stat(path).st_size > 0
    except OSError:
        return False
