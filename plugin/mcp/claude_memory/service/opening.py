"""What has to be done before a store is used: take over an earlier one, mend a damaged one."""

from __future__ import annotations

import os
import sqlite3
from typing import TYPE_CHECKING

from claude_memory import paths
from claude_memory.store import failures, header
from claude_memory.store.bindings import FIRST
from claude_memory.store.trouble import explain

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from claude_memory.service.takeover import Seal, Taken


class Opening:
    """Prepares a store's file; whatever a person should know goes to the next greeting."""

    def __init__(self, home: str, now: Callable[[], datetime], seal: Seal) -> None:
        """Keep how secrets in an earlier system's file are sealed."""
        self._home = home
        self._now = now
        self._seal = seal

    def prepare(self, database: str) -> None:
        """Take over a database of the earlier system, here or in its own folder.

        Raises:
            StoreError: it cannot be written; nothing was changed.
        """
        found = header.read(database)
        if header.forbids_writing(found):
            self.mend(database)
            return
        if os.path.basename(database) != FIRST:
            return  # an earlier system had no accounts
        try:
            taken = self._take_over(database, bool(found), header.has_version(found))
        except (sqlite3.Error, OSError) as error:
            raise explain(error, database) from error
        if taken is not None:
            failures.note(self._home, "takeover", taken.sentence(), self._now())

    def mend(self, database: str) -> str:
        """Mend a damaged store and say what was done.

        Raises:
            StoreError: not even a new file can be made.
        """
        from claude_memory.store import salvage  # (rare)

        said = salvage.sentence(salvage.mend(database, self._now()))
        failures.note(self._home, "database", said, self._now())
        return said

    def _take_over(self, database: str, is_there: bool, is_ours: bool) -> Taken | None:  # noqa: FBT001
        earlier = paths.earlier_database()
        if (is_ours or not is_there) and not os.path.exists(earlier):
            return None
        from claude_memory.service import takeover  # (once in a store's life)

        if is_there and not is_ours and takeover.is_earlier(database):
            return takeover.in_place(database, self._seal, self._now())
        if takeover.is_earlier(earlier):
            return takeover.from_elsewhere(earlier, database, self._seal, self._now())
        return None
