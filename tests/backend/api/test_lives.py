"""A new life of the database is noticed by servers that run, before any version comes twice."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import pytest

from backend.embedded import EmbeddedPostgres
from backend.migrate import upgrade
from backend.services import places
from backend.settings import Settings
from tests.support.api import PATIENCE, running, stored, until
from tests.support.promises import promise
from tests.support.replica import FEED

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from tests.support.api import Api
    from tests.support.postgres import Server

pytestmark = pytest.mark.anyio

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = %s"


def op(**body: Any) -> dict[str, Any]:
    """Make an operation that creates a memory."""
    ids = {"op_id": str(uuid4()), "uid": str(uuid4())}
    return {**ids, "kind": "create", "base": 0, "body": body}


async def answered(client: httpx.AsyncClient, content: str) -> int:
    """Store a memory, again and again while the server says to wait; return how often it did."""
    for refused in range(PATIENCE):
        answer = await client.post("/api/memories", json={"content": content})
        if answer.status_code == 200:
            return refused
        assert answer.status_code == 503, answer.text
        await asyncio.sleep(0.1)
    raise AssertionError("it never stored it")


@promise("server.new-life-is-noticed")
async def test_push_that_waits_for_the_lock_sees_the_epoch_that_began_meanwhile(
    api: Api, postgres: Server, database_name: str, superuser: psycopg.Connection[Any]
) -> None:
    """The epoch is compared under the account's lock: nothing of the batch is applied."""
    hello = (await api.alice.get("/api/sync/hello")).json()
    await stored(api.alice, "before")
    body = {"ops": [op(content="pushed in the old epoch")]}
    headers = {"X-Memory-Epoch": hello["epoch"]}
    with psycopg.connect(postgres.url(database_name, "memory")) as restorer:
        restorer.execute("SELECT FROM accounts FOR UPDATE")
        pushing = asyncio.create_task(api.alice.post(FEED, json=body, headers=headers))
        await until(lambda: superuser.execute(WAITING, (database_name,)).fetchone() == (1,))
        restorer.execute("SELECT memory_rotate_epoch(gen_random_uuid())")
        restorer.commit()
        answer = await pushing
    assert (answer.status_code, answer.json()["code"]) == (410, "epoch_changed")
    assert answer.json()["lost_after"] == 1
    rows = (await api.alice.get("/api/memories")).json()["memories"]
    assert [row["content"] for row in rows] == ["before"]
    fresh = {"X-Memory-Epoch": answer.json()["epoch"]}
    again = await api.alice.post(FEED, json=body, headers=fresh)
    assert again.json()["results"][0]["status"] == "applied"


async def test_batch_of_refused_operations_is_told_of_the_new_epoch_too(
    api: Api, superuser: psycopg.Connection[Any]
) -> None:
    """A client of an earlier epoch learns of the new one whatever it sends."""
    hello = (await api.alice.get("/api/sync/hello")).json()
    superuser.execute("SELECT memory_rotate_epoch(gen_random_uuid())")
    for ops in ([], [op(content="")]):
        answer = await api.alice.post(
            FEED, json={"ops": ops}, headers={"X-Memory-Epoch": hello["epoch"]}
        )
        assert (answer.status_code, answer.json()["code"]) == (410, "epoch_changed")


