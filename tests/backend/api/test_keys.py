"""Keys: made, scoped, expired, revoked; and how many requests each may make."""

from __future__ import annotations

import asyncio
import re
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from backend import auth
from backend.auth import Authenticator, id_of, make_key
from backend.db import Database
from backend.errors import Unauthorized
from tests.support.api import KEYS, running, stored
from tests.support.clock import set_clock
from tests.support.promises import promise

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import psycopg

    from tests.support.api import Api

pytestmark = pytest.mark.anyio


async def make(api: Api, **fields: Any) -> dict[str, Any]:
    """Make a key for Alice."""
    answer = await api.alice.post("/api/keys", json={"name": "laptop", **fields})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@promise("server.keys-are-hashed")
async def test_new_key_opens_its_account_and_is_shown_once(api: Api) -> None:
    """A named key works beside the bootstrap key; the list never shows it again."""
    await stored(api.alice, "mine")
    made = await make(api)
    assert re.fullmatch(r"cmk_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}", made["key"])
    listed = await api.with_key(made["key"]).get("/api/memories")
    assert [one["content"] for one in listed.json()["memories"]] == ["mine"]
    keys = await api.alice.get("/api/keys")
    (row,) = keys.json()["keys"]
    assert row["id"] == made["id"]
    assert row["last_used_at"] is not None
    assert made["key"] not in keys.text
    assert made["key"][-20:] not in keys.text


@promise("server.keys-are-hashed")
async def test_table_holds_only_the_hash(api: Api, superuser: psycopg.Connection[Any]) -> None:
    """Neither the named nor the bootstrap keys are anywhere in the database."""
    made = await make(api)
    await stored(api.with_key(made["key"]), "used")
    (dump,) = superuser.execute("SELECT json_agg(k)::text FROM api_keys k").fetchone() or ("",)
    assert made["key"].split("_")[2] not in dump
    rows = superuser.execute("SELECT id, hash, scopes FROM api_keys").fetchall()
    assert rows == [(made["id"], auth.hash_of(made["key"]), ["read", "write", "secret"])]


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [
        ("read", {"GET /api/memories", "GET /api/memories/sync", "GET /api/export"}),
        (
            "write",
            {
                "POST /api/memories",
                "PATCH /api/memories/1",
                "PUT /api/memories/1",
                "POST /api/memories/1/restore",
                "POST /api/memories/sync",
                "DELETE /api/memories/1",
            },
        ),
        ("secret", {"POST /api/memories/1/secret"}),
        ("admin", {"GET /api/keys"}),
    ],
)
async def test_scope_decides_what_a_key_may_do(api: Api, scope: str, allowed: set[str]) -> None:
    """Each scope opens its own calls; all others are 403 and name what is missing."""
    await stored(api.alice, "x")
    client = api.with_key((await make(api, scopes=[scope]))["key"])
    calls = {
        "GET /api/memories": "read",
        "GET /api/memories/sync": "read",
        "GET /api/export": "read",
        "POST /api/memories": "write",
        "PATCH /api/memories/1": "write",
        "PUT /api/memories/1": "write",
        "POST /api/memories/1/restore": "write",
        "POST /api/memories/sync": "write",
        "POST /api/memories/1/secret": "secret",
        "DELETE /api/memories/1": "write",
        "GET /api/keys": "admin",
    }
    for call, needed in calls.items():
        method, path = call.split()
        body = {"content": "x"} if path == "/api/memories" and method == "POST" else None
        answer = await client.request(method, path, json=body)
        if call in allowed:
            assert answer.status_code != 403, call
        else:
            assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
            assert answer.json()["scope"] == needed


