"""One migrator at a time, whoever they are and whatever happens to them."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from psycopg import sql
from sqlalchemy import create_engine, pool
from sqlmodel import SQLModel

from backend import migrate, models
from backend.db import Database, connect_directly
from backend.embedded import EmbeddedPostgres
from backend.errors import ConfigurationError
from backend.settings import Settings
from tests.support.postgres import OWNER, Server
from tests.support.promises import promise

if TYPE_CHECKING:
    from collections.abc import Iterator

MIGRATORS = 8
WAITING = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = %s"
COMMANDS = ([sys.executable, "-m", "backend", "migrate"], ["alembic", "upgrade", "head"])


@pytest.fixture
def empty_url(postgres: Server, empty_database: str) -> str:
    """Return the URL of a database without any schema, for its owner."""
    return postgres.url(empty_database)


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a server of its own, since roles are shared by all databases of one."""
    with EmbeddedPostgres(tmp_path_factory.mktemp("fresh"), throwaway=True) as server:
        yield server.start()


@pytest.fixture
def fresh_url(fresh: str) -> str:
    """Return the superuser's URL of a new server that knows no role of ours."""
    with psycopg.connect(fresh, autocommit=True) as connection:
        connection.execute(
            "DROP SCHEMA public CASCADE; CREATE SCHEMA public; "
            "GRANT USAGE ON SCHEMA public TO PUBLIC"
        )
        for role in ("memory_app", "stranger", "serving"):
            known = "SELECT 1 FROM pg_roles WHERE rolname = %s"
            if connection.execute(known, (role,)).fetchone():
                name = sql.Identifier(role)
                connection.execute(sql.SQL("DROP OWNED BY {}").format(name))
                connection.execute(sql.SQL("DROP ROLE {}").format(name))
    return fresh


def both(url: str) -> Settings:
    """Return settings that serve and migrate with one login."""
    return Settings(database_url=url, migration_url=url)


def differences(url: str) -> list[Any]:
    """Return what the models say and the database does not have, or the other way round."""
    assert models.Memory.metadata is SQLModel.metadata
    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: connect_directly(url), poolclass=pool.NullPool
    )
    with engine.connect() as connection:
        found: list[Any] = compare_metadata(
            MigrationContext.configure(connection), SQLModel.metadata
        )
    engine.dispose()
    return found


def fits(url: str) -> bool:
    """Ask as a server would."""

    async def ask() -> bool:
        database = Database(url)
        await database.open()
        try:
            return await migrate.fits(database)
        finally:
            await database.close()

    return asyncio.run(ask())


def back_at_the_fifth(postgres: Server, database: str) -> None:
    """Take away the columns of later migrations, so that there is something to do."""
    with postgres.superuser(database) as superuser:
        superuser.execute("ALTER TABLE memories DROP COLUMN purged, DROP COLUMN restored_from")
        superuser.execute("UPDATE alembic_version SET version_num = '0005'")


def first_with_the_lock(superuser: psycopg.Connection[Any]) -> int:
    """Wait until a migrator holds the lock; return its number."""
    while True:
        row = superuser.execute(
            "SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a USING (pid) "
            "WHERE l.locktype = 'advisory' AND l.granted AND a.datname = current_database()"
        ).fetchone()
        if row:
            return int(row[0])
        time.sleep(0.005)


