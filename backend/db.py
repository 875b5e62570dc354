"""The pool of connections, and the one kind of transaction that the server runs.

Every transaction begins with one statement that takes the role `memory_app`, names the account for
row-level security and sets the timeouts, all of it for this transaction alone. Nothing else is kept
in a session, so it works through a pooler that lends out connections by the transaction. A
transaction that only reads one thing is sent whole: one round trip, and a third of the work less.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, TypeVar

import psycopg
from anyio import CancelScope
from psycopg import AsyncClientCursor
from psycopg.adapt import Loader
from psycopg.pq import TransactionStatus
from psycopg_pool import AsyncConnectionPool

from backend import demands, lives
from backend.demands import ENCODING, ROLE
from backend.errors import ConfigurationError, OutcomeUnknown, Unavailable
from backend.lives import Fallen, NewLife
from backend.turns import Turns
from backend.waiting import Silent, WatchedOnce

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
    from typing import Any
    from uuid import UUID

    from psycopg import AsyncCursor
    from psycopg.abc import Buffer
    from psycopg.rows import AsyncRowFactory

    Connection = WatchedOnce

Found = TypeVar("Found")

PATIENCE = 5.0  # seconds to wait for a free connection
CONNECT_TIMEOUT = 5
RECONNECT = 2.0  # seconds that one attempt may go on; the next request begins a new one, at once
IDLE_CONNECTION = 300.0  # seconds
SILENCE = 10_000  # milliseconds; a network may have dropped a connection without a word
KEPT_ALIVE = 30  # seconds; balancers and NAT forget a silent connection after minutes
# One round trip: several statements without parameters travel together. Only numbers and a UUID,
# both made by us, are written into the text. What a login or a database may be set to by others,
# and would change what a statement means or returns, is set here.
PROLOGUE = (
    "BEGIN ISOLATION LEVEL READ COMMITTED; SELECT set_config('role', '" + ROLE + "', true), "
    "set_config('app.account', '{account}', true), set_config('TimeZone', 'UTC', true), "
    "set_config('DateStyle', 'ISO', true), set_config('row_security', 'on', true), "
    "set_config('standard_conforming_strings', 'on', true), "
    "set_config('lock_timeout', '3s', true), "
    "set_config('statement_timeout', '{seconds}s', true), "
    "set_config('idle_in_transaction_session_timeout', '30s', true)"
)
READ = 2  # the place of a statement's result behind those of BEGIN and of the settings
READING = PROLOGUE.replace("BEGIN", "BEGIN READ ONLY", 1)
# What "the database does not answer" looks like; a read-only one is a replica not yet promoted.
AWAY = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.errors.ReadOnlySqlTransaction)

REASONS: dict[type[Exception], str] = {  # where it does answer, but not as it should
    psycopg.errors.DiskFull: "The database has no room left.",
    psycopg.errors.LockNotAvailable: "Another request has held this account for too long.",
    psycopg.errors.QueryCanceled: "This took the database too long.",
    psycopg.errors.ReadOnlySqlTransaction: "The database takes no writes: a replica, or read-only.",
}


class Reader(Protocol):
    """What a statement that only reads is handed to: the database, or a transaction under way."""

    async def read(
        self,
        account_id: UUID | None,
        query: str,
        values: Mapping[str, Any] | Sequence[Any],
        make_row: AsyncRowFactory[Found],
    ) -> list[Found]:
        """Run the statement as this account and return its rows."""
        ...


class Within:
    """Reads inside a transaction under way, whose account it is."""

    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        """Keep the connection of the transaction."""
        self._connection = connection

    async def read(
        self,
        _account_id: UUID | None,
        query: str,
        values: Mapping[str, Any] | Sequence[Any],
        make_row: AsyncRowFactory[Found],
    ) -> list[Found]:
        """Run one statement; return its rows."""
        cursor = self._connection.cursor(row_factory=make_row)
        return await (await cursor.execute(query, values)).fetchall()


class Database:
    """Lends connections, each inside a transaction of one account."""

    def __init__(self, url: str, *, pool_size: int = 10, patience: float = PATIENCE) -> None:
        """Keep the settings; nothing is opened yet."""
        self._pool = AsyncConnectionPool(
            url,
            connection_class=WatchedOnce,
            min_size=0,
            max_size=pool_size,
            open=False,
            timeout=patience,
            configure=_configure,
            max_idle=IDLE_CONNECTION,
            reconnect_timeout=RECONNECT,
            kwargs={
                "autocommit": True,  # BEGIN is sent by the prologue, in the same round trip
                "prepare_threshold": None,
                "client_encoding": ENCODING,
                "connect_timeout": CONNECT_TIMEOUT,
                "tcp_user_timeout": SILENCE,
                "keepalives_idle": KEPT_ALIVE,
                "keepalives_interval": KEPT_ALIVE // 3,
            },
            name="memory",
        )
        self._readers = asyncio.Semaphore(max(1, pool_size // 2))
        self._turns = Turns(pool_size, patience)
        self._patience = patience
        self._renewed_at = 0.0
        # Accounts that got memories whose meaning is not written, from which number on.
        self.to_fill: dict[UUID, int] = {}
        self.notes_all = False  # also the few that were read when they were written

    async def open(self) -> None:
        """Start the pool; connections are made when they are needed."""
        await self._pool.open()

    async def close(self) -> None:
        """Close every connection."""
        await self._pool.close()

    def note(self, account_id: UUID, number: int) -> None:
        """Note that what memories mean is to be written, from this number on."""
        self.to_fill[account_id] = min(number, self.to_fill.get(account_id, number))

    @contextlib.asynccontextmanager
    async def transaction(
        self, account_id: UUID | None, *, seconds: int = 10
    ) -> AsyncIterator[Connection]:
        """Run one transaction of an account; `None` sees no tenant's rows. Commits at the end.

        Raises:
            OutcomeUnknown: the database was lost while it committed.
            Unavailable: the database does not answer, or something took too long.
        """
        prologue = _prologue(account_id, seconds)
        try:
            async with self._turns.of(account_id):
                connection, _ = await self._begin(lambda one: one.execute(prologue), seconds)
                async with self._returned(connection):
                    yield connection
        except NewLife as error:
            await self.begin_epoch_of_new_life(error.fallen)
            raise Unavailable("The database began a new life a moment ago.") from error
        except AWAY as error:
            raise _away(error) from error

    @contextlib.asynccontextmanager
    async def reading(self, account_id: UUID) -> AsyncIterator[Connection]:
        """Run a transaction that only reads, for as long as its reader takes.

        Whoever reads slowly keeps a connection: half of them stay free for everybody else.

        Raises:
            Unavailable: the database does not answer, or too many read already.
        """
        prologue = READING.format(account=account_id, seconds=10)
        try:
            async with asyncio.timeout(self._patience):
                await self._readers.acquire()
        except TimeoutError as error:
            raise Unavailable("Too many exports are under way.") from error
        try:
            async with self._turns.of(account_id):
                connection, _ = await self._begin(lambda one: one.execute(prologue))
                async with self._returned(connection):
                    yield connection
        except AWAY as error:
            raise _away(error) from error
        finally:
            self._readers.release()

    async def begin_epoch_of_new_life(self, fallen: Fallen | None = None) -> None:
        """Begin a new epoch, if the database has begun a new life and nobody did so before.

        Raises:
            Unavailable: the database does not answer.
        """
        account = fallen.account if fallen else None
        async with self.transaction(account, seconds=lives.PATIENCE) as connection:
            await lives.begin_epoch(connection, fallen)

    async def read(
        self,
        account_id: UUID | None,
        query: str,
        values: Mapping[str, Any] | Sequence[Any],
        make_row: AsyncRowFactory[Found],
        *,
        seconds: int = 10,
    ) -> list[Found]:
        """Run one reading statement in a transaction of its own; return its rows.

        Raises:
            Unavailable: the database does not answer, or it took too long.
        """

        async def ask(connection: Connection) -> AsyncCursor[Found]:
            cursor = AsyncClientCursor(connection, row_factory=make_row)
            statement = cursor.mogrify(query, values)
            return await cursor.execute(whole(account_id, statement, seconds))

        try:
            async with self._turns.of(account_id):
                connection, cursor = await self._begin(ask, seconds)
                await self._give_back(connection)  # the transaction is over, all rows are here
                await cursor.set_result(READ)
                return await cursor.fetchall()
        except AWAY as error:
            raise _away(error) from error

    async def guard(self) -> None:
        """Refuse to serve where row-level security would not hold.

        Raises:
            ConfigurationError: the role in effect may see what it must not, or a table is open.
            Unavailable: the database does not answer.
        """
        try:
            async with self.transaction(None) as connection:
                await demands.check(connection)
        except (
            psycopg.errors.InsufficientPrivilege,
            psycopg.errors.InvalidParameterValue,
        ) as error:
            raise ConfigurationError(
                f"The login of DATABASE_URL may not take the role {ROLE}. Run `python -m backend "
                f"migrate`, or let an operator run: GRANT {ROLE} TO <that login>;"
            ) from error

    async def _begin(
        self, send: Callable[[Connection], Awaitable[AsyncCursor[Found]]], seconds: int = 10
    ) -> tuple[Connection, AsyncCursor[Found]]:
        """Borrow a connection and send the beginning; one that died in the pool is replaced."""
        for is_last in (False, True):
            connection = await self._pool.getconn()
            connection.patience = seconds
            try:
                return connection, await send(connection)
            except BaseException as error:
                is_alive = connection.info.transaction_status == TransactionStatus.INERROR
                if is_alive:
                    await connection.rollback()
                await self._pool.putconn(connection)
                if is_alive or is_last or not isinstance(error, AWAY):
                    raise
                await self._renew(connection)
                if isinstance(error, Silent):  # who asks has waited long enough
                    raise
        raise AssertionError  # pragma: no cover  (the loop returns or raises)

    async def _renew(self, dead: Connection) -> None:
        """Replace all connections of the age of a dead one: whatever took it may have taken them.

        None of them is asked first. Where a network drops what is sent, each would take seconds.
        """
        if dead.made_at > self._renewed_at:
            self._renewed_at = time.monotonic()
            await self._pool.drain()

    @contextlib.asynccontextmanager
    async def _returned(self, connection: Connection) -> AsyncIterator[None]:
        """End the transaction and give the connection back, whatever happens."""
        try:
            yield
            if connection.info.transaction_status == TransactionStatus.INERROR:
                # COMMIT would answer with a rollback, and the caller would take it for done.
                raise psycopg.errors.InFailedSqlTransaction("an error was swallowed on the way")
            await _commit(connection)
        except BaseException as error:
            with CancelScope(shield=True), contextlib.suppress(psycopg.Error):
                await connection.rollback()
            if isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
                await connection.close()  # its name may lead to the new primary by now
            raise
        finally:
            await self._give_back(connection)

    async def _give_back(self, connection: Connection) -> None:
        with CancelScope(shield=True):  # a caller that has gone takes no connection along
            await self._pool.putconn(connection)


async def _commit(connection: Connection) -> None:
    """End a transaction; a connection that is lost meanwhile does not say whether it lasts."""
    try:
        await connection.commit()
    except AWAY as error:
        if connection.closed:
            raise OutcomeUnknown from error
        raise


class _TimeLoader(Loader):
    """Reads a time in the zone it is written in, which our transactions make UTC.

    The usual one asks the session, and has its zone once the transaction is over.
    """

    def load(self, data: Buffer) -> datetime:
        return datetime.fromisoformat(bytes(data).decode())


async def _configure(connection: Connection) -> None:
    connection.made_at = time.monotonic()
    connection.adapters.register_loader("timestamptz", _TimeLoader)


def _away(error: Exception) -> Unavailable:
    return Unavailable(REASONS.get(type(error), ""))


def whole(account_id: UUID | None, statement: str, seconds: int = 10) -> str:
    """Return a statement, its values in it, as a transaction of one message."""
    return f"{_prologue(account_id, seconds)}; {statement}; COMMIT"


def _prologue(account_id: UUID | None, seconds: int = 10) -> str:
    return PROLOGUE.format(account=account_id or "", seconds=int(seconds))


def connect_directly(url: str) -> psycopg.Connection[tuple[Any, ...]]:
    """Open a connection of our own for work that a pooler cannot carry, such as migrations.

    Raises:
        psycopg.OperationalError: the database does not answer.
    """
    return psycopg.connect(
        url, prepare_threshold=None, client_encoding=ENCODING, connect_timeout=CONNECT_TIMEOUT
    )


def refusal(url: str) -> psycopg.Error | None:
    """Return what the database says to a connection: the pool tells only that there is none."""
    try:
        connect_directly(url).close()
    except psycopg.Error as error:
        return error
    return None
