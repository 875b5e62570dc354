"""Files beside a store that belong to nobody yet: written under a key no server has accepted. Hot.

They are sent when that key works; a key or an address that was misspelt never does, so that what
was stored under it has to be shown to a person.
"""

from __future__ import annotations

import os
import sqlite3
from collections import namedtuple

from claude_memory.errors import StoreError
from claude_memory.store import binding, bindings, memories
from claude_memory.store.connection import open_reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NamedTuple

    class Waiting(NamedTuple):
        """A file, and how many of its memories are not in the store that is in use."""

        path: str
        held: int

else:
    Waiting = namedtuple("Waiting", "path held")


def files(connection: sqlite3.Connection) -> list[Waiting]:
    """Return the files that wait for their key's account and hold what this store does not."""
    path = connection.execute("PRAGMA database_list").fetchone()[2]
    if not path:
        return []  # in memory
    return _beside(path, lambda uid: memories.is_used(connection, uid))


def beside(path: str) -> list[Waiting]:
    """Return the files that wait beside a store which is not made yet."""
    return _beside(path, lambda _uid: False)


def _beside(path: str, is_here: Callable[[str], bool]) -> list[Waiting]:
    folder, here = os.path.split(path)
    paths = [os.path.join(folder, name) for name in sorted(_names(folder)) if name != here]
    found = [Waiting(path, _count(path, is_here)) for path in paths]
    return [one for one in found if one.held]


def _names(folder: str) -> set[str]:
    there = {name for name in os.listdir(folder) if name.endswith(".db")}
    kept_for_a_key = {bindings.FIRST} & set(bindings.read(folder).values())
    return there & kept_for_a_key | {name for name in there if name.startswith(bindings.WAITING)}


def _count(path: str, is_here: Callable[[str], bool]) -> int:
    try:
        other = open_reader(path)
    except StoreError:
        return 0
    try:
        if any(binding.owner(other)):
            return 0
        rows = other.execute("SELECT uid FROM memories WHERE live = 1").fetchall()
    except sqlite3.Error:  # an earlier system's file, or a damaged one
        return 0
    finally:
        other.close()
    return sum(not is_here(uid) for (uid,) in rows)
