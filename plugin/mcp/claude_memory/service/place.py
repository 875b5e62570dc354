"""Where a service works: this session, this project, this store, this clock."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from claude_memory.store.connection import open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from claude_memory.store.connection import StoreConnection


@dataclass(frozen=True)
class Place:
    """The session that asks and the file it asks; one SQLite connection for each thread."""

    database: str
    home: str
    project: str
    session: str
    now: Callable[[], datetime]
    _threads: threading.local = field(default_factory=threading.local, repr=False)

    def connection(self) -> StoreConnection:
        """Return this thread's connection, opened at its first use or when the file was replaced.

        Raises:
            StoreError: the store cannot be opened.
        """
        found: StoreConnection | None = getattr(self._threads, "connection", None)
        if found is not None and found.is_current():
            return found
        if found is not None:
            found.close()
        self._threads.connection = found = open_store(self.database)
        return found
