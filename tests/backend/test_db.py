"""Transactions leave nothing behind, losses are Unavailable, and an open database is refused."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.rows import tuple_row

from backend.db import Database
from backend.embedded import EmbeddedPostgres
from backend.errors import ConfigurationError, OutcomeUnknown, Unavailable
from backend.migrate import upgrade
from backend.settings import Settings
from tests.support.postgres import LOGIN, OWNER, Server
from tests.support.rows import Tenant
from tests.support.severed import SeveredWay

if TYPE_CHECKING:
    import uuid
    from collections.abc import Awaitable, Callable, Iterator

STATE = (
    "SELECT current_user = session_user, coalesce(current_setting('app.account', true), ''), "
    "current_setting('statement_timeout'), current_setting('lock_timeout')"
)
PATIENCE = 60.0  # a guard against hanging
NEW = "INSERT INTO ops VALUES (%s, gen_random_uuid(), '', 'applied', gen_random_uuid(), now())"


@pytest.fixture
def url(postgres: Server, database_name: str) -> str:
    """Return the URL of an emptied database for a login that may only take the app's role."""
    return postgres.url(database_name, LOGIN)


@pytest.fixture
def account(superuser: psycopg.Connection[Any]) -> uuid.UUID:
    """Make an account and return its id."""
    return Tenant(superuser, "ann").id


def using(url: str, work: Callable[[Database], Awaitable[None]], *, pool_size: int = 3) -> None:
    """Do something with an open database."""

    async def run() -> None:
        database = Database(url, pool_size=pool_size)
        await database.open()
        try:
            await work(database)
        finally:
            await database.close()

    asyncio.run(run())


def operations(superuser: psycopg.Connection[Any]) -> int:
    """Count what was written."""
    row = superuser.execute("SELECT count(*) FROM ops").fetchone()
    return int(row[0]) if row else -1


def test_transaction_is_committed_at_its_end(
    url: str, account: uuid.UUID, superuser: psycopg.Connection[Any]
) -> None:
    """Nobody on the way has to."""

    async def work(database: Database) -> None:
        async with database.transaction(account) as connection:
            await connection.execute(NEW, (account,))

    using(url, work)
    assert operations(superuser) == 1


@pytest.mark.parametrize("error", [ValueError, asyncio.CancelledError])
def test_transaction_that_fails_leaves_nothing(
    url: str, account: uuid.UUID, superuser: psycopg.Connection[Any], error: type[BaseException]
) -> None:
    """Whatever the reason; and the connection is fit for the next one."""

    async def work(database: Database) -> None:
        async def fail() -> None:
            async with database.transaction(account) as connection:
                await connection.execute(NEW, (account,))
                raise error

        for _ in range(2):
            with pytest.raises(error):
                await fail()

    using(url, work, pool_size=1)
    assert operations(superuser) == 0


def test_account_has_half_of_the_connections_at_most(
    url: str, account: uuid.UUID, superuser: psycopg.Connection[Any]
) -> None:
    """Whoever comes after that waits for a turn, and another account waits for nobody."""
    other = Tenant(superuser, "bob").id

    async def work(database: Database) -> None:
        async with database.transaction(account), database.transaction(account):
            with pytest.raises(Unavailable, match="Too many requests of this account"):
                async with database.transaction(account):
                    pass
            async with database.transaction(other), database.transaction(other):
                pass
        async with database.transaction(account):
            pass

    using(url, work, pool_size=4)


def test_swallowed_error_is_not_taken_for_success(
    url: str, account: uuid.UUID, superuser: psycopg.Connection[Any]
) -> None:
    """After an error PostgreSQL answers COMMIT with a rollback; that must not pass in silence."""

    async def work(database: Database) -> None:
        async with database.transaction(account) as connection:
            await connection.execute(NEW, (account,))
            with pytest.raises(psycopg.errors.DivisionByZero):
                await connection.execute("SELECT 1 / 0")

    with pytest.raises(psycopg.errors.InFailedSqlTransaction):
        using(url, work)
    assert operations(superuser) == 0


