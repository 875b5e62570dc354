"""Where a service works: this session, this project, this store, this clock."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from claude_memory.errors import (
    StoreDamaged,
    StoreError,
    StoreFull,
    StoreNewer,
    StoreReadOnly,
)
from claude_memory.store import schema
from claude_memory.store.connection import open_reader, open_store
from claude_memory.store.trouble import explain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from claude_memory.service.opening import Opening
    from claude_memory.store.connection import StoreConnection


@dataclass
class _Shared:
    """What the threads of one process share."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    mine: threading.local = field(default_factory=threading.local)
    path: str = ""
    session: str = ""
    prepared: str = ""  # the file that was prepared


@dataclass(frozen=True)
class Place:
    """The session that asks and the file it asks; one SQLite connection for each thread.

    `locate` tells which file that is; it may be another one after a store was bound to an account.
    `first_session` is the one that the process began with; `/clear` begins another one in it.
    """

    locate: Callable[[], str]
    home: str
    project: str
    first_session: str
    now: Callable[[], datetime]
    opening: Opening
    _shared: _Shared = field(default_factory=_Shared, repr=False)

    @property
    def session(self) -> str:
        """The session that goes on now."""
        return self._shared.session or self.first_session

    def enter(self, session: str) -> None:
        """Work for this session from now on."""
        self._shared.session = session

    @property
    def database(self) -> str:
        """The path of the file to work in."""
        if not self._shared.path:
            self._shared.path = self.locate()
        return self._shared.path

    def relocate(self) -> None:
        """Ask anew which file to work in; every thread goes over to it with its next request."""
        self._shared.path = self.locate()

    def connection(self) -> StoreConnection:
        """Return this thread's connection, opened at its first use or when the file was replaced.

        Raises:
            StoreError: the store cannot be opened.
        """
        mine = self._shared.mine
        found: StoreConnection | None = getattr(mine, "connection", None)
        if found is not None and found.path == self.database and found.is_current():
            return found
        if found is not None:
            del mine.connection
            _leave(found)
            self.relocate()
        with self._shared.lock:
            mine.connection = found = self._open()
        return found

    def begin(self) -> StoreConnection:
        """Return this thread's connection for new work; one that only reads is opened anew.

        Raises:
            StoreError: the store cannot be opened.
        """
        self._let_go_of_reader()
        return self.connection()

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Run one request: errors of SQLite come out as ours, and a damaged store is mended.

        Raises:
            StoreError: what went wrong and what to do.
        """
        self._let_go_of_reader()
        try:
            yield
        except (sqlite3.Error, StoreDamaged) as error:
            found = self._refusal() or explain(error)
            if isinstance(found, StoreDamaged):
                raise self._mended() from error
            raise found from error

    def _open(self) -> StoreConnection:
        try:
            if self._shared.prepared != self.database:
                self.opening.prepare(self.database)
                self._shared.prepared = self.database
            return open_store(self.database)
        except StoreDamaged:
            self.opening.mend(self.database)
            return open_store(self.database)
        except (StoreFull, StoreNewer, StoreReadOnly) as error:
            return self._reader(error)

    def _reader(self, refusal: StoreError) -> StoreConnection:
        """Open what must not be written for reading, so that at least recall works."""
        try:
            found = open_reader(self.database)
        except StoreError:
            raise refusal from None
        found.refusal = refusal
        return found

    def _refusal(self) -> StoreError | None:
        """Return why this thread's connection only reads, if it does."""
        found: StoreConnection | None = getattr(self._shared.mine, "connection", None)
        return None if found is None else found.refusal

    def _let_go_of_reader(self) -> None:
        """Let new work try again whether the store can be written, and no longer if it cannot."""
        found: StoreConnection | None = getattr(self._shared.mine, "connection", None)
        if found is not None and (found.refusal is not None or _is_outgrown(found)):
            found.close()
            del self._shared.mine.connection

    def _mended(self) -> StoreDamaged:
        with self._shared.lock:
            said = self.opening.mend(self.database)
        return StoreDamaged(said, "Please try again.")


def _is_outgrown(connection: StoreConnection) -> bool:
    """Tell whether a later version has upgraded the file since; of a damaged one, that not."""
    try:
        return schema.version(connection) > schema.CURRENT
    except sqlite3.Error:
        return False


def _leave(connection: StoreConnection) -> None:
    """Close a connection to a file that is no longer worked in, or is there no longer."""
    if connection.is_current():
        connection.close()  # others may be at work in it: its log stays with it
        return
    from claude_memory.store import salvage  # (rare)

    salvage.leave(connection)
