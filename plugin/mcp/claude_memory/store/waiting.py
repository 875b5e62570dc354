"""Files beside a store that hold memories which are not in it, and that a person may look for. Hot.

NEW ones belong to nobody yet: written under a key that no server has accepted. They are sent when
that key works; a key or an address that was misspelt never does. FORMER ones belong to an account
that this store's key opened before, and opens no more. SYNCED ones belong to an account that may
be this store's own: as long as no server has said so, they are not shown. COPIES are files that
another program made: of two machines that share a folder, the one whose store was put aside.
"""

from __future__ import annotations

import os
import sqlite3
from collections import namedtuple

from claude_memory.errors import StoreError
from claude_memory.store import bindings, ownership
from claude_memory.store.connection import StoreConnection, open_reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import NamedTuple

    class Waiting(NamedTuple):
        """A file, how many of its memories are not in the store that is in use, and its kind."""

        path: str
        held: int
        kind: str

else:
    Waiting = namedtuple("Waiting", "path held kind")

NEW, FORMER, SYNCED, COPY = "new", "former", "synced", "copy"
# Each greeting counts: the plus keeps it from going through an index, from row to row.
HELD = "SELECT count(*) FROM memories m WHERE +live = 1"
NOT_HERE = " AND NOT EXISTS (SELECT 1 FROM here.memories h WHERE h.uid = m.uid)"


def files(connection: sqlite3.Connection) -> list[Waiting]:
    """Return the files that hold what this store does not."""
    if not isinstance(connection, StoreConnection):
        return []  # in memory
    return _beside(connection.path, ownership.former(connection), connection.uri)


def beside(path: str) -> list[Waiting]:
    """Return the files that hold something beside a store which is not made yet."""
    return _beside(path, [], "")


def is_for_a_new_key(connection: sqlite3.Connection) -> bool:
    """Tell whether a store is one in which a key works as long as its account is not known."""
    return isinstance(connection, StoreConnection) and _waits(os.path.basename(connection.path))


def _waits(name: str) -> bool:
    return name.startswith(bindings.WAITING)


def _beside(path: str, former: Iterable[str], store: str) -> list[Waiting]:
    folder, here = os.path.split(path)
    names = {name for name in os.listdir(folder) if name.endswith(".db")} - {here}
    of_kind = dict.fromkeys(names, SYNCED) if _waits(here) else {}
    of_kind.update(dict.fromkeys(names & set(former), FORMER))
    found = [_look(os.path.join(folder, name), kind, store) for name, kind in of_kind.items()]
    of_kind = dict.fromkeys(names - {bindings.FIRST}, COPY)
    of_kind.update(dict.fromkeys(_unbound(folder, names), NEW))
    found += [_look(os.path.join(folder, name), kind, store) for name, kind in of_kind.items()]
    return sorted(one for one in found if one.held)


def _unbound(folder: str, names: set[str]) -> set[str]:
    """Return which files can hold what was written under a key that no server has accepted."""
    kept_for_a_key = {bindings.FIRST} & set(bindings.read(folder).values())
    return names & kept_for_a_key | set(filter(_waits, names))


def _look(path: str, kind: str, store: str) -> Waiting:
    nothing = Waiting(path, 0, kind)
    try:
        other = open_reader(path)
    except StoreError:
        return nothing
    try:
        if any(ownership.owner(other)) == (kind in (NEW, COPY)):
            return nothing
        return Waiting(path, _count(other, store), kind)
    except sqlite3.Error:  # an earlier system's file, or a damaged one
        return nothing
    finally:
        other.close()


def _count(other: sqlite3.Connection, store: str) -> int:
    """Count the memories of another file that the store lacks; without one, all of them."""
    if store:  # as bytes, since not every path is UTF-8
        other.execute("ATTACH ? AS here", (os.fsencode(store),))
    return int(other.execute(HELD + NOT_HERE * bool(store)).fetchone()[0])