async def test_key_that_may_only_write_is_shown_nothing_that_was_there(api: Api) -> None:
    """Whatever it changes, and whatever that clashes with, it is answered with numbers alone."""
    texts = ("the old words", "private-tag", "a synonym")
    old = {"content": texts[0], "tags": texts[1], "expanded_keywords": texts[2]}
    uid = (await stored(api.alice, **old))["uid"]
    client = api.with_key((await make(api, scopes=["write"]))["key"])
    place = "/api/memories/1"
    answers = [
        await client.patch(place, json={}),
        await client.put(place, json={}),
        await client.patch(place, json={}, headers={"If-Match": '"9"'}),
        await client.patch(place, json={"importance": 0.9}, headers={"If-Match": '"9"'}),
        await client.patch(place, json={"importance": 0.9}),
        await client.post(f"{place}/restore", headers={"If-Match": '"9"'}),
        await client.post(f"{place}/restore"),
    ]
    assert [one.status_code for one in answers] == [200, 200, 412, 412, 200, 412, 200]
    assert [answers[place].json() for place in (0, 4)] == [
        {"id": 1, "uid": uid, "version": version} for version in (1, 2)
    ]
    assert answers[4].headers["etag"] == '"2"'
    assert answers[2].json()["current"] == {"id": 1, "uid": uid, "version": 1}
    ops = [
        {"op_id": str(uuid4()), "uid": uid, "kind": "update", "base": 3, "body": {}},
        {"op_id": str(uuid4()), "uid": uid, "kind": "create", "body": {"content": "mine"}},
    ]
    pushed = [await client.post("/api/memories/sync", json={"ops": ops}) for _ in range(2)]
    for one in pushed:
        assert [each["status"] for each in one.json()["results"]] == ["applied", "conflict"]
    await client.delete(place)
    answers += [*pushed, await client.post(f"{place}/restore")]
    assert answers[-1].json()["id"] == 2
    assert not [one.text for one in answers if any(text in one.text for text in texts)]
    row = (await api.alice.get("/api/memories/2")).json()
    assert {name: row[name] for name in old} == old


@promise("server.keys-are-revoked-at-once")
async def test_revoked_key_is_refused_at_once_here_and_soon_elsewhere(
    api: Api, app_url: str
) -> None:
    """The replica that revokes refuses at once; others within five seconds, by their own clock."""
    made = await make(api)
    now = [0.0]
    database = Database(app_url)
    await database.open()
    replica = Authenticator(database, {}, clock=lambda: now[0])
    header = f"Bearer {made['key']}"
    try:
        await replica.caller(header)
        assert (await api.with_key(made["key"]).get("/api/memories")).status_code == 200
        gone = await api.alice.delete(f"/api/keys/{made['id']}")
        assert gone.json()["revoked_at"]
        assert (await api.with_key(made["key"]).get("/api/memories")).status_code == 401
        now[0] = 4.9
        with pytest.raises(Unauthorized):
            await replica.caller(header)
    finally:
        await database.close()
    again = await api.alice.delete(f"/api/keys/{made['id']}")
    assert again.json()["revoked_at"] == gone.json()["revoked_at"]


class Watched(Database):
    """A database that counts what is read, and can be made slow to tell it."""

    def __init__(self, url: str) -> None:
        """Count from now on."""
        super().__init__(url)
        self.reads = 0
        self.has_read = asyncio.Event()
        self.tells = asyncio.Event()
        self.tells.set()

    async def read(self, *asked: Any, **named: Any) -> list[Any]:
        """Read, count, and tell when that is wanted."""
        found = await super().read(*asked, **named)
        self.reads += 1
        self.has_read.set()
        await self.tells.wait()
        return found


@asynccontextmanager
async def replica(url: str, now: list[float]) -> AsyncIterator[tuple[Watched, Authenticator]]:
    """Give another server's look at the keys, by a clock of its own."""
    database = Watched(url)
    await database.open()
    try:
        yield database, Authenticator(database, {}, clock=lambda: now[0])
    finally:
        await database.close()


async def test_callers_at_work_are_looked_up_together(api: Api, app_url: str) -> None:
    """Many keys in use cost one look-up every few seconds; one of them that was revoked is out."""
    made = [await make(api) for _ in range(5)]
    headers = [f"Bearer {one['key']}" for one in made]
    now = [0.0]
    async with replica(app_url, now) as (database, authenticator):
        for now[0] in (0.0, 1.0):
            callers = [await authenticator.caller(header) for header in headers]
        assert database.reads == 5
        for now[0] in (3.5, 5.0, 7.0, 9.0):
            assert [await authenticator.caller(header) for header in headers] == callers
        assert database.reads == 7
        await api.alice.delete(f"/api/keys/{made[4]['id']}")
        now[0] = 11.0
        await authenticator.caller(headers[0])
        assert database.reads == 8
        with pytest.raises(Unauthorized):
            await authenticator.caller(headers[4])


