"""A rotation beside writes: afterwards nothing needs the key of before."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from backend.app import keeping
from backend.db import Database
from backend.repositories import changes, seals
from backend.secrets.choice import choose
from backend.services import resealing
from backend.services.applying import Batch, Ready
from backend.settings import Settings
from tests.support.api import ENCRYPTION_KEY, running, stored
from tests.support.postgres import LOGIN, Server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import psycopg

    from backend.secrets.keeper import Keeper
    from tests.support.api import Api

pytestmark = pytest.mark.anyio

SECRET = "ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"
NEWEST = "aa" * 32
FIRST_UID = UUID(int=1)
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = %s"


@pytest.fixture
async def api(postgres: Server, database_name: str) -> AsyncIterator[Api]:
    """Run a server that has not heard of the new key yet."""
    async with running(postgres.url(database_name, LOGIN)) as found:
        yield found


@pytest.fixture
async def database(postgres: Server, database_name: str) -> AsyncIterator[Database]:
    """Be the operator's command; of its connections one account has two."""
    found = Database(postgres.url(database_name, LOGIN), pool_size=4)
    await found.open()
    yield found
    await found.close()


def keeper_of(database: Database, previous: str = "") -> Keeper:
    """Return what seals under the new key."""
    settings = Settings(encryption_key=NEWEST, encryption_key_previous=previous)
    found = choose(settings, keeping(database))
    assert found is not None
    return found


async def account_of(api: Api) -> UUID:
    """Return the account of the one who stores."""
    return UUID((await api.alice.get("/api/sync/hello")).json()["account_id"])


async def keys_in(database: Database, account: UUID, keeper: Keeper) -> set[str]:
    """Return which keys the account's secrets need."""
    async with database.transaction(account) as connection:
        found = [await seals.page(connection, account, name, None, 100) for name in seals.TABLES]
    return {keeper.key_id(one.secret) for page in found for one in page}


async def test_write_that_had_read_a_secret_does_not_put_the_old_one_back(
    api: Api, database: Database, superuser: psycopg.Connection[Any], database_name: str
) -> None:
    """The rotation waits for it, and then wraps what it has left, in the history too."""
    made = await stored(api.alice, f"Token {SECRET}")
    account, keeper = await account_of(api), keeper_of(database, ENCRYPTION_KEY)
    uid = UUID(made["uid"])
    edit = Ready(UUID(int=9), b"", uid, "update", None, {"category": "preferences"})
    async with database.transaction(account) as connection:
        batch = Batch(
            await changes.lock(connection, account),
            await changes.load(connection, account, [uid]),
            {},
        )
        rotation = asyncio.create_task(
            resealing.rewrap(database, keeper, account, lambda _far: None)
        )
        while not rotation.done():
            await asyncio.sleep(0.01)
            if superuser.execute(WAITING, (database_name,)).fetchone() == (1,):
                break
        assert batch.apply(edit).status == "applied"
        await changes.save(connection, batch)
    await rotation
    assert await keys_in(database, account, keeper) == {keeper.key_id(await sealed(keeper))}
    opened = await keeper_of(database).open(account, uid, await secret_of(database, account, uid))
    assert opened == (f"Token {SECRET}", "encrypted")


async def test_what_is_sealed_behind_the_rotation_is_found(api: Api, database: Database) -> None:
    """A server that has the key of before alone goes on with it until it is started again."""
    await stored(api.alice, f"Token {SECRET}")
    account, keeper = await account_of(api), keeper_of(database, ENCRYPTION_KEY)
    behind: list[asyncio.Task[Any]] = []

    class Overtaken:
        """The keeper, while whose first answer is awaited something is stored."""

        async def rewrap(self, account: UUID, uid: UUID, blob: bytes) -> bytes:
            if not behind:
                content = f"Another {SECRET}"
                new = stored(api.alice, content, uid=str(FIRST_UID))
                behind.append(asyncio.create_task(new))
                await behind[0]
            return await keeper.rewrap(account, uid, blob)

    done = await resealing.rewrap(database, Overtaken(), account, lambda _far: None)  # type: ignore[arg-type]
    assert (done.seen, done.changed) == (2, 2)
    assert await keys_in(database, account, keeper) == {keeper.key_id(await sealed(keeper))}


async def sealed(keeper: Keeper) -> bytes:
    """Return something under the newest key."""
    return await keeper.seal(UUID(int=2), UUID(int=3), "clear")


async def secret_of(database: Database, account: UUID, uid: UUID) -> bytes:
    """Return what is sealed of a memory."""
    async with database.transaction(account) as connection:
        row = (await changes.load(connection, account, [uid]))[uid]
    assert row.secret is not None
    return row.secret
