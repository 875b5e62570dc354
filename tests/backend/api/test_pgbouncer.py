"""The contract of the API once more, with a real PgBouncer in transaction mode in front.

Every test of the modules below is taken in as it stands; only the URL of the database differs.
"""

from __future__ import annotations

import asyncio
from types import FunctionType
from typing import TYPE_CHECKING

import psycopg
import pytest

from backend.db import connect_directly
from backend.doctor import doctor
from backend.errors import ConfigurationError
from backend.migrate import upgrade
from backend.settings import Settings
from tests.backend.api import (
    test_bad_input,
    test_isolation,
    test_keys,
    test_memories,
    test_secrets,
    test_seed,
    test_sync,
    test_transfer,
)
from tests.support.api import running, stored
from tests.support.pgbouncer import pooling
from tests.support.postgres import LOGIN, OWNER, Server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.api import Api

pytestmark = [pytest.mark.heavy, pytest.mark.anyio]
CONTRACT = (
    test_bad_input,
    test_isolation,
    test_keys,
    test_memories,
    test_secrets,
    test_seed,
    test_sync,
    test_transfer,
)


@pytest.fixture(scope="module")
def pooler(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run PgBouncer; give its address."""
    folder = tmp_path_factory.mktemp("pgbouncer")
    with pooling(postgres.url("postgres"), LOGIN, folder) as address:
        yield address


@pytest.fixture
def app_url(pooler: str, database_name: str) -> str:
    """Return the URL of the emptied database by way of the pooler."""
    return f"postgresql://{LOGIN}@{pooler}/{database_name}"


async def test_connections_are_lent_by_the_transaction(app_url: str) -> None:
    """Otherwise this module would prove nothing: a setting of a session does not stay."""
    async with await psycopg.AsyncConnection.connect(app_url, autocommit=True) as one:
        first = await (await one.execute("SELECT pg_backend_pid()")).fetchone()
        async with await psycopg.AsyncConnection.connect(app_url, autocommit=True) as other:
            second = await (await other.execute("SELECT pg_backend_pid()")).fetchone()
    assert first == second


async def test_more_requests_than_connections_keep_their_accounts(api: Api) -> None:
    """Forty at once over three connections: each sees its own user's memories."""
    for client, name in ((api.alice, "alice"), (api.bob, "bob")):
        await stored(client, f"the fact of {name}")
    asked = [(api.alice, "alice"), (api.bob, "bob")] * 20
    answers = await asyncio.gather(*(client.get("/api/memories") for client, _ in asked))
    for answer, (_, name) in zip(answers, asked, strict=True):
        assert [one["content"] for one in answer.json()["memories"]] == [f"the fact of {name}"]


@pytest.mark.parametrize("mode", ["transaction", "session"])
async def test_migration_by_way_of_the_pooler(
    postgres: Server, empty_database: str, tmp_path: Path, mode: str
) -> None:
    """By the session it works; by the transaction its lock would stay, and block the next one."""
    locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
    with pooling(postgres.url("postgres"), OWNER, tmp_path, mode) as address:
        url = f"postgresql://{OWNER}@{address}/{empty_database}"
        settings = Settings(database_url=url, migration_url=url)
        if mode == "session":
            await asyncio.to_thread(upgrade, settings)
        else:
            with pytest.raises(ConfigurationError, match="Set MEMORY_MIGRATION_URL to the data"):
                await asyncio.to_thread(upgrade, settings)
        told: list[str] = []
        is_well = await asyncio.to_thread(doctor, settings, told.append)
        with postgres.superuser(empty_database) as connection:
            assert connection.execute(locks).fetchone() == (0,)
    assert told[0] == "ok      the database answers"
    assert told[1].startswith("ok " if mode == "session" else "WRONG ")
    assert not is_well  # without a keeper, which is another matter


async def test_pooler_that_lends_connections_in_turns_is_refused_too(
    postgres: Server, database_name: str, tmp_path: Path
) -> None:
    """With two that are free, each connection meets the same one every other time."""
    in_turns = "server_round_robin = 1"
    with pooling(postgres.url("postgres"), OWNER, tmp_path, more=in_turns) as address:
        url = f"postgresql://{OWNER}@{address}/{database_name}"
        with connect_directly(url) as one, connect_directly(url) as other:
            for connection in (one, other):
                connection.execute("SELECT 1")
        settings = Settings(database_url=url, migration_url=url)
        with pytest.raises(ConfigurationError, match="Set MEMORY_MIGRATION_URL to the data"):
            await asyncio.to_thread(upgrade, settings)


async def test_pooler_by_the_statement_is_told(
    postgres: Server, database_name: str, tmp_path: Path
) -> None:
    """Nothing works there; what the pooler says is said, and no word of what was not looked at."""
    with pooling(postgres.url("postgres"), LOGIN, tmp_path, "statement") as address:
        url = f"postgresql://{LOGIN}@{address}/{database_name}"
        told: list[str] = []
        settings = Settings(database_url=url, migration_url=url, migrate="off")
        await asyncio.to_thread(doctor, settings, told.append)
        async with running(url) as api:
            not_ready = [one for one in api.logged() if one["event"] == "not ready"]
    wanted = "transaction blocks not allowed in statement pooling mode"
    assert told[1].startswith("WRONG   the schema fits")
    assert wanted in told[1]
    assert not [line for line in told if "a migration has a session" in line]  # nobody makes one
    assert wanted in not_ready[0]["reason"]


def _taken_in() -> Iterator[tuple[str, object]]:
    fixture = type(app_url)
    for module in CONTRACT:
        for name, value in vars(module).items():
            is_test = isinstance(value, FunctionType) and name.startswith("test_")
            if is_test or isinstance(value, fixture):
                yield name, value


for _name, _value in _taken_in():
    assert globals().setdefault(_name, _value) is _value, f"two tests are called {_name}"