@promise("server.one-migrator")
def test_eight_migrators_of_which_one_is_killed(
    postgres: Server, empty_database: str, empty_url: str
) -> None:
    """Both commands take the same lock; the death of its holder sets it free."""
    environment = {**os.environ, "DATABASE_URL": empty_url}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    running = [
        subprocess.Popen(
            COMMANDS[number % 2],
            env={**environment, "PGAPPNAME": str(number)},
            cwd=migrate.ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        for number in range(MIGRATORS)
    ]
    with postgres.superuser(empty_database) as superuser:
        killed = first_with_the_lock(superuser)
    os.kill(running[killed].pid, signal.SIGKILL)
    said = [process.communicate()[1].decode() for process in running]
    status = {number: process.returncode for number, process in enumerate(running)}
    assert status.pop(killed) == -signal.SIGKILL
    assert status == dict.fromkeys(status, 0), said
    assert differences(empty_url) == []
    assert fits(empty_url)


def test_migrating_again_changes_nothing(empty_url: str) -> None:
    """Every start of a server does it."""
    for _ in range(2):
        migrate.upgrade(both(empty_url))
    assert fits(empty_url)


def test_empty_database_does_not_fit(empty_url: str) -> None:
    """No table, no right, no role: it is all the same to who asks."""
    assert not fits(empty_url)


@pytest.mark.parametrize(("version", "fitting"), [("0000", False), ("9999", True)])
def test_older_schema_does_not_fit_and_a_newer_one_does(
    superuser: psycopg.Connection[Any], database_url: str, version: str, fitting: bool
) -> None:
    """During an update old servers go on serving, and new ones wait."""
    superuser.execute("UPDATE alembic_version SET version_num = %s", (version,))
    try:
        assert fits(database_url) is fitting
    finally:
        superuser.execute("UPDATE alembic_version SET version_num = %s", (migrate.NEEDED,))


def test_older_version_leaves_a_newer_schema_as_it_is(
    superuser: psycopg.Connection[Any], database_url: str
) -> None:
    """Whoever goes back to it runs the same steps: its migration comes before its servers."""
    present, change = "SELECT version_num FROM alembic_version", "UPDATE alembic_version SET {}"
    superuser.execute(change.format("version_num = '9999'"))
    try:
        migrate.upgrade(both(database_url))
        assert superuser.execute(present).fetchone() == ("9999",)
    finally:
        superuser.execute(change.format(f"version_num = '{migrate.NEEDED}'"))


def test_schema_of_another_program_is_told(empty_url: str) -> None:
    """Alembic's table is called alike in each program that uses it."""
    with psycopg.connect(empty_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
        connection.execute("INSERT INTO alembic_version VALUES ('a1b2c3d4e5f6')")
    with pytest.raises(ConfigurationError, match="that of another program"):
        migrate.upgrade(both(empty_url))


def test_database_that_does_not_answer_is_told() -> None:
    """In one line, with the settings to look at."""
    with pytest.raises(ConfigurationError, match="MEMORY_MIGRATION_URL"):
        migrate.upgrade(both("postgresql://nobody@/none?host=/nonexistent"))


def test_login_that_may_not_create_is_told(fresh_url: str) -> None:
    """An error of the database is one line for the operator, not a trace of ours."""
    with psycopg.connect(fresh_url, autocommit=True) as connection:
        connection.execute("CREATE ROLE stranger LOGIN")
    with pytest.raises(
        ConfigurationError, match=r"permission denied for schema public\. .*may use and create"
    ):
        migrate.upgrade(both(fresh_url.replace("memory@", "stranger@")))


def test_superuser_migrates_a_new_server(fresh_url: str) -> None:
    """The one DATABASE_URL that most people have is enough."""
    migrate.upgrade(both(fresh_url))
    assert differences(fresh_url) == []
    assert fits(fresh_url)


@pytest.mark.parametrize("serving", ["", "serving"])
def test_login_that_may_make_roles_but_is_no_superuser_migrates(
    fresh_url: str, serving: str
) -> None:
    """The master user of RDS, Cloud SQL and the like; another login may serve beside it."""
    with psycopg.connect(fresh_url, autocommit=True) as connection:
        connection.execute(
            "CREATE ROLE stranger LOGIN CREATEROLE; GRANT CREATE ON SCHEMA public TO stranger;"
            "GRANT CREATE ON DATABASE claude_memory TO stranger; CREATE ROLE serving LOGIN"
        )
    master = fresh_url.replace("memory@", "stranger@")
    served = fresh_url.replace("memory@", f"{serving or 'stranger'}@")
    migrate.upgrade(Settings(database_url=served, migration_url=master))
    assert fits(served)


def test_table_that_somebody_holds_is_told(
    postgres: Server, empty_database: str, empty_url: str
) -> None:
    """A migration does not stand in everybody's way behind a long transaction."""
    migrate.upgrade(both(empty_url))
    back_at_the_fifth(postgres, empty_database)
    with postgres.connect(empty_database) as other, other.transaction():
        other.execute("LOCK memories IN ROW EXCLUSIVE MODE")
        with pytest.raises(ConfigurationError, match=r"held a table for too long.*Migrate again"):
            migrate.upgrade(both(empty_url))
    assert not fits(empty_url)
    migrate.upgrade(both(empty_url))
    assert fits(empty_url)


@pytest.mark.parametrize("limit", ["statement_timeout", "transaction_timeout"])
def test_limits_of_time_for_requests_do_not_break_off_a_migration(
    postgres: Server, empty_database: str, empty_url: str, limit: str
) -> None:
    """An operator sets them for a database; what takes longer would never come to its end."""
    migrate.upgrade(both(empty_url))
    back_at_the_fifth(postgres, empty_database)
    with postgres.superuser() as superuser:
        superuser.execute(f"ALTER DATABASE {empty_database} SET {limit} = '1s'")
    with postgres.connect(empty_database) as other:
        other.execute(f"SET {limit} = 0")
        with ThreadPoolExecutor(1) as pool, other.transaction():
            other.execute("LOCK memories IN ROW EXCLUSIVE MODE")
            migrating = pool.submit(migrate.upgrade, both(empty_url))
            with postgres.superuser() as superuser:
                while superuser.execute(WAITING, (empty_database,)).fetchone() is None:
                    assert not migrating.done(), migrating.result()
            time.sleep(2)
        migrating.result()
    assert fits(empty_url)


@pytest.mark.parametrize("setting", ["standard_conforming_strings", "row_security"])
def test_database_that_others_set_otherwise_is_migrated(
    postgres: Server, empty_database: str, empty_url: str, setting: str
) -> None:
    """A backslash is a backslash, and the owner of the tables may write to them."""
    with postgres.superuser() as superuser:
        superuser.execute(f"ALTER DATABASE {empty_database} SET {setting} = off")
    migrate.upgrade(both(empty_url))
    assert fits(empty_url)


def test_login_that_may_not_make_roles_is_told_what_an_operator_has_to_run(fresh_url: str) -> None:
    """The text is SQL that works: after it, the same login migrates."""
    with psycopg.connect(fresh_url, autocommit=True) as connection:
        connection.execute("CREATE ROLE stranger LOGIN; GRANT CREATE ON SCHEMA public TO stranger")
        connection.execute("GRANT CREATE ON DATABASE claude_memory TO stranger")
    url = fresh_url.replace("memory@", "stranger@")
    with pytest.raises(ConfigurationError) as caught:
        migrate.upgrade(both(url))
    assert not fits(url)
    with psycopg.connect(fresh_url, autocommit=True) as connection:
        connection.execute(str(caught.value).rpartition("migrate again: ")[2])
    migrate.upgrade(both(url))
    assert fits(url)


def test_login_that_serves_may_take_the_role_after_another_one_migrated(fresh_url: str) -> None:
    """MEMORY_MIGRATION_URL owns the schema; DATABASE_URL only serves."""
    with psycopg.connect(fresh_url, autocommit=True) as connection:
        connection.execute("CREATE ROLE serving LOGIN")
    url = fresh_url.replace("memory@", "serving@")
    migrate.upgrade(Settings(database_url=url, migration_url=fresh_url))
    assert fits(url)


def test_whole_migration_takes_one_connection(
    fresh_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A login may have no more, and migrators that grant at once hinder each other."""
    with psycopg.connect(fresh_url, autocommit=True) as connection:
        connection.execute("CREATE ROLE serving LOGIN")
    url = fresh_url.replace("memory@", "serving@")
    opened: list[str] = []
    connect = psycopg.connect

    def counted(asked: str, **settings: Any) -> psycopg.Connection[Any]:
        opened.append(asked)
        return connect(asked, **settings)

    with monkeypatch.context() as patched:
        patched.setattr(psycopg, "connect", counted)
        migrate.upgrade(Settings(database_url=url, migration_url=fresh_url))
    assert opened == [fresh_url]
    assert fits(url)


def test_owner_who_may_not_grant_names_the_statement(postgres: Server, empty_database: str) -> None:
    """A login that serves and is unknown to the role memory_app is told, not found out later."""
    with postgres.superuser(empty_database) as superuser:
        superuser.execute("DROP ROLE IF EXISTS unknown_login; CREATE ROLE unknown_login LOGIN")
    asked = Settings(
        database_url=postgres.url(empty_database, "unknown_login"),
        migration_url=postgres.url(empty_database, OWNER),
    )
    with pytest.raises(ConfigurationError, match='GRANT memory_app TO "unknown_login";'):
        migrate.upgrade(asked)
