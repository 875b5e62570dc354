"""What others have set a database to changes nothing of what is served."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from backend.errors import ConfigurationError
from tests.support.api import running, stored

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from tests.support.postgres import Server

pytestmark = pytest.mark.anyio

TEXT = "The café\\door 'opens' at 日本 time 😀"


@contextmanager
def set_to(superuser: psycopg.Connection[tuple[object, ...]], setting: str) -> Iterator[None]:
    """Have all sessions of the database begin with a setting meanwhile."""
    of_all = f"ALTER DATABASE {superuser.info.dbname}"
    superuser.execute(f"{of_all} SET {setting}")
    try:
        yield
    finally:
        superuser.execute(f"{of_all} RESET ALL")


@pytest.mark.parametrize(
    "setting",
    [
        "DateStyle = 'German, DMY'",
        "client_encoding = 'LATIN1'",
        "client_encoding = 'SQL_ASCII'",
        "row_security = off",
        "standard_conforming_strings = off",
    ],
)
async def test_memories_are_stored_found_and_shown_whatever_is_set(
    app_url: str, superuser: psycopg.Connection[tuple[object, ...]], setting: str
) -> None:
    """Text and times come back as they were given."""
    with set_to(superuser, setting):
        async with running(app_url) as api:
            made = await stored(api.alice, TEXT, created_at="2026-01-02T03:04:05.000006Z")
            row = (await api.alice.get(f"/api/memories/{made['id']}")).json()
            assert (row["content"], row["created_at"]) == (TEXT, "2026-01-02T03:04:05.000006Z")
            question = {"context": "When does the café\\door 'open'?"}
            found = await api.alice.post("/api/memories/recall", json=question)
            assert [one["content"] for one in found.json()["memories"]] == [TEXT]


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
async def test_writes_at_once_wait_for_each_other_whatever_isolation_is_usual(
    app_url: str, superuser: psycopg.Connection[tuple[object, ...]], level: str
) -> None:
    """At another level all but one would fail, since each changes the row of its account."""
    with set_to(superuser, f"default_transaction_isolation = '{level}'"):
        async with running(app_url) as api:
            await asyncio.gather(*(stored(api.alice, f"note {number}") for number in range(8)))


async def test_database_that_cannot_hold_every_text_is_refused(
    postgres: Server, empty_database: str
) -> None:
    """Neither migrated nor served; the text says how to make another."""
    from backend.migrate import upgrade
    from backend.settings import Settings

    with postgres.superuser() as connection:
        connection.execute(f"DROP DATABASE {empty_database}")
        connection.execute(
            f"CREATE DATABASE {empty_database} TEMPLATE template0 ENCODING 'SQL_ASCII' "
            "LOCALE_PROVIDER libc LOCALE 'C' OWNER schema_owner"
        )
    url = postgres.url(empty_database)
    wanted = "stores text as SQL_ASCII.*ENCODING 'UTF8'"
    with pytest.raises(ConfigurationError, match=wanted):
        upgrade(Settings(database_url=url, migration_url=url))
    with postgres.superuser(empty_database) as connection:
        connection.execute("CREATE TABLE alembic_version AS SELECT '9999' AS version_num")
        connection.execute("GRANT SELECT ON alembic_version TO memory_app")
    with pytest.raises(ConfigurationError, match=wanted):
        async with running(url):
            pass
