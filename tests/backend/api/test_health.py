"""Health, readiness and recovery: what is said while the database is away, and afterwards."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from backend.errors import ConfigurationError
from tests.support.api import running, stored
from tests.support.promises import promise

if TYPE_CHECKING:
    from pathlib import Path

    import psycopg

    from tests.support.api import Api
    from tests.support.postgres import Server

pytestmark = pytest.mark.anyio

SECRET = "ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"


@pytest.mark.parametrize("path", ["/health", "/livez", "/readyz", "/startupz"])
async def test_running_server_is_well(api: Api, path: str) -> None:
    """Nobody needs a key to ask."""
    answer = await api.nobody.get(path)
    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"


@promise("server.ready-when-the-schema-fits")
async def test_server_without_database_lives_but_is_not_ready(tmp_path: Path) -> None:
    """Liveness does not ask the database; everything else is 503 with Retry-After."""
    async with running(f"postgresql://api@/nothing?host={tmp_path}", migrate="auto") as api:
        assert (await api.nobody.get("/livez")).status_code == 200
        for path in ("/health", "/readyz", "/startupz", "/api/memories"):
            answer = await api.alice.get(path)
            assert answer.status_code == 503, path
            assert answer.json()["code"] == "unavailable"
            assert int(answer.headers["retry-after"]) >= 1
        (told,) = [line for line in api.logged() if line["event"] == "not ready"]
        assert str(tmp_path) in told["reason"]  # once, and only where operators look
        assert str(tmp_path) not in answer.text


async def test_full_disk_is_named_to_caller_and_operator(
    api: Api, superuser: psycopg.Connection[Any]
) -> None:
    """What is stored can still be read, and the log says why nothing more is stored."""
    await stored(api.alice, "Before")
    body = {"name": "not used before", "scopes": ["read"]}
    key = (await api.alice.post("/api/keys", json=body)).json()["key"]
    superuser.execute(
        "CREATE FUNCTION is_full() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$;"
        "CREATE TRIGGER is_full BEFORE INSERT ON memories EXECUTE FUNCTION is_full();"
        "CREATE TRIGGER is_full BEFORE INSERT ON rate_limits EXECUTE FUNCTION is_full()"
    )
    try:
        named = {"X-Request-Id": "of-a-full-disk"}
        answer = await api.alice.post("/api/memories", json={"content": "More"}, headers=named)
        read = await api.with_key(key).get("/api/memories")  # its rate cannot be counted
    finally:
        superuser.execute("DROP FUNCTION is_full CASCADE")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert answer.json()["detail"] == "The database has no room left."
    (told,) = [line for line in api.logged() if line["event"] == "unavailable"]
    assert (told["request_id"], told["kind"]) == ("of-a-full-disk", "DiskFull")
    assert told["sqlstate"] == "53100"
    assert len(read.json()["memories"]) == 1


@promise("server.ready-when-the-schema-fits")
async def test_server_waits_until_somebody_has_migrated(
    postgres: Server, empty_database: str
) -> None:
    """With MEMORY_MIGRATE=off it is not ready before the schema fits, and then it is."""
    from backend.migrate import upgrade
    from backend.settings import Settings

    url = postgres.url(empty_database)
    async with running(url) as api:
        assert (await api.alice.get("/readyz")).status_code == 503
        assert (await api.alice.get("/api/memories")).status_code == 503
        await asyncio.to_thread(upgrade, Settings(database_url=url, migration_url=url))
        for _ in range(100):
            if (await api.alice.get("/startupz")).status_code == 200:
                break
            await asyncio.sleep(0.1)
        await stored(api.alice, "there")
        assert (await api.alice.get("/readyz")).status_code == 200


async def test_server_migrates_by_itself_if_it_may(postgres: Server, empty_database: str) -> None:
    """With MEMORY_MIGRATE=auto an empty database is made ready at the start."""
    url = postgres.url(empty_database)
    async with running(url, migrate="auto") as api:
        await stored(api.alice, "there")


async def test_server_refuses_a_database_without_its_second_lock(
    postgres: Server, empty_database: str
) -> None:
    """Where row-level security is not in force, it does not start."""
    from backend.migrate import upgrade
    from backend.settings import Settings

    url = postgres.url(empty_database)
    upgrade(Settings(database_url=url, migration_url=url))
    with postgres.superuser(empty_database) as connection:
        connection.execute("ALTER TABLE memories NO FORCE ROW LEVEL SECURITY")
    with pytest.raises(ConfigurationError, match="memories"):
        async with running(url):
            pass


async def test_lost_connections_are_replaced(
    api: Api, postgres: Server, database_name: str
) -> None:
    """Sessions ended by the server cost no request after them."""
    await stored(api.alice, "before")
    with postgres.superuser() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            (database_name,),
        )
    await stored(api.alice, "after")
    assert (await api.nobody.get("/health")).status_code == 200


@promise("server.logs-hold-no-content")
async def test_logs_tell_of_requests_and_never_of_content(api: Api) -> None:
    """Route template, status, time and a hashed account; no text, no key, no id."""
    await stored(api.alice, "A private thought", tags="diary")
    await api.alice.get("/api/memories", params={"tag": "diary"})
    await api.alice.get("/api/memories/1")
    await api.alice.post("/api/memories", json={"content": 7, "private": "thought"})
    lines = [one for one in api.logged() if one["event"] == "request"]
    assert [(one["method"], one["route"], one["status"]) for one in lines] == [
        ("POST", "/api/memories", 200),
        ("GET", "/api/memories", 200),
        ("GET", "/api/memories/{memory_id}", 200),
        ("POST", "/api/memories", 422),
    ]
    assert len({one["account"] for one in lines}) == 1
    assert len(lines[0]["account"]) == 16
    text = api.logs.getvalue()
    for private in ("thought", "diary", "alice", "private"):
        assert private not in text


async def test_defect_is_answered_and_logged_without_its_text(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unexpected error is a 500 problem; its message, which may quote content, is dropped."""

    def broken(*_: object) -> None:
        raise RuntimeError(f"while handling {SECRET}")

    monkeypatch.setattr(api.app.state.provided.authenticator, "caller", broken)
    answer = await api.alice.get("/api/memories")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    (line,) = [one for one in api.logged() if one["event"] == "defect"]
    assert line["kind"] == "RuntimeError"
    assert line["request_id"] == answer.json()["request_id"]
    assert line["where"][-1].startswith("tests/backend/api/test_health.py:")
    assert SECRET not in api.logs.getvalue() + answer.text