async def test_key_revoked_while_it_is_looked_up_is_not_remembered(api: Api, app_url: str) -> None:
    """Where it is revoked it is refused at once, whatever was under way."""
    made = await make(api)
    header = f"Bearer {made['key']}"
    async with replica(app_url, [0.0]) as (database, authenticator):
        database.tells.clear()
        asked = asyncio.create_task(authenticator.caller(header))
        await database.has_read.wait()
        await api.alice.delete(f"/api/keys/{made['id']}")
        authenticator.forget()
        database.tells.set()
        await asked
        with pytest.raises(Unauthorized):
            await authenticator.caller(header)


async def test_key_that_would_have_expired_is_not_made(api: Api) -> None:
    """Nobody is handed a key that opens nothing."""
    body = {"name": "laptop", "expires_at": "2020-01-01T00:00:00Z"}
    answer = await api.alice.post("/api/keys", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "malformed")
    assert "expires_at is past" in answer.json()["detail"]
    assert (await api.alice.get("/api/keys")).json()["keys"] == []


async def test_expired_key_is_refused(api: Api, superuser: psycopg.Connection[Any]) -> None:
    """A key does not outlive its time."""
    made = await make(api, expires_at="2099-01-01T00:00:00Z")
    superuser.execute("UPDATE api_keys SET expires_at = '2020-01-01Z' WHERE id = %s", (made["id"],))
    assert (await api.with_key(made["key"]).get("/api/memories")).status_code == 401