def test_nothing_stays_in_the_session(url: str, account: uuid.UUID) -> None:
    """A pooler may give the connection to anybody next."""

    async def work(database: Database) -> None:
        for name in (account, None):
            async with database.transaction(name, seconds=7) as connection:
                during = await (await connection.execute(STATE)).fetchone()
            assert during == (False, str(name or ""), "7s", "3s")
            after = await (await connection.execute(STATE)).fetchone()
            assert after == (True, "", "0", "0")
            prepared = await connection.execute("SELECT name FROM pg_prepared_statements")
            assert await prepared.fetchall() == []

    using(url, work, pool_size=1)


def test_lone_read_is_a_transaction_like_any_other(url: str, account: uuid.UUID) -> None:
    """It has the role, the account and the limits, and leaves none of them behind."""

    async def work(database: Database) -> None:
        async with database.transaction(None) as connection:
            pass
        for name in (account, None):
            during = await database.read(name, STATE, (), tuple_row)
            assert during == [(False, str(name or ""), "10s", "3s")]
            after = await (await connection.execute(STATE)).fetchone()
            assert after == (True, "", "0", "0")

    using(url, work, pool_size=1)


def test_values_of_a_lone_read_stay_values(url: str, account: uuid.UUID) -> None:
    """Whatever quotes and signs they hold: they travel inside the text of the statement."""
    values = {"text": "' \\' %s %(n)s; DROP TABLE ops; -- \" $$ é\n", "n": -(2**62), "none": None}
    values["texts"] = [values["text"], "{,}", "", 'a"b']

    async def work(database: Database) -> None:
        query = "SELECT %(text)s, %(n)s::bigint, %(none)s::text, %(texts)s::text[]"
        found = await database.read(account, query, values, tuple_row)
        assert found == [tuple(values.values())]

    using(url, work)


def test_lone_read_that_fails_leaves_a_fit_connection(
    url: str, account: uuid.UUID, superuser: psycopg.Connection[Any]
) -> None:
    """A defect is told as what it is, a lock that somebody keeps as Unavailable."""

    async def work(database: Database) -> None:
        with pytest.raises(psycopg.errors.DivisionByZero):
            await database.read(account, "SELECT 1 / 0", (), tuple_row)
        with pytest.raises(Unavailable):
            await database.read(account, "SELECT FROM accounts FOR UPDATE", (), tuple_row)
        assert await database.read(account, "SELECT 1", (), tuple_row) == [(1,)]

    with superuser.transaction():
        superuser.execute("SELECT FROM accounts FOR UPDATE")
        using(url, work, pool_size=1)


def test_long_statements_and_answers_arrive_whole(url: str, account: uuid.UUID) -> None:
    """Both are longer than what a socket takes at once."""
    text = "0123456789" * 800_000

    async def work(database: Database) -> None:
        asked = ("SELECT %s || count(*) FROM generate_series(1, 7)", (text,), tuple_row)
        assert await database.read(account, *asked) == [(f"{text}7",)]

    using(url, work)


@pytest.mark.parametrize("is_alone", [False, True])
def test_statement_that_nobody_waits_for_is_broken_off(
    url: str, account: uuid.UUID, superuser: psycopg.Connection[Any], is_alone: bool
) -> None:
    """The database goes on with nothing, and the connection serves the next one."""
    pid, slow = "SELECT pg_backend_pid()", "SELECT pg_sleep(60)"
    running = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND pid = %s"

    async def work(database: Database) -> None:
        async def wait() -> None:
            if is_alone:
                await database.read(account, slow, (), tuple_row)
                return
            async with database.transaction(account) as connection:
                await connection.execute(slow)

        [(before,)] = await database.read(account, pid, (), tuple_row)
        waiting = asyncio.create_task(wait())
        while superuser.execute(running, (before,)).fetchone() != (1,):
            await asyncio.wait([waiting], timeout=0.01)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert superuser.execute(running, (before,)).fetchone() == (0,)
        assert await database.read(account, pid, (), tuple_row) == [(before,)]

    using(url, work, pool_size=1)


