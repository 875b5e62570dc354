"""The contract of the API once more, with a real PgBouncer in transaction mode in front.

Every test of the modules below is taken in as it stands; only the URL of the database differs.
"""

from __future__ import annotations

import asyncio
from types import FunctionType
from typing import TYPE_CHECKING

import psycopg
import pytest

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
from tests.support.api import stored
from tests.support.pgbouncer import pooling
from tests.support.postgres import LOGIN, Server

if TYPE_CHECKING:
    from collections.abc import Iterator

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


def _taken_in() -> Iterator[tuple[str, object]]:
    fixture = type(app_url)
    for module in CONTRACT:
        for name, value in vars(module).items():
            is_test = isinstance(value, FunctionType) and name.startswith("test_")
            if is_test or isinstance(value, fixture):
                yield name, value


for _name, _value in _taken_in():
    assert globals().setdefault(_name, _value) is _value, f"two tests are called {_name}"
