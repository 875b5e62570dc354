"""Waits for PostgreSQL's answers with less ado than psycopg does, and not without an end.

psycopg watches the socket anew for each piece of an answer, sets an alarm beside it, and wakes the
caller for each. Here the socket is watched once, and the caller is woken when all has arrived.

PostgreSQL itself breaks off what takes too long. Where it cannot do even that (a disk that hangs, a
proxy that has lost it, a host that died with our question), its silence ends the wait.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from psycopg import AsyncConnection, errors
from psycopg.pq import TransactionStatus
from psycopg.waiting import Ready, Wait

if TYPE_CHECKING:
    from psycopg.abc import PQGen

Found = TypeVar("Found")

INTERVAL = 0.1  # seconds; psycopg's own, for all that is left to it
GRACE = 5.0  # seconds for an answer, beyond those that a statement may take


class Silent(errors.OperationalError):
    """Nothing came, not even word that the statement was broken off; the connection is closed."""


class WatchedOnce(AsyncConnection[tuple[Any, ...]]):
    """A connection whose socket is watched once for an answer."""

    patience = 0.0  # seconds that a statement may take; each transaction sets its own
    made_at = 0.0

    async def wait(
        self,
        gen: PQGen[Found],
        interval: float = INTERVAL,
        timeout: float | None = None,  # noqa: ASYNC109  (psycopg's)
    ) -> Found:
        """Go on with what psycopg does whenever the socket lets it; return what comes of it.

        Raises:
            Silent: nothing came in all the time that this connection has patience.
            OperationalError: the connection was lost, whatever was said last.
        """
        if timeout is not None:
            return await super().wait(gen, interval, timeout)
        try:
            state = next(gen)
        except StopIteration as end:
            found: Found = end.value
            return found
        try:
            return await _Watch(gen, self.pgconn.socket).wait(state, self.patience)
        except asyncio.CancelledError:
            await self._break_off(gen)
            raise
        except Silent:
            self.pgconn.finish()
            raise
        except errors.InternalError as error:
            if not self.closed:
                raise
            # A pooler passed the database's last words on, and its own: psycopg expects one answer.
            raise errors.OperationalError(str(error)) from error

    async def _break_off(self, gen: PQGen[Found]) -> None:
        """Have the statement cancelled, and leave a connection that can be used."""
        if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
            await self._try_cancel(timeout=GRACE)
            try:  # its end may not even have been sent
                await _Watch(gen, self.pgconn.socket).wait(Wait.RW, 0)
            except errors.QueryCanceled:
                pass
            except Silent:
                self.pgconn.finish()


class _Watch(Generic[Found]):
    """One wait, with the socket watched meanwhile and an alarm set."""

    def __init__(self, gen: PQGen[Found], socket: int) -> None:
        self._gen, self._socket = gen, socket
        self._loop = asyncio.get_running_loop()
        self._end: asyncio.Future[Found] = self._loop.create_future()
        self._writes = False

    async def wait(self, state: Wait, patience: float) -> Found:
        """Return what comes of it.

        Raises:
            Silent: nothing does.
        """
        self._loop.add_reader(self._socket, self._go_on, Ready.R)
        self._wish(state)
        self._alarm = self._loop.call_later(patience, self._wait_a_last_time)
        try:
            return await self._end
        finally:
            self._alarm.cancel()
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)

    def _go_on(self, ready: Ready) -> None:
        if self._end.done():  # nobody waits any more
            return
        try:
            self._wish(self._gen.send(ready))
        except StopIteration as stop:
            self._end.set_result(stop.value)
        except BaseException as error:  # noqa: BLE001  (whoever waits is told)
            self._end.set_exception(error)

    def _wish(self, state: Wait) -> None:
        """Watch for room to write, too, for as long as there is something to be sent."""
        writes = bool(state & Wait.W)
        if writes and not self._writes:
            self._loop.add_writer(self._socket, self._go_on, Ready.W)
        elif self._writes and not writes:
            self._loop.remove_writer(self._socket)
        self._writes = writes

    def _wait_a_last_time(self) -> None:
        """Begin the last seconds: where this process stood still, the answer may lie there."""
        self._alarm = self._loop.call_later(GRACE, self._give_up)

    def _give_up(self) -> None:
        if not self._end.done():
            self._end.set_exception(Silent())
