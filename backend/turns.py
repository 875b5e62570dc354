"""Turns at the connections, so that one user at full speed delays nobody else.

The writes of an account wait for its lock, one after the other, and each with a connection in hand.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from backend.errors import Unavailable
from backend.tracing import part

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from uuid import UUID


class Turns:
    """Lets an account have half of the connections at once; the others are for everybody else."""

    def __init__(self, connections: int, patience: float) -> None:
        """Take how many there are, and for how many seconds a turn is waited for."""
        self._all, self._half = connections, max(1, connections // 2)
        self._patience = patience
        self._accounts: WeakValueDictionary[UUID | None, asyncio.Semaphore] = WeakValueDictionary()

    @contextlib.asynccontextmanager
    async def of(self, account: UUID | None) -> AsyncIterator[None]:
        """Wait for a turn, and hold it for one transaction; `None` is what belongs to no account.

        Raises:
            Unavailable: those before it hold theirs for too long.
        """
        turns = self._accounts.get(account)
        if turns is None:
            turns = asyncio.Semaphore(self._all if account is None else self._half)
            self._accounts[account] = turns
        try:
            async with asyncio.timeout(self._patience):
                await turns.acquire()
        except TimeoutError as error:
            raise Unavailable("Too many requests of this account are under way.") from error
        try:
            with part("database transaction"):
                yield
        finally:
            turns.release()