@pytest.mark.parametrize("is_alone", [False, True])
def test_connections_that_were_cut_are_replaced(
    url: str, superuser: psycopg.Connection[Any], is_alone: bool
) -> None:
    """A restart of the database costs those who wait in the pool nothing."""

    async def work(database: Database) -> None:
        async def one() -> None:
            account = uuid4()  # of one alone there are never so many at once
            if is_alone:
                await database.read(account, "SELECT pg_sleep(0.05)", (), tuple_row)
                return
            async with database.transaction(account) as connection:
                await connection.execute("SELECT pg_sleep(0.05)")

        def of_the_pool(what: str) -> tuple[Any, ...] | None:
            return superuser.execute(
                f"SELECT count({what}) FROM pg_stat_activity a, pg_stat_activity mine "
                "WHERE mine.pid = pg_backend_pid() AND a.usename = %s "
                "AND a.datname = current_database() AND a.backend_start > mine.backend_start",
                (LOGIN,),
            ).fetchone()

        while of_the_pool("*") != (3,):  # one that was made late was not needed any more
            await asyncio.gather(*(one() for _ in range(3)))
        assert of_the_pool("pg_terminate_backend(a.pid)") == (3,)
        await asyncio.gather(*(one() for _ in range(6)))

    using(url, work)


def test_connection_that_is_cut_during_the_work_is_unavailable(
    url: str, account: uuid.UUID, superuser: psycopg.Connection[Any]
) -> None:
    """The caller learns that nothing was stored, and the next one gets a new connection."""

    async def work(database: Database) -> None:
        async def lose() -> None:
            async with database.transaction(account) as connection:
                await connection.execute(NEW, (account,))
                superuser.execute("SELECT pg_terminate_backend(%s)", (connection.info.backend_pid,))
                await connection.execute("SELECT 1")

        with pytest.raises(Unavailable):
            await lose()
        async with database.transaction(None):
            pass

    using(url, work)
    assert operations(superuser) == 0


@pytest.mark.parametrize("statement", ["SELECT pg_sleep(60)", "SELECT FROM accounts FOR UPDATE"])
def test_waiting_too_long_is_unavailable(
    url: str, account: uuid.UUID, superuser: psycopg.Connection[Any], statement: str
) -> None:
    """A slow statement, or a lock that somebody keeps, ends by itself."""

    async def work(database: Database) -> None:
        with pytest.raises(Unavailable):
            async with database.transaction(account, seconds=1) as connection:
                await connection.execute(statement)

    with superuser.transaction():
        superuser.execute("SELECT FROM accounts FOR UPDATE")
        using(url, work)


def test_silence_ends_and_costs_those_behind_it_nothing(
    url: str, account: uuid.UUID, superuser: psycopg.Connection[Any]
) -> None:
    """A host that died with our questions, or a network that dropped all of our connections."""

    async def work(database: Database, way: SeveredWay) -> None:
        async def use(count: int) -> None:
            """Have so many transactions at once, and so as many connections at least."""
            barrier = asyncio.Barrier(count)

            async def one() -> None:
                async with database.transaction(uuid4()):
                    await barrier.wait()

            await asyncio.gather(*(one() for _ in range(count)))

        async def commit() -> None:
            async with database.transaction(account, seconds=0) as connection:
                await connection.execute(NEW, (account,))
                way.forget()
                is_forgotten.set()

        async def begin() -> None:
            await is_forgotten.wait()
            async with database.transaction(account, seconds=0):
                pass

        is_forgotten = asyncio.Event()
        await use(4)
        async with asyncio.timeout(PATIENCE):
            found = await asyncio.gather(commit(), begin(), return_exceptions=True)
            assert [type(one) for one in found] == [OutcomeUnknown, Unavailable]
            await use(4)

    with SeveredWay(url) as way:
        using(way.url, lambda database: work(database, way), pool_size=4)
    assert operations(superuser) == 1


def test_connection_to_a_replica_is_not_kept(
    url: str, account: uuid.UUID, superuser: psycopg.Connection[Any]
) -> None:
    """After a failover a name may lead to the former primary for a while, and then no more."""
    of_all = f"ALTER DATABASE {superuser.info.dbname}"

    async def work(database: Database) -> None:
        async def write() -> None:
            async with database.transaction(account) as connection:
                await connection.execute(NEW, (account,))

        superuser.execute(f"{of_all} SET default_transaction_read_only = on")
        with pytest.raises(Unavailable, match="takes no writes"):
            await write()
        superuser.execute(f"{of_all} RESET default_transaction_read_only")
        await write()

    using(url, work, pool_size=1)
    assert operations(superuser) == 1