async def test_metrics_count_by_route_template(api: Api) -> None:
    """Numbers by method, template and status; no ids and no accounts in them."""
    from prometheus_client import generate_latest

    await stored(api.alice, "x")
    await api.alice.get("/api/memories/1")
    await api.alice.get("/api/memories/123456789")
    await api.alice.get("/no/such/place")
    text = generate_latest(api.app.state.telemetry.registry).decode()
    found = 'memory_requests_total{method="GET",route="/api/memories/{memory_id}",status="200"} 1.0'
    assert found in text
    assert 'route="none",status="404"} 1.0' in text
    for hidden in ("123456789", "such", json.dumps("alice")):
        assert hidden not in text


async def test_times_are_utc_whatever_the_server_is_set_to(
    app_url: str, postgres: Server, database_name: str
) -> None:
    """A database in another zone answers in UTC, with microseconds kept."""
    with postgres.superuser(database_name) as connection:
        connection.execute(f"ALTER DATABASE {database_name} SET timezone = 'Asia/Kathmandu'")
    try:
        async with running(app_url) as api:
            await stored(api.alice, "x", created_at="2026-01-02T03:04:05.000006+05:45")
            row = (await api.alice.get("/api/memories/1")).json()
            assert row["created_at"] == "2026-01-01T21:19:05.000006Z"
            assert row["updated_at"].endswith("Z")
    finally:
        with postgres.superuser(database_name) as connection:
            connection.execute(f"ALTER DATABASE {database_name} RESET timezone")
