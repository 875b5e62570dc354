"""The REST section of the document that this project grew from, line by line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.api import Api

pytestmark = pytest.mark.anyio

SECRET = "ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"


async def test_the_documented_requests_work_as_they_stand(api: Api) -> None:
    """Every request of the section, in its order, with the bodies that it shows."""
    alice = api.alice
    assert (await api.nobody.get("/health")).status_code == 200

    body = {
        "content": "The staging cluster is in Frankfurt",
        "category": "facts",
        "tags": "tag1,tag2",
        "expanded_keywords": "related terms",
        "importance": 0.8,
    }
    stored = await alice.post("/api/memories", json=body)
    assert stored.status_code == 200
    assert stored.json()["category"] == "facts"
    assert stored.json()["importance"] == 0.8
    number = stored.json()["id"]

    asked = {
        "context": "staging cluster",
        "expanded_query": "additional search terms",
        "category": "facts",
        "limit": 10,
    }
    recalled = await alice.post("/api/memories/recall", json=asked)
    assert [one["id"] for one in recalled.json()["memories"]] == [number]

    listed = await alice.get("/api/memories?category=facts&limit=20")
    assert [one["content"] for one in listed.json()["memories"]] == [body["content"]]

    deleted = await alice.delete(f"/api/memories/{number}")
    assert deleted.status_code == 200
    assert deleted.json()["deleted_at"]

    changed = await alice.get("/api/memories/sync?since=2026-03-14T10:00:00+00:00")
    (row,) = changed.json()["memories"]
    assert row["id"] == number
    assert row["deleted_at"]
    assert row["content"] is None
    full = await alice.get("/api/memories/sync")
    assert full.json()["memories"] == []


async def test_the_documented_requests_on_secrets_and_imports_work_as_they_stand(api: Api) -> None:
    """The rest of the section."""
    alice = api.alice
    secret = await alice.post("/api/memories", json={"content": f"Deploy token {SECRET}"})
    opened = await alice.post(f"/api/memories/{secret.json()['id']}/secret")
    assert opened.json()["content"] == f"Deploy token {SECRET}"
    assert opened.json()["source"] == "encrypted"

    migrated = await alice.post("/api/memories/migrate-secrets")
    assert migrated.json() == {"migrated": 0}

    rows = [{"content": "One of many", "category": "facts"}, {"content": "Another"}]
    imported = await alice.post("/api/memories/import", json=rows)
    assert len(imported.json()) == 2


async def test_users_of_one_server_cannot_see_each_other(api: Api) -> None:
    """`API_KEYS` gives each user isolated memories."""
    await api.alice.post("/api/memories", json={"content": "Alice only"})
    assert (await api.bob.get("/api/memories")).json()["memories"] == []