def test_database_that_is_away_is_unavailable() -> None:
    """It is told before anything is sent."""

    async def work() -> None:
        database = Database("postgresql://nobody@/none?host=/nonexistent", patience=0.2)
        await database.open()
        try:
            async with database.transaction(None):
                pass
        finally:
            await database.close()

    with pytest.raises(Unavailable):
        asyncio.run(work())


@pytest.mark.parametrize("user", [LOGIN, OWNER, "memory"])
def test_guard_is_content_with_what_the_migration_made(
    postgres: Server, database_name: str, user: str
) -> None:
    """For a careful login as for the owner and a superuser: the role in effect counts."""
    using(postgres.url(database_name, user), Database.guard)


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a server whose roles may be spoilt: they are shared by all databases of one."""
    with EmbeddedPostgres(tmp_path_factory.mktemp("spoilt"), throwaway=True) as server:
        url = server.start()
        upgrade(Settings(database_url=url, migration_url=url))
        yield url


@pytest.mark.parametrize(
    ("spoil", "mend", "said"),
    [
        ("ALTER ROLE memory_app SUPERUSER", "ALTER ROLE memory_app NOSUPERUSER", "does not bind"),
        ("ALTER ROLE memory_app BYPASSRLS", "ALTER ROLE memory_app NOBYPASSRLS", "does not bind"),
        (
            "ALTER TABLE history NO FORCE ROW LEVEL SECURITY",
            "ALTER TABLE history FORCE ROW LEVEL SECURITY",
            "not in force on history",
        ),
        (
            "ALTER TABLE accounts DISABLE ROW LEVEL SECURITY",
            "ALTER TABLE accounts ENABLE ROW LEVEL SECURITY",
            "not in force on accounts",
        ),
        ("CREATE TABLE later (account_id uuid)", "DROP TABLE later", "not in force on later"),
        (
            "ALTER TABLE ops OWNER TO memory_app",
            "ALTER TABLE ops OWNER TO memory",
            "memory_app owns ops",
        ),
        (
            "CREATE ROLE boss; ALTER TABLE ops OWNER TO boss; GRANT boss TO memory_app",
            "ALTER TABLE ops OWNER TO memory; DROP ROLE boss",
            "memory_app owns ops",
        ),
        (
            "ALTER SCHEMA public RENAME TO hidden; CREATE SCHEMA public",
            "DROP SCHEMA public; ALTER SCHEMA hidden RENAME TO public",
            "no tables",
        ),
        (
            "REVOKE ALL ON alembic_version FROM memory_app",
            "GRANT SELECT ON alembic_version TO memory_app",
            "restored without privileges",
        ),
        (
            "CREATE ROLE heir; ALTER FUNCTION memory_account_for OWNER TO heir",
            "ALTER FUNCTION memory_account_for OWNER TO memory; DROP ROLE heir",
            "Run as heir: .*ALTER POLICY functions_of_owner ON accounts TO heir;",
        ),
    ],
)
def test_server_refuses_a_database_where_policies_would_not_hold(
    own_server: str, spoil: str, mend: str, said: str
) -> None:
    """Each of these would let one account see another, or nobody in; the text says what to do."""
    with psycopg.connect(own_server, autocommit=True) as connection:
        connection.execute(spoil)
        try:
            with pytest.raises(ConfigurationError, match=said):
                using(own_server, Database.guard)
        finally:
            connection.execute(mend)
    using(own_server, Database.guard)


def test_login_without_the_role_is_told_the_grant(own_server: str) -> None:
    """The text names the statement that an operator has to run."""
    with psycopg.connect(own_server, autocommit=True) as connection:
        connection.execute("CREATE ROLE nobody_knows LOGIN")
    with pytest.raises(ConfigurationError, match="GRANT memory_app TO"):
        using(own_server.replace("memory@", "nobody_knows@"), Database.guard)
