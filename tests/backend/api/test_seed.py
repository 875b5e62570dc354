"""The REST section of the document that this project grew from, request by request.

The requests stand here as they stand there; a client that was written after it knows nothing else.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.api import KEYS, running
from tests.support.promises import promise

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from tests.support.api import Api

pytestmark = pytest.mark.anyio

SECRET = "ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"
SECTION = """\
GET /health

POST /api/memories
Authorization: Bearer <api-key>
{"content": "...", "category": "facts", "tags": "tag1,tag2", "expanded_keywords": "related terms", "importance": 0.8}

POST /api/memories/recall
Authorization: Bearer <api-key>
{"context": "search terms", "expanded_query": "additional search terms", "category": "facts", "limit": 10}

GET /api/memories?category=facts&limit=20
Authorization: Bearer <api-key>

DELETE /api/memories/{id}
Authorization: Bearer <api-key>

GET /api/memories/sync?since=2026-03-14T10:00:00+00:00
Authorization: Bearer <api-key>

POST /api/memories/{id}/secret
Authorization: Bearer <api-key>

POST /api/memories/migrate-secrets
Authorization: Bearer <api-key>

POST /api/memories/import
Authorization: Bearer <api-key>
[{"content": "...", "category": "facts"}, ...]
"""  # noqa: E501  (as it stands there)


@dataclass(frozen=True)
class Block:
    """One request of the section."""

    method: str
    path: str
    needs_key: bool
    body: str

    async def send(self, api: Api, number: int, text: str) -> httpx.Response:
        """Send it with a memory's number and a text in the places that the section leaves open."""
        client = api.with_key(KEYS["alice"] if self.needs_key else "")
        body = self.body.replace(", ...]", "]").replace('"..."', json.dumps(text))
        headers = {"Content-Type": "application/json"} if body else {}
        path = self.path.replace("{id}", str(number))
        return await client.request(self.method, path, content=body, headers=headers)


def blocks() -> list[Block]:
    """Read the section."""
    found = []
    for block in SECTION.strip().split("\n\n"):
        first, *rest = block.splitlines()
        method, path = first.split(" ")
        needs_key = rest[:1] == ["Authorization: Bearer <api-key>"]
        found.append(Block(method, path, needs_key, "".join(rest[needs_key:])))
    return found


def is_listed(told: Any) -> bool:  # noqa: ANN401
    """Tell whether an answer shows the one memory."""
    return [row["content"] for row in told["memories"]] == ["search terms of mine"]


# What each request is answered with, in the order of the section.
ANSWERS: list[Callable[[Any], bool]] = [
    lambda told: told["status"] == "ok",
    lambda told: (told["category"], told["importance"]) == ("facts", 0.8),
    is_listed,
    is_listed,
    lambda told: told["deleted_at"] is not None,
    lambda told: [(row["id"], row["content"]) for row in told["memories"]] == [(1, None)],
    lambda told: told["code"] == "not_found",  # it was deleted
    lambda told: told == {"migrated": 0},
    lambda told: [row["category"] for row in told] == ["facts"],
]


@promise("server.seed-requests-work")
async def test_every_request_of_the_section_works_as_it_stands(api: Api) -> None:
    """In its order, each with the answer that a client waits for."""
    for block, is_right in zip(blocks(), ANSWERS, strict=True):
        answer = await block.send(api, 1, "search terms of mine")
        assert answer.status_code == (404 if block.path.endswith("/secret") else 200), block
        assert is_right(answer.json()), (block, answer.text)


async def test_every_request_but_health_needs_the_key(api: Api) -> None:
    """Without the header each is 401; health asks for none."""
    for block in blocks():
        keyless = Block(block.method, block.path, needs_key=False, body=block.body)
        answer = await keyless.send(api, 1, "x")
        assert answer.status_code == (401 if block.needs_key else 200), block


async def test_without_since_live_memories_come_with_it_deleted_ones_too(api: Api) -> None:
    """A client that knows only `since` and `server_time` stays in step with every change."""
    alice, known = api.alice, {}
    asked: dict[str, str] = {}
    for content in ("first", "second", ""):
        if content:
            await alice.post("/api/memories", json={"content": content})
        else:
            await alice.delete("/api/memories/1")
        told = (await alice.get("/api/memories/sync", params=asked)).json()
        assert len(told["memories"]) == 1  # what is new, and nothing else
        for row in told["memories"]:
            known[row["id"]] = row["content"]
            if row["deleted_at"]:
                del known[row["id"]]
        asked = {"since": told["server_time"]}
    assert known == {2: "second"}
    full = (await alice.get("/api/memories/sync")).json()
    assert [row["content"] for row in full["memories"]] == ["second"]
    await alice.post("/api/memories", json={"content": "again"})
    since = await alice.get("/api/memories/sync?since=2026-03-14T10:00:00+00:00")
    assert [row["id"] for row in since.json()["memories"]] == [2, 1, 3]


@pytest.mark.parametrize("key", ["0f" * 32, "correct horse battery staple"], ids=["hex", "words"])
async def test_secret_is_opened_by_the_key_of_the_settings(app_url: str, key: str) -> None:
    """`MEMORY_ENCRYPTION_KEY` is hexadecimal or a passphrase; a restart changes nothing."""
    async with running(app_url, encryption_key=key) as api:
        answer = await api.alice.post("/api/memories", json={"content": f"Deploy token {SECRET}"})
        number = answer.json()["id"]
        listed = await api.alice.get("/api/memories")
        assert SECRET not in listed.text
    async with running(app_url, encryption_key=key) as api:
        opened = (await api.alice.post(f"/api/memories/{number}/secret")).json()
    assert opened == {
        "id": number,
        "content": f"Deploy token {SECRET}",
        "source": "encrypted",
    }


async def test_user_is_added_by_a_restart_and_sees_nobody_elses_memories(app_url: str) -> None:
    """`API_KEYS` gives each user memories of their own; a further user is one more entry in it."""
    async with running(app_url) as api:
        await api.alice.post("/api/memories", json={"content": "Alice only"})
        assert (await api.with_key("carols-new-key").get("/api/memories")).status_code == 401
    async with running(app_url, keys={**KEYS, "carol": "carols-new-key"}) as api:
        for client in (api.bob, api.with_key("carols-new-key")):
            assert (await client.get("/api/memories")).json()["memories"] == []
            assert (await client.get("/api/memories/1")).status_code == 404
        assert len((await api.alice.get("/api/memories")).json()["memories"]) == 1
