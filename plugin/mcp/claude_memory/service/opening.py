"""What has to be done before a store is used: take over an earlier one, mend a damaged one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from claude_memory import paths
from claude_memory.store import failures, header

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from claude_memory.service.takeover import Seal


class Opening:
    """Prepares one store's file; whatever a person should know goes to the next greeting."""

    def __init__(self, database: str, home: str, now: Callable[[], datetime], seal: Seal) -> None:
        """Keep where the file is and how secrets in an earlier one are sealed."""
        self._database = database
        self._home = home
        self._now = now
        self._seal = seal

    def prepare(self) -> None:
        """Take over a database of the earlier system, here or in its own folder.

        Raises:
            StoreError: it cannot be written; nothing was changed.
        """
        earlier = os.path.expanduser(os.path.join(paths.EARLIER_HOME, "memory", "memory.db"))
        is_new = not os.path.exists(self._database)
        if is_new and not os.path.exists(earlier):
            return
        found = header.read(self._database)
        if header.forbids_writing(found):
            self.mend()
        elif is_new or not header.has_version(found):
            self._take_over(earlier, is_new=is_new)

    def mend(self) -> str:
        """Mend a damaged store and say what was done.

        Raises:
            StoreError: not even a new file can be made.
        """
        from claude_memory.store import salvage  # (rare)

        said = salvage.sentence(salvage.mend(self._database, self._now()))
        failures.note(self._home, "database", said, self._now())
        return said

    def _take_over(self, earlier: str, *, is_new: bool) -> None:
        from claude_memory.service import takeover  # (once in a store's life)

        taken = None
        if not is_new and takeover.is_earlier(self._database):
            taken = takeover.in_place(self._database, self._seal, self._now())
        elif is_new and takeover.is_earlier(earlier):
            taken = takeover.from_elsewhere(earlier, self._database, self._seal, self._now())
        if taken is not None:
            failures.note(self._home, "takeover", taken.sentence(), self._now())
