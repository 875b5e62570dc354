"""A keeper whose failures are told, by whichever road a secret came.

Over REST a failure shows as 503. In a push it is the result of one operation, over `/mcp` that of
one tool: both are answered with 200, and nobody but their callers would know.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from backend.errors import KeeperDown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from uuid import UUID

    from backend.secrets.keeper import Keeper


class WatchedKeeper:
    """Hands on to another keeper."""

    def __init__(self, keeper: Keeper, tell: Callable[[str], None]) -> None:
        """Take the keeper; `tell` hears what was the matter with it."""
        self._keeper, self._tell = keeper, tell
        self.marks = keeper.marks

    async def seal(self, account: UUID, uid: UUID, clear: str) -> bytes:
        """Return what the keeper does."""
        with self._told():
            return await self._keeper.seal(account, uid, clear)

    async def open(self, account: UUID, uid: UUID, blob: bytes) -> tuple[str, str]:
        """Return what the keeper does."""
        with self._told():
            return await self._keeper.open(account, uid, blob)

    async def rewrap(self, account: UUID, uid: UUID, blob: bytes) -> bytes:
        """Return what the keeper does."""
        with self._told():
            return await self._keeper.rewrap(account, uid, blob)

    def key_id(self, blob: bytes) -> str:
        """Return what the keeper does."""
        return self._keeper.key_id(blob)

    async def check(self) -> str:
        """Return what the keeper does."""
        problem = await self._keeper.check()
        if problem:
            self._tell(problem)
        return problem

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except KeeperDown as error:
            self._tell(str(error))
            raise
