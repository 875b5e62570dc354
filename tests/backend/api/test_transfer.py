"""Everything in, everything out, and everything gone."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest

from backend.errors import Unavailable
from backend.services import exporting
from tests.support.api import running, stored
from tests.support.promises import promise

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    import psycopg

    from tests.support.api import Api

pytestmark = pytest.mark.anyio

SECRET = "ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"
LINES = {"Content-Type": "application/x-ndjson"}


async def test_import_stores_all_in_order(api: Api) -> None:
    """Each row is answered with its number and uid."""
    rows = [{"content": f"Row {number}", "category": "people"} for number in range(3)]
    answer = await api.alice.post("/api/memories/import", json=rows)
    assert answer.status_code == 200, answer.text
    assert [one["id"] for one in answer.json()] == [1, 2, 3]
    assert {one["category"] for one in answer.json()} == {"people"}
    assert set(answer.json()[0]) == {"id", "uid", "category", "importance"}
    first = await api.alice.get(f"/api/memories/{answer.json()[0]['uid']}")
    assert first.json()["content"] == "Row 0"


@promise("server.import-is-all-or-nothing")
async def test_import_is_all_or_nothing_and_names_the_bad_row(api: Api) -> None:
    """One row that cannot be stored stops all of them."""
    rows: list[dict[str, Any]] = [{"content": f"Row {number}"} for number in range(50)]
    for bad in ({"content": ""}, {"content": "x", "category": "nope"}, {"text": "x"}):
        answer = await api.alice.post("/api/memories/import", json=[*rows, bad, *rows])
        assert answer.status_code == 422
        assert answer.json()["detail"].startswith("Row 51: ")
        assert answer.json()["errors"][0]["row"] == 51
    taken = await stored(api.alice, "here")
    clash = {"content": "other", "uid": taken["uid"]}
    answer = await api.alice.post("/api/memories/import", json=[*rows, clash])
    assert (answer.status_code, answer.json()["row"]) == (409, 51)
    assert len((await api.alice.get("/api/memories")).json()["memories"]) == 1


async def test_too_many_rows_are_refused(api: Api) -> None:
    """More than 20,000 rows are too much for one transaction."""
    answer = await api.alice.post("/api/memories/import", json=[{"content": "x"}] * 20_001)
    assert answer.status_code == 422
    assert "20000" in answer.json()["detail"]
    lines = b'{"content": "x"}\n' * 20_001
    answer = await api.alice.post("/api/memories/import", content=lines, headers=LINES)
    assert answer.status_code == 422
    assert "20000" in answer.json()["detail"]


async def test_of_many_bad_rows_the_first_are_named(api: Api) -> None:
    """Twenty faults are enough to see what is wrong; the rest is not even looked at."""
    bad = b'{"content": ""}\n'
    answers = [
        await api.alice.post("/api/memories/import", content=bad * 1_000, headers=LINES),
        await api.alice.post("/api/memories/import", json=[{"content": ""}] * 1_000),
    ]
    for answer in answers:
        assert answer.status_code == 422
        assert [one["row"] for one in answer.json()["errors"]] == list(range(1, 21))
    nothing: list[Any] = [{}, "text", None]
    for wrong in nothing:
        answer = await api.alice.post("/api/memories/import", json=wrong)
        assert answer.json()["detail"] in {"The body is no list of rows.", "The body is no JSON."}


async def test_repeated_import_stores_once(api: Api) -> None:
    """With a key, or with uids, sending it again changes nothing."""
    rows = [{"content": "a"}, {"content": "b", "uid": str(uuid4())}]
    headers = {"Idempotency-Key": "import-1"}
    first = await api.alice.post("/api/memories/import", json=rows, headers=headers)
    again = await api.alice.post("/api/memories/import", json=rows, headers=headers)
    assert again.json() == first.json()
    assert len((await api.alice.get("/api/memories")).json()["memories"]) == 2


async def test_key_of_another_import_is_said_to_be_that(api: Api) -> None:
    """No uid was sent, so none is blamed; where one was sent, the key is not."""
    headers = {"Idempotency-Key": "import-1"}
    rows: list[dict[str, Any]] = [{"content": "a"}, {"content": "b", "uid": str(uuid4())}]
    await api.alice.post("/api/memories/import", json=rows, headers=headers)
    for place, code in ((0, "idempotency_key_reused"), (1, "conflict")):
        other = [*rows[:place], {**rows[place], "content": "other"}, *rows[place + 1 :]]
        answer = await api.alice.post("/api/memories/import", json=other, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (409, code)
        assert answer.json()["detail"].startswith(f"Row {place + 1}: ")


@promise("server.export-is-of-one-moment")
async def test_export_imports_back_to_the_same_bytes(api: Api) -> None:
    """Another account that imports an export exports the same bytes, seals apart."""
    old = await stored(
        api.alice, 'Quotes " and ünïcödé 会议\nand lines', tags="a, b", importance=0.123
    )
    await stored(api.alice, "Newer", supersedes=old["uid"], expires_at="2100-01-01T00:00:00.5Z")
    await stored(
        api.alice, "Here", scope="project", project="github.com/a/b", session="s", session_seq=3
    )
    await stored(api.alice, f"The token is {SECRET}")
    gone = await stored(api.alice, "Deleted")
    await api.alice.delete(f"/api/memories/{gone['id']}")
    exported = await api.alice.get("/api/export")
    assert exported.headers["content-type"].startswith("application/x-ndjson")
    assert len(exported.text.splitlines()) == 4
    assert SECRET not in exported.text
    answer = await api.bob.post("/api/memories/import", content=exported.content, headers=LINES)
    assert answer.status_code == 200, answer.text
    assert (await api.bob.get("/api/export")).content == exported.content
    again = await api.bob.post("/api/memories/import", content=exported.content, headers=LINES)
    assert again.json() == answer.json()
    as_list = [json.loads(line) for line in exported.text.splitlines()]
    assert (await api.bob.post("/api/memories/import", json=as_list)).status_code == 200


@pytest.mark.parametrize(
    "line",
    [b'{"content": }', b'{"content": "b"', b'{"content": "b', b'"content": "b"}', b"[]]", b"\xff"],
)
async def test_bad_line_is_named(api: Api, line: bytes) -> None:
    """Of JSON lines the line is named, one that broke off too; empty ones are passed over."""
    lines = b'{"content": "a"}\n\n' + line + b"\n"
    answer = await api.alice.post("/api/memories/import", content=lines, headers=LINES)
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("Row 3: ")


async def test_export_of_many_pages_is_complete(api: Api) -> None:
    """More rows than a page holds all come, each once."""
    rows = [{"content": f"Row {number}"} for number in range(1_101)]
    await api.alice.post("/api/memories/import", json=rows)
    lines = (await api.alice.get("/api/export")).text.splitlines()
    assert {json.loads(line)["content"] for line in lines} == {row["content"] for row in rows}
    assert len(lines) == 1_101


@promise("server.export-is-of-one-moment")
async def test_export_is_of_one_moment_whatever_is_written_meanwhile(api: Api) -> None:
    """Rows changed, deleted or made after its first line are in it as they were then."""
    rows = [{"content": f"Row {number}"} for number in range(1_101)]
    made = (await api.alice.post("/api/memories/import", json=rows)).json()
    export = await exporting.begin(api.app.state.provided.database, await account(api), by="test")
    async with contextlib.aclosing(export):
        parts = [await anext(export)]
        await api.alice.patch(f"/api/memories/{made[-1]['id']}", json={"content": "Changed"})
        await api.alice.delete(f"/api/memories/{made[-2]['id']}")
        await stored(api.alice, "Made meanwhile")
        parts += [part async for part in export]
    assert max(part.count(b"\n") for part in parts) <= 500  # it never holds much at once
    lines = b"".join(parts).splitlines()
    assert {json.loads(line)["content"] for line in lines} == {row["content"] for row in rows}
    after = (await api.alice.get("/api/export")).text.splitlines()
    contents = {json.loads(line)["content"] for line in after}
    assert len(after) == 1_101
    assert {"Changed", "Made meanwhile"} <= contents


async def test_export_that_loses_its_database_does_not_end_as_a_whole_one(
    api: Api, superuser: psycopg.Connection[Any]
) -> None:
    """Nobody must keep for a backup what lacks the rest."""
    rows = [{"content": f"Row {number}"} for number in range(1_101)]
    await api.alice.post("/api/memories/import", json=rows)
    export = await exporting.begin(api.app.state.provided.database, await account(api), by="test")
    async with contextlib.aclosing(export):
        await anext(export)
        superuser.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        with pytest.raises(Unavailable):
            await anext(export)


async def test_export_that_nobody_reads_to_its_end_gives_its_connection_back(
    app_url: str,
) -> None:
    """A caller that goes away in the middle, again and again, takes nothing along."""
    async with running(app_url, pool_size=2) as api:
        text = "x" * 10_000
        rows = [{"content": f"{number} {text}"} for number in range(600)]
        await api.alice.post("/api/memories/import", json=rows)
        for _ in range(3):
            await leave_early(api)
        assert len((await api.alice.get("/api/export")).text.splitlines()) == 600


async def test_slow_readers_leave_connections_to_others(app_url: str) -> None:
    """Half of the connections are for exports; one export too many is told to wait."""
    async with running(app_url, pool_size=2) as api:
        await stored(api.alice, "there")
        database = api.app.state.provided.database
        database._patience = 0.2  # with readers; whoever needs a connection has the usual time
        export = await exporting.begin(database, await account(api), by="test")
        async with contextlib.aclosing(export):
            assert (await api.bob.get("/api/memories")).status_code == 200
            refused = await api.bob.get("/api/export")
            assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
            assert int(refused.headers["retry-after"]) >= 1
        assert (await api.alice.get("/api/export")).status_code == 200


async def account(api: Api) -> UUID:
    """Return the account of Alice."""
    return UUID((await api.alice.get("/api/sync/hello")).json()["account_id"])


async def leave_early(api: Api) -> None:
    """Ask for an export as a caller does that takes one piece and hangs up, under uvicorn."""
    authorization = api.alice.headers["authorization"].encode()
    has_begun = asyncio.Event()
    said = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> dict[str, Any]:
        for message in said:
            return message
        await has_begun.wait()
        return {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.body":
            has_begun.set()
            await asyncio.Event().wait()  # nothing is taken any more

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "path": "/api/export",
        "raw_path": b"/api/export",
        "root_path": "",
        "scheme": "http",
        "query_string": b"",
        "headers": [(b"authorization", authorization)],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    await api.app(scope, receive, send)


async def test_erased_account_is_empty_and_gives_a_receipt(
    api: Api, superuser: psycopg.Connection[Any]
) -> None:
    """Memories, history, operations and keys are gone; the audit and the others stay."""
    await stored(api.alice, "one")
    two = await stored(api.alice, "two")
    await api.alice.patch(f"/api/memories/{two['id']}", json={"content": "three"})
    key = (await api.alice.post("/api/keys", json={"name": "k", "scopes": ["read"]})).json()
    await stored(api.bob, "bob's")
    hello = (await api.alice.get("/api/sync/hello")).json()
    receipt = await api.alice.delete("/api/account")
    assert receipt.status_code == 200, receipt.text
    assert receipt.json()["account_id"] == hello["account_id"]
    assert receipt.json()["memories"] == 2
    for table in ("memories", "history", "ops", "api_keys"):
        query = f"SELECT count(*) FROM {table} WHERE account_id = %s"
        assert superuser.execute(query, (hello["account_id"],)).fetchone() == (0,), table
    query = "SELECT count(*) FROM audit WHERE account_id = %s AND action = 'account.erased'"
    assert superuser.execute(query, (hello["account_id"],)).fetchone() == (1,)
    assert (await api.with_key(key["key"]).get("/api/memories")).status_code == 401
    assert len((await api.bob.get("/api/memories")).json()["memories"]) == 1
    fresh = await stored(api.alice, "begins anew")
    assert fresh["id"] == 1
    assert (await api.alice.get("/api/sync/hello")).json()["account_id"] != hello["account_id"]


async def test_account_erased_elsewhere_is_never_an_error_of_ours(
    api: Api, superuser: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A replica that does not know of the erasure yet answers 503, not 500."""
    authenticator = api.app.state.provided.authenticator
    monkeypatch.setattr(authenticator, "_clock", lambda: 0.0)  # it forgets nothing meanwhile
    await stored(api.alice, "one")
    superuser.execute("DELETE FROM memories; DELETE FROM accounts WHERE name = 'alice'")
    answer = await api.alice.post("/api/memories", json={"content": "two"})
    assert answer.status_code == 503
    assert (await api.alice.get("/api/memories/sync")).status_code == 503
    authenticator.forget()  # what the passing of time does
    await stored(api.alice, "two")