@pytest.mark.parametrize("minutes", [-10, 10])
async def test_key_ends_at_its_time_whatever_the_clock_of_a_replica_says(
    app_url: str, superuser: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    """Else one replica would refuse what another one takes: the clock of the database counts."""
    in_five_minutes = datetime.now(UTC) + timedelta(minutes=5)
    async with running(app_url) as one, running(app_url) as other:
        lasting = await make(one, name="lasting", expires_at=in_five_minutes.isoformat())
        ended = await make(one, name="ended", expires_at="2099-01-01T00:00:00Z")
        superuser.execute(
            "UPDATE api_keys SET expires_at = now() - interval '5 minutes' WHERE id = %s",
            (ended["id"],),
        )
        set_clock(monkeypatch, timedelta(minutes=minutes))
        for made, status in ((lasting, 200), (ended, 401)):
            answer = await other.with_key(made["key"]).get("/api/memories")
            assert answer.status_code == status


async def test_mistyped_key_is_refused_without_asking_the_database() -> None:
    """The checksum tells a typing error; nothing is looked up for it."""
    made = make_key()
    assert id_of(made.text) == made.id
    for place in range(4, len(made.text)):
        other = "x" if made.text[place] != "x" else "y"
        assert id_of(made.text[:place] + other + made.text[place + 1 :]) == ""
    nowhere = Database("postgresql://nobody@/nothing?host=/nonexistent")
    with pytest.raises(Unauthorized):
        await Authenticator(nowhere, {}).caller(f"Bearer {made.text[:-1]}")


async def test_bootstrap_key_is_gone_when_it_is_gone_from_the_settings(app_url: str) -> None:
    """Bootstrap keys live in the settings alone; the account stays for whoever comes back."""
    async with running(app_url) as api:
        await stored(api.alice, "mine")
    async with running(app_url, keys={"bob": KEYS["bob"]}) as api:
        assert (await api.alice.get("/api/memories")).status_code == 401
    async with running(app_url, keys={"alice": "another-key-of-alice"}) as api:
        listed = await api.with_key("another-key-of-alice").get("/api/memories")
        assert [one["content"] for one in listed.json()["memories"]] == ["mine"]


async def test_key_life_is_audited(api: Api, superuser: psycopg.Connection[Any]) -> None:
    """Made, first used on a day, revoked: each is in the audit, once."""
    made = await make(api)
    client = api.with_key(made["key"])
    for _ in range(3):
        await client.get("/api/memories")
    await api.alice.delete(f"/api/keys/{made['id']}")
    rows = superuser.execute("SELECT action, subject, key_id FROM audit ORDER BY id").fetchall()
    assert rows == [
        ("key.first_use_of_day", "", "bootstrap"),
        ("key.created", made["id"], "bootstrap"),
        ("key.first_use_of_day", "", made["id"]),
        ("key.revoked", made["id"], "bootstrap"),
    ]


async def test_first_use_of_a_day_is_audited_once_whoever_is_asked(
    app_url: str, superuser: psycopg.Connection[Any]
) -> None:
    """Each replica leases for itself, and the next day is another one."""
    for days, uses in ((0, 1), (0, 1), (1, 2)):
        superuser.execute("UPDATE rate_limits SET at = at - make_interval(days => %s)", (days,))
        async with running(app_url) as api:
            assert (await api.alice.get("/api/memories")).status_code == 200
        found = superuser.execute("SELECT count(*) FROM audit").fetchone()
        assert found == (uses,)


@promise("server.rates-hold-over-replicas")
async def test_rate_is_shared_by_replicas(app_url: str) -> None:
    """Two replicas together allow what one would; then it is 429 with Retry-After."""
    async with (
        running(app_url, rate=1, burst=120) as one,
        running(app_url, rate=1, burst=120) as two,
    ):
        answers = [
            await client.get("/api/memories")
            for _ in range(80)
            for client in (one.alice, two.alice)
        ]
        refused = [answer for answer in answers if answer.status_code == 429]
        assert len(answers) - len(refused) == 120
        assert refused[0].json()["code"] == "too_many_requests"
        assert 1 <= int(refused[0].headers["retry-after"]) <= 60
        assert (await one.bob.get("/api/memories")).status_code == 200


@promise("server.rates-hold-over-replicas")
@pytest.mark.parametrize(("processes", "rounds"), [(10, 20), (50, 1)])
async def test_many_processes_give_all_of_a_burst(
    app_url: str, processes: int, rounds: int
) -> None:
    """No process takes so much in advance that another one has nothing left to give."""
    async with AsyncExitStack() as stack:
        apis = [
            await stack.enter_async_context(running(app_url, rate=1, burst=200))
            for _ in range(processes)
        ]
        answers = [
            (await api.alice.get("/api/memories")).status_code
            for _ in range(rounds)
            for api in apis
        ]
        assert answers == [200] * (processes * rounds)


async def test_clock_that_is_set_back_refuses_nobody(
    app_url: str, superuser: psycopg.Connection[Any]
) -> None:
    """What is in the bucket stays in it, and it fills from then on."""
    async with running(app_url, rate=60, burst=5) as api:
        assert (await api.alice.get("/api/memories")).status_code == 200
    superuser.execute("UPDATE rate_limits SET tokens = 3, at = at + interval '1 hour'")
    async with running(app_url, rate=60, burst=5) as api:
        assert (await api.alice.get("/api/memories")).status_code == 200


async def test_bucket_refills_with_time(app_url: str, superuser: psycopg.Connection[Any]) -> None:
    """What was used up comes back at the rate, up to the burst."""
    async with running(app_url, rate=1, burst=5) as api:
        answers = [(await api.alice.get("/api/memories")).status_code for _ in range(6)]
        assert answers == [200] * 5 + [429]
    superuser.execute("UPDATE rate_limits SET at = at - interval '3 minutes'")
    async with running(app_url, rate=1, burst=5) as api:
        answers = [(await api.alice.get("/api/memories")).status_code for _ in range(5)]
        assert answers.count(200) == 3


async def test_lease_ends_so_that_last_use_stays_true(
    api: Api, superuser: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key that is seldom used is not told as unused until its lease of fifty requests is over."""
    made = await make(api)
    now = [0.0]
    monkeypatch.setattr(api.app.state.provided.authenticator, "_clock", lambda: now[0])

    async def used() -> str:
        assert (await api.with_key(made["key"]).get("/api/memories")).status_code == 200
        (row,) = (await api.alice.get("/api/keys")).json()["keys"]
        return str(row["last_used_at"])[:4]

    await used()
    superuser.execute("UPDATE api_keys SET last_used_at = '2020-01-01Z'")
    told = [await used() for now[0] in (0.0, 59.0, 61.0)]
    assert [year > "2020" for year in told] == [False, False, True]


async def test_reads_write_nothing_but_a_lease(
    api: Api, superuser: psycopg.Connection[Any]
) -> None:
    """Of fifty reads only the lease is written."""
    await api.alice.get("/api/memories")
    purse = next(iter(api.app.state.provided.authenticator._purses.values()))
    left = purse.left
    before = superuser.execute("SELECT tokens FROM rate_limits").fetchall()
    await asyncio.gather(*(api.alice.get("/api/memories") for _ in range(40)))
    assert superuser.execute("SELECT tokens FROM rate_limits").fetchall() == before
    assert left - purse.left == 40