@promise("server.new-life-is-noticed")
@pytest.mark.parametrize("first", ["store", "import", "pull", "hello"])
async def test_every_replica_notices_a_new_life_while_it_runs(
    app_url: str, superuser: psycopg.Connection[Any], first: str
) -> None:
    """Whatever comes first begins the epoch, once; no version is given out before."""
    async with running(app_url) as one, running(app_url) as other:
        await stored(one.alice, "before")
        hello = (await one.alice.get("/api/sync/hello")).json()
        superuser.execute("UPDATE keeper_state SET v = 'another:1' WHERE k = 'life'")
        calls = {
            "store": lambda: one.alice.post("/api/memories", json={"content": "x"}),
            "import": lambda: one.alice.post("/api/memories/import", json=[{"content": "x"}]),
            "pull": lambda: one.alice.get(FEED),
            "hello": lambda: one.alice.get("/api/sync/hello"),
        }
        noticed = await calls[first]()
        assert noticed.status_code == 503
        assert int(noticed.headers["retry-after"]) >= 1
        for api in (one, other):
            told = await api.alice.get(FEED, headers={"X-Memory-Epoch": hello["epoch"]})
            assert (told.status_code, told.json()["lost_after"]) == (410, 1)
            assert (await api.alice.get("/api/sync/hello")).json()["epoch"] != hello["epoch"]
        made = await stored(other.alice, "after")
        assert made["version"] > 1_700_000_000 << 20
    assert superuser.execute("SELECT count(*) FROM epochs").fetchone() == (2,)


@promise("server.rollback-is-noticed")
@pytest.mark.parametrize("first", ["pull", "push", "dump"])
async def test_database_that_was_put_back_is_noticed_by_the_cursor_of_a_client(
    app_url: str, superuser: psycopg.Connection[Any], first: str
) -> None:
    """No new epoch was begun after a restore: whoever had been further shows it, once for all."""
    async with running(app_url) as one, running(app_url) as other:
        for text in ("in the backup", "in the backup too"):
            await stored(one.alice, text)
        kept = superuser.execute("SELECT version, next_no, live, digest FROM accounts").fetchone()
        await stored(one.alice, "after the backup")
        hello = (await one.alice.get("/api/sync/hello")).json()
        ahead = (await one.alice.get(FEED)).json()["cursor"]
        partly = (await one.alice.get(FEED, params={"limit": "1"})).json()["cursor"]
        superuser.execute("DELETE FROM memories WHERE content = 'after the backup'")
        superuser.execute(
            "UPDATE accounts SET version = %s, next_no = %s, live = %s, digest = %s", kept
        )
        named = {"X-Memory-Epoch": hello["epoch"]}
        body = {"ops": [op(content="pushed to a server that was put back")]}

        async def call(api: Api, kind: str) -> httpx.Response:
            if kind == "push":
                shown = {**named, "X-Memory-Cursor": ahead}
                return await api.alice.post(FEED, json=body, headers=shown)
            cursor = {"pull": ahead, "dump": partly}[kind]
            return await api.alice.get(FEED, params={"cursor": cursor}, headers=named)

        noticed = await asyncio.gather(call(one, first), call(other, first))
        codes = {(answer.status_code, answer.json()["code"]) for answer in noticed}
        assert codes <= {(503, "unavailable"), (410, "epoch_changed")}
        assert (503, "unavailable") in codes
        for api in (one, other):
            for kind in ("pull", "push", "dump"):
                told = await call(api, kind)
                assert (told.status_code, told.json()["code"]) == (410, "epoch_changed")
                assert told.json()["lost_after"] == 2
        made = await stored(other.alice, "after")
        assert made["version"] > 1_700_000_000 << 20
        rows = (await one.alice.get("/api/memories")).json()["memories"]
        assert {row["content"] for row in rows} == {"in the backup", "in the backup too", "after"}
    assert superuser.execute("SELECT count(*) FROM epochs").fetchone() == (2,)


