"""Which file belongs to which key: `memory.db` to the first, `memory-<account>.db` to others.

As long as the account of a key is not known, what is written under it goes to a file of its own,
unless `memory.db` still belongs to nobody. `bindings.json` beside the files says which key works
where.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, TypeVar

from claude_memory import paths
from claude_memory.errors import StoreBusy, StoreError
from claude_memory.store import bindings, ownership, state
from claude_memory.store.bindings import FIRST
from claude_memory.store.connection import open_reader, open_store, write
from claude_memory.store.lock import Lock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from claude_memory.store.connection import StoreConnection
    from claude_memory.sync.wire import Hello

T = TypeVar("T")
PATIENCE = 5.0  # seconds to wait for another session that changes the bindings
BLOCK = 1_000_000  # local numbers of one file, so that a moved memory keeps its own


class Files:
    """The database files of one data folder, as one key sees them."""

    def __init__(self, home: str, key: str) -> None:
        """Keep the folder and the fingerprint of the key; nothing is read yet."""
        self._home = home
        self._folder = os.path.dirname(paths.database(home))
        self.key = key
        self._waiting = bindings.waiting(key)

    def path(self) -> str:
        """Return the file to work in now; a key seen for the first time gets one assigned.

        Raises:
            StoreError: the folder cannot be used.
        """
        known = self._read().get(self.key)
        if known is None:
            paths.make_private_folder(self._folder)
            with self._alone():
                known = self._read().get(self.key) or self._assign()
        return self._at(known)

    def bind(self, connection: StoreConnection, hello: Hello, now: datetime) -> bool:
        """Make sure that this key works in the file of its account; tell whether that is another.

        What was written here while the account was not known is brought there. A file of another
        account that the key opened before is left as it is, and noted there.

        Raises:
            StoreError: a file cannot be written; nothing was bound.
        """
        mine, here = (hello.server_id, hello.account_id), os.path.basename(connection.path)
        if ownership.owner(connection) == mine and not self._is_there(self._waiting):
            return False
        with self._alone():
            target = self._file_for(connection, hello, now)
            self._save({**self._read(), self.key: target})
            for name in {here, self._waiting} - {target}:
                if self._is_there(name):
                    self._move(name, target, now)
        return target != here

    def _file_for(self, connection: StoreConnection, hello: Hello, now: datetime) -> str:
        """Return the name of the account's file, which is bound to it when this returns."""
        mine, here = (hello.server_id, hello.account_id), os.path.basename(connection.path)
        if ownership.owner(connection) == mine:
            return here
        names = [FIRST, f"memory-{mine[1]}.db", f"memory-{mine[1]}-{mine[0][:8]}.db"]
        for name in names:
            if self._is_there(name) and self._owner(name) == mine:
                return name
        if here == FIRST and not any(ownership.owner(connection)):
            with write(connection):
                ownership.bind(connection, *mine, hello.epoch, now)
            return FIRST
        return self._begin(next(filter(self._is_free, names)), hello, now)

    def _assign(self) -> str:
        """Choose the file for a key that was never seen here.

        The same key with another address is a person who has corrected the address.
        """
        is_bound = self._is_there(FIRST) and any(self._owner(FIRST))
        others = [key for key, name in self._read().items() if name == FIRST]
        is_taken = is_bound or not all(bindings.is_same_key(key, self.key) for key in others)
        name = self._waiting if is_taken else FIRST
        if is_taken and not self._is_there(name):
            with self._opened(name) as fresh, write(fresh):
                self._number(fresh)
        self._save({**self._read(), self.key: name})
        return name

    def _begin(self, name: str, hello: Hello, now: datetime) -> str:
        """Make the file of an account that has none yet."""
        with self._opened(name) as fresh, write(fresh):
            self._number(fresh)
            ownership.bind(fresh, hello.server_id, hello.account_id, hello.epoch, now)
        return name

    def _number(self, fresh: StoreConnection) -> None:
        """Let the numbers of a new file begin where no other file's are."""
        others = [name for name in os.listdir(self._folder) if name.endswith(".db")]
        others.remove(os.path.basename(fresh.path))
        highest = max((_told(self._at(name), _highest_number, 0) for name in others), default=0)
        if others:
            state.put(fresh, state.NEXT_LOCAL_NO, str((highest // BLOCK + 1) * BLOCK + 1))

    def _move(self, name: str, target: str, now: datetime) -> None:
        """Bring what a local file holds into an account's file, and remove it.

        It would be sent to whoever binds it next as well. Whoever waits for its lock meanwhile
        finds it replaced, and writes to the other one. A file that is bound is only noted.
        """
        with self._opened(name) as source, self._opened(target) as into, write(source, keep=False):
            with write(into):
                if any(ownership.owner(source)):
                    before = {name, *ownership.former(source)} - {target}
                    ownership.follow(into, sorted(before))
                    return
                ownership.move(source, into, now)
            _remove(self._at(name))

    def _opened(self, name: str) -> closing[StoreConnection]:
        return closing(open_store(self._at(name)))

    def _at(self, name: str) -> str:
        return os.path.join(self._folder, name)

    def _is_there(self, name: str) -> bool:
        return os.path.exists(self._at(name))

    def _read(self) -> dict[str, str]:
        return bindings.read(self._folder)

    def _save(self, keys: dict[str, str]) -> None:
        bindings.save(self._folder, keys, bindings.last(self._home))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let one process at a time go on; none waits for ever."""
        with Lock(os.path.join(self._folder, bindings.LOCK), PATIENCE) as lock:
            if not lock.is_held:
                message = "Another session is binding this folder to an account."
                raise StoreBusy(message)
            yield

    def _is_free(self, name: str) -> bool:
        """Tell whether an account's file may begin here; one killed while it began may be left."""
        if not self._is_there(name):
            return True
        return name != FIRST and _told(self._at(name), _is_unbegun, otherwise=False)

    def _owner(self, name: str) -> tuple[str, str]:
        """Return to whom a file belongs; to nobody where that cannot be told."""
        return _told(self._at(name), ownership.owner, ("", ""))


def _told(path: str, ask: Callable[[StoreConnection], T], otherwise: T) -> T:
    try:
        with closing(open_reader(path)) as connection:
            return ask(connection)
    except (StoreError, sqlite3.Error):  # an earlier system's file, or a damaged one
        return otherwise


def _is_unbegun(connection: StoreConnection) -> bool:
    """Tell whether a file was made and not bound yet: that is done before anything is written."""
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    return not tables or not any(ownership.owner(connection))


def _highest_number(connection: StoreConnection) -> int:
    """Return the highest local number that a file has given out or holds."""
    held = connection.execute("SELECT max(local_no) FROM memories").fetchone()[0] or 0
    return max(int(held), int(state.get(connection, state.NEXT_LOCAL_NO, "1")) - 1)


def _remove(path: str) -> None:
    try:
        for end in ("", "-wal", "-shm"):
            if os.path.exists(path + end):
                os.unlink(path + end)
    except OSError:
        return  # where open files cannot be removed it is moved again, which does no harm
