"""Waits for PostgreSQL's answers with less ado than psycopg does.

psycopg watches the socket anew for each piece of an answer, sets an alarm beside it, and wakes the
caller for each. Here the socket is watched once, and the caller is woken when all has arrived.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, TypeVar

from psycopg import AsyncConnection, errors
from psycopg.pq import TransactionStatus
from psycopg.waiting import Ready, Wait

if TYPE_CHECKING:
    from collections.abc import Generator

    from psycopg.abc import PQGen

Found = TypeVar("Found")

INTERVAL = 0.1  # seconds; psycopg's own, for all that is left to it
LAST_PATIENCE = 5.0  # seconds for a statement that nobody waits for to be broken off


class WatchedOnce(AsyncConnection[tuple[Any, ...]]):
    """A connection whose socket is watched once for an answer."""

    async def wait(
        self,
        gen: PQGen[Found],
        interval: float = INTERVAL,
        timeout: float | None = None,  # noqa: ASYNC109  (psycopg's)
    ) -> Found:
        """Go on with what psycopg does whenever the socket lets it; return what comes of it."""
        state: Wait | None
        try:
            state = next(gen)
        except StopIteration as end:
            found: Found = end.value
            return found
        if state == Wait.R and timeout is None:
            try:
                state, found = await self._read(gen)
            except asyncio.CancelledError:
                await self._break_off(gen)
                raise
            if state is None:
                return found
        return await super().wait(_begun(gen, state), interval, timeout)

    async def _read(self, gen: PQGen[Found]) -> tuple[Wait | None, Any]:
        """Return what comes of it, or else what it waits for that is not something to read."""
        loop, socket = asyncio.get_running_loop(), self.pgconn.socket
        end: asyncio.Future[tuple[Wait | None, Any]] = loop.create_future()

        def go_on() -> None:
            if end.done():  # nobody waits any more
                return
            try:
                state = gen.send(Ready.R)
                if state != Wait.R:
                    end.set_result((state, None))
            except StopIteration as stop:
                end.set_result((None, stop.value))
            except BaseException as error:  # noqa: BLE001  (whoever waits is told)
                end.set_exception(error)

        loop.add_reader(socket, go_on)
        try:
            return await end
        finally:
            loop.remove_reader(socket)

    async def _break_off(self, gen: PQGen[Found]) -> None:
        """Have the statement cancelled, and leave a connection that can be used."""
        if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
            await self._try_cancel(timeout=LAST_PATIENCE)
            with contextlib.suppress(errors.QueryCanceled):
                await super().wait(_begun(gen, Wait.R), timeout=LAST_PATIENCE)


def _begun(gen: PQGen[Found], state: Wait) -> Generator[Wait, Ready | int, Found]:
    """Return a generator that stands where this one does, but is not begun."""
    while True:
        ready = yield state
        try:
            state = gen.send(ready)
        except StopIteration as end:
            found: Found = end.value
            return found