async def lost_with_its_epoch(
    api: Api, superuser: psycopg.Connection[Any], seconds: int
) -> tuple[str, dict[str, str]]:
    """Put the database back to before an epoch of so many seconds from now.

    Returns the cursor of a client that was in that epoch, and the headers that it sends.
    """
    for text in ("in the backup", "in the backup too"):
        await stored(api.alice, text)
    kept = superuser.execute("SELECT version, next_no, live, digest FROM accounts").fetchone()
    superuser.execute("SELECT memory_rotate_epoch(gen_random_uuid())")
    superuser.execute("UPDATE accounts SET version = version + (%s::bigint << 20)", (seconds,))
    await stored(api.alice, "after the first restore")
    hello = (await api.alice.get("/api/sync/hello")).json()
    ahead = (await api.alice.get(FEED)).json()["cursor"]
    superuser.execute("DELETE FROM memories WHERE content = 'after the first restore'")
    superuser.execute("DELETE FROM account_epochs WHERE ordinal > 1")
    superuser.execute("DELETE FROM epochs WHERE ordinal > 1")
    superuser.execute(
        "UPDATE accounts SET version = %s, next_no = %s, live = %s, digest = %s", kept
    )
    return ahead, {"X-Memory-Epoch": hello["epoch"]}


@promise("server.rollback-is-noticed")
async def test_clock_of_a_server_that_runs_ahead_begins_no_epoch_at_every_request(
    api: Api, superuser: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An epoch begins by the clock of the database: one more would not be above what was lost."""
    monkeypatch.setattr(places, "time", lambda: time.time() + 7_200, raising=False)
    ahead, named = await lost_with_its_epoch(api, superuser, seconds=3_600)
    for _ in range(3):
        told = await api.alice.get(FEED, params={"cursor": ahead}, headers=named)
        assert (told.status_code, told.json()["code"]) == (410, "epoch_changed")
    assert superuser.execute("SELECT count(*) FROM epochs").fetchone() == (1,)


@promise("server.rollback-is-noticed")
@pytest.mark.parametrize("first", ["pull", "push"])
async def test_database_that_was_put_back_to_before_its_epoch_began_is_noticed(
    api: Api, superuser: psycopg.Connection[Any], first: str
) -> None:
    """The second time nobody began an epoch: what a client knows of the first one shows it."""
    ahead, named = await lost_with_its_epoch(api, superuser, seconds=-60)

    async def call() -> httpx.Response:
        if first == "pull":
            return await api.alice.get(FEED, params={"cursor": ahead}, headers=named)
        body = {"ops": [op(content="pushed to a server that was put back")]}
        return await api.alice.post(FEED, json=body, headers={**named, "X-Memory-Cursor": ahead})

    assert (await call()).status_code == 503
    told = await call()
    assert (told.status_code, told.json()["code"]) == (410, "epoch_changed")
    assert told.json()["lost_after"] == 2
    assert (await stored(api.alice, "after"))["version"] > 1_700_000_000 << 20
    assert superuser.execute("SELECT count(*) FROM epochs").fetchone() == (2,)


@promise("server.new-life-is-noticed")
async def test_promotion_of_a_standby_is_noticed_by_a_running_server(tmp_path: Path) -> None:
    """PostgreSQL itself begins another timeline; the next write comes in a new epoch."""
    postgres = EmbeddedPostgres(tmp_path / "postgres")
    try:
        url = postgres.start()
        upgrade(Settings(database_url=url, migration_url=url))
        async with running(url) as api:
            await stored(api.alice, "before")
            hello = (await api.alice.get("/api/sync/hello")).json()
            await asyncio.to_thread(postgres.stop)
            await asyncio.to_thread(postgres.start)
            assert await answered(api.alice, "after a mere restart") >= 0
            told = (await api.alice.get("/api/sync/hello")).json()
            assert told["epoch"] == hello["epoch"]
            await asyncio.to_thread(postgres.stop)
            (tmp_path / "postgres/data/standby.signal").touch()
            await asyncio.to_thread(postgres.start)
            assert (await api.alice.post("/api/memories", json={"content": "x"})).status_code == 503
            with psycopg.connect(url, autocommit=True) as operator:
                operator.execute("SELECT pg_promote()")
            assert await answered(api.alice, "after the promotion") >= 1
            told = await api.alice.get(FEED, headers={"X-Memory-Epoch": hello["epoch"]})
            assert (told.status_code, told.json()["lost_after"]) == (410, 2)
    finally:
        postgres.stop()
