"""Every endpoint against every kind of foreign id: the answer is that of an id nobody has."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from tests.support.api import stored
from tests.support.promises import promise

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from tests.support.api import Api

pytestmark = pytest.mark.anyio

SECRET = "ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"
MARK = "alice-only-words"
UNKNOWN = {"no": "4242", "uid": "01900000-0000-7000-8000-000000000000", "key": "0" * 12}


@dataclass
class Foreign:
    """What Alice has, as Bob would name it if he guessed her ids."""

    no: str
    uid: str
    key: str
    cursor: str
    sync_cursor: str
    state: dict[str, Any] = field(default_factory=dict)

    def named(self, kind: str) -> str:
        """Return an id of a kind."""
        return {"no": self.no, "uid": self.uid, "key": self.key}[kind]


def body(**fields: Any) -> dict[str, Any]:
    """Return a push of one operation."""
    return {"ops": [{"op_id": str(uuid4()), "base": None, "body": {}, **fields}]}


# For each endpoint the calls in which an id can stand, and the kinds of id that it takes.
NAMED: dict[str, tuple[tuple[str, ...], Callable[[httpx.AsyncClient, str], Any]]] = {
    "GET /api/memories/{memory_id}": (
        ("no", "uid"),
        lambda bob, one: bob.get(f"/api/memories/{one}"),
    ),
    "PUT /api/memories/{memory_id}": (
        ("no", "uid"),
        lambda bob, one: bob.put(f"/api/memories/{one}", json={"content": "taken"}),
    ),
    "PATCH /api/memories/{memory_id}": (
        ("no", "uid"),
        lambda bob, one: bob.patch(f"/api/memories/{one}", json={"content": "taken"}),
    ),
    "DELETE /api/memories/{memory_id}": (
        ("no", "uid"),
        lambda bob, one: bob.delete(f"/api/memories/{one}", params={"purge": "now"}),
    ),
    "GET /api/memories/{memory_id}/history": (
        ("no", "uid"),
        lambda bob, one: bob.get(f"/api/memories/{one}/history"),
    ),
    "POST /api/memories/{memory_id}/restore": (
        ("no", "uid"),
        lambda bob, one: bob.post(f"/api/memories/{one}/restore"),
    ),
    "POST /api/memories/{memory_id}/secret": (
        ("no", "uid"),
        lambda bob, one: bob.post(f"/api/memories/{one}/secret"),
    ),
    "POST /api/memories": (
        ("no", "uid"),
        lambda bob, one: bob.post("/api/memories", json={"content": "x", "supersedes": one}),
    ),
    "DELETE /api/keys/{key_id}": (("key",), lambda bob, one: bob.delete(f"/api/keys/{one}")),
}
# Endpoints that take no id that could be foreign, or answer for the caller's account alone; what
# they answer must hold nothing of Alice's.
PLAIN: dict[str, Callable[[httpx.AsyncClient], Any]] = {
    "POST /api/memories/recall": lambda bob: bob.post(
        "/api/memories/recall", json={"context": MARK}
    ),
    "GET /api/memories": lambda bob: bob.get("/api/memories"),
    "GET /api/memories/sync": lambda bob: bob.get("/api/memories/sync"),
    "GET /api/sync/hello": lambda bob: bob.get("/api/sync/hello"),
    "POST /api/memories/sync": lambda bob: bob.post("/api/memories/sync", json={"ops": []}),
    "POST /api/memories/import": lambda bob: bob.post(
        "/api/memories/import", json=[{"content": "mine"}]
    ),
    "POST /api/memories/migrate-secrets": lambda bob: bob.post("/api/memories/migrate-secrets"),
    "GET /api/export": lambda bob: bob.get("/api/export"),
    "GET /api/keys": lambda bob: bob.get("/api/keys"),
    "POST /api/keys": lambda bob: bob.post("/api/keys", json={"name": "bob's"}),
    "DELETE /api/account": lambda bob: bob.delete("/api/account"),
}


@pytest.fixture
async def foreign(api: Api) -> Foreign:
    """Give Alice memories with numbers that Bob has none of, a secret, a history and a key."""
    for number in range(5):
        await stored(api.alice, f"{MARK} {number}")
    made = await stored(api.alice, f"{MARK} token {SECRET}")
    await api.alice.patch(f"/api/memories/{made['id']}", json={"tags": MARK})
    key = (await api.alice.post("/api/keys", json={"name": MARK})).json()
    page = (await api.alice.get("/api/memories", params={"limit": 2})).json()
    feed = (await api.alice.get("/api/memories/sync", params={"limit": 2})).json()
    found = Foreign(str(made["id"]), made["uid"], key["id"], page["next"], feed["cursor"])
    found.state = await everything(api)
    return found


async def everything(api: Api) -> dict[str, Any]:
    """Return all that Alice can see."""
    feed = (await api.alice.get("/api/memories/sync")).json()
    keys = (await api.alice.get("/api/keys")).json()
    return {"memories": feed["memories"], "check": feed["check"], "keys": keys}


@promise("server.accounts-are-apart")
async def test_matrix_has_a_row_for_every_endpoint(api: Api) -> None:
    """A new endpoint must say here what foreign ids do to it."""
    document = api.app.openapi()["paths"]
    present = {
        f"{method.upper()} {path}"
        for path, operations in document.items()
        for method, operation in operations.items()
        if operation.get("security")
    }
    assert present == NAMED.keys() | PLAIN.keys()
    for name in present:
        assert ("{" in name) <= (name in NAMED), name


@promise("server.accounts-are-apart")
@pytest.mark.parametrize("endpoint", NAMED)
async def test_foreign_ids_are_as_unknown_as_any(api: Api, foreign: Foreign, endpoint: str) -> None:
    """Same status and same body as for an id that nobody has; nothing is changed."""
    kinds, call = NAMED[endpoint]
    for kind in kinds:
        theirs = await call(api.bob, foreign.named(kind))
        nobodys = await call(api.bob, UNKNOWN[kind])
        assert theirs.status_code == nobodys.status_code == 404
        got, expected = theirs.json(), nobodys.json()
        assert got.pop("request_id") != expected.pop("request_id")
        assert got == expected
    assert await everything(api) == foreign.state


@pytest.mark.parametrize("endpoint", PLAIN)
async def test_endpoints_without_ids_answer_for_the_caller_alone(
    api: Api, foreign: Foreign, endpoint: str
) -> None:
    """Nothing of another account is in any answer, and nothing of it is changed."""
    answer = await PLAIN[endpoint](api.bob)
    assert answer.status_code == 200, answer.text
    assert MARK not in answer.text
    assert foreign.uid not in answer.text
    assert foreign.key not in answer.text
    assert await everything(api) == foreign.state


@promise("server.accounts-are-apart")
@pytest.mark.parametrize("kind", ["create", "update", "delete", "replay"])
async def test_operations_on_a_foreign_uid_touch_nothing(
    api: Api, foreign: Foreign, kind: str
) -> None:
    """A uid of another account is answered just as one that nobody has."""
    fields = {
        "create": {"content": "x"},
        "update": {"content": "x"},
        "delete": {},
        "replay": {"was": 9, "lost_after": 0, "fields": {"content": "x"}},
    }[kind]
    results = []
    for uid in (foreign.uid, UNKNOWN["uid"]):
        push = body(uid=uid, kind=kind) | {}
        push["ops"][0]["body"] = fields
        answer = await api.bob.post("/api/memories/sync", json=push)
        assert answer.status_code == 200
        assert MARK not in answer.text
        (result,) = answer.json()["results"]
        results.append((result["status"], result["code"], result["current"] is None))
    assert results[0] == results[1]
    assert await everything(api) == foreign.state


async def test_foreign_uid_given_to_a_store_makes_a_memory_of_ones_own(
    api: Api, foreign: Foreign
) -> None:
    """Uids are told apart by account: taking one tells nothing and takes nothing."""
    made = await stored(api.bob, "mine", uid=foreign.uid)
    assert made["uid"] == foreign.uid
    assert (await api.bob.get(f"/api/memories/{foreign.uid}")).json()["content"] == "mine"
    assert await everything(api) == foreign.state


async def test_foreign_cursors_open_nothing(api: Api, foreign: Foreign) -> None:
    """A list cursor is a place in time only; a sync cursor of another account is refused."""
    listed = await api.bob.get("/api/memories", params={"cursor": foreign.cursor})
    assert listed.json() == {"memories": [], "next": None}
    fed = await api.bob.get("/api/memories/sync", params={"cursor": foreign.sync_cursor})
    assert fed.status_code == 409
    assert MARK not in fed.text
