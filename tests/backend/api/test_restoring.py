"""Undo over REST: step by step, each text with its own secret, and nothing out of reach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4, uuid5

import pytest

from backend.services.uids import KEYS
from tests.support.api import stored
from tests.support.promises import promise
from tests.support.pushing import created, op, push

if TYPE_CHECKING:
    import httpx
    import psycopg

    from tests.support.api import Api

pytestmark = pytest.mark.anyio

TOKEN = "ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"
NEWER = "ghp_" + "Z9y8X7w6V5u4T3s2R1q0P9o8N7m6L5k4J3i2"


class One:
    """A memory of a user, by its number."""

    def __init__(self, client: httpx.AsyncClient, number: int) -> None:
        """Keep whose it is."""
        self._client = client
        self.url = f"/api/memories/{number}"

    async def edit(self, **fields: Any) -> None:
        """Change it."""
        answer = await self._client.patch(self.url, json=fields)
        assert answer.status_code == 200, answer.text

    async def delete(self, **how: str) -> None:
        """Delete it."""
        assert (await self._client.delete(self.url, params=how)).status_code == 200

    async def restore(self, **headers: str) -> dict[str, Any]:
        """Undo once; go on with the number that it has then."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = await self._client.post(f"{self.url}/restore", headers=named)
        assert answer.status_code == 200, answer.text
        back: dict[str, Any] = answer.json()
        self.url = f"/api/memories/{back['id']}"
        shown = (await self._client.get(self.url)).json()
        assert back == {**shown, "restored": back["restored"]}
        assert answer.headers["etag"] == f'"{shown["version"]}"'
        return back

    async def secret(self) -> str:
        """Return its secret; the reason if there is none."""
        answer = (await self._client.post(f"{self.url}/secret")).json()
        return str(answer.get("content") or answer["code"])


async def one(client: httpx.AsyncClient, content: str, **fields: Any) -> One:
    """Store a memory."""
    return One(client, (await stored(client, content, **fields))["id"])


def kept(superuser: psycopg.Connection[Any]) -> str:
    """Return the texts of the whole history."""
    return str(superuser.execute("SELECT json_agg(payload)::text FROM history").fetchone())


@promise("store.edits-can-be-undone")
async def test_each_restore_goes_one_edit_further_back(api: Api) -> None:
    """To the very first text; then the latest one comes back, and nothing is out of reach."""
    memory = await one(api.alice, "Monday")
    await memory.edit(content="Tuesday")
    await memory.edit(content="Friday")
    backs = [await memory.restore() for _ in range(6)]
    assert [back["content"] for back in backs] == ["Tuesday", "Monday", "Friday"] * 2
    assert [back["restored"] for back in backs] == ["earlier", "earlier", "latest"] * 2
    await memory.restore()
    await memory.edit(content="Sunday")
    days = ["Tuesday", "Friday", "Monday", "Sunday"]  # what was undone is earlier now
    assert [(await memory.restore())["content"] for _ in days] == days


async def test_text_that_was_undone_and_written_again_is_a_step_of_its_own(api: Api) -> None:
    """As in the plugin: nothing is passed over, though it reads the same as before."""
    memory = await one(api.alice, "one")
    await memory.edit(content="two")
    await memory.restore()
    await memory.edit(content="two")
    backs = [await memory.restore() for _ in range(6)]
    assert [back["content"] for back in backs] == ["one", "two", "two"] * 2


@promise("store.edits-can-be-undone")
async def test_each_text_that_is_gone_back_to_has_its_own_secret(api: Api) -> None:
    """Also where an edit had left the secret alone, or had taken it away."""
    memory = await one(api.alice, f"The bot's token is {TOKEN}")
    await memory.edit(tags="bot")
    await memory.edit(content=f"The bot's token is {NEWER}")
    await memory.edit(content="The bot needs no token")
    await memory.edit(expanded_keywords=f"robot {TOKEN}")
    of_keywords = f"[expanded_keywords] robot {TOKEN}"
    assert await memory.secret() == of_keywords
    texts = [f"The bot's token is {token}" for token in (NEWER, TOKEN, TOKEN)]
    for expected in ["not_found", *texts, of_keywords] * 2:
        back = await memory.restore()
        assert back["is_sensitive"] is (expected != "not_found")
        assert await memory.secret() == expected


async def test_text_whose_secret_is_lost_is_given_no_other(
    api: Api, superuser: psycopg.Connection[Any]
) -> None:
    """It says that its secret is lost; the newer one belongs to the newer text."""
    memory = await one(api.alice, f"The token is {TOKEN}")
    await memory.edit(content=f"The token is {NEWER}")
    superuser.execute("UPDATE history SET secret = NULL")
    assert (await memory.restore())["content"] == "The token is [secret: github-token]"
    assert await memory.secret() == "secret_lost"
    await memory.restore()
    assert await memory.secret() == f"The token is {NEWER}"


@promise("store.deletes-can-be-undone")
async def test_deleted_memory_comes_back_with_its_past(api: Api) -> None:
    """As old as it was; its edits can be undone as before, under each number that it gets."""
    memory = await one(api.alice, f"The token is {TOKEN}", created_at="2020-01-02T00:00:00Z")
    await memory.edit(content=f"The token is {NEWER}")
    await memory.edit(content="There is no token")
    await memory.restore()
    for _ in range(2):
        await memory.delete()
        back = await memory.restore()
        assert back["restored"] == "deleted"
        assert back["created_at"].startswith("2020-01-02")
        assert await memory.secret() == f"The token is {NEWER}"
    assert memory.url == "/api/memories/3"
    found = []
    for _ in range(3):
        back = await memory.restore()
        found.append((back["restored"], await memory.secret()))
    assert found == [
        ("earlier", f"The token is {TOKEN}"),
        ("latest", "not_found"),
        ("earlier", f"The token is {NEWER}"),
    ]


async def test_memory_that_comes_back_stays_behind_its_successor(api: Api) -> None:
    """Whether that was deleted in between, brought back, changed or not; and undone again."""
    old = await one(api.alice, "The office is in Lyon")
    new = await one(api.alice, "The office is in Nantes", supersedes=1)
    await new.edit(tags="office")
    await old.delete()
    await old.restore()

    async def shown() -> list[str]:
        rows = (await api.alice.get("/api/memories")).json()["memories"]
        return [row["content"] for row in rows]

    assert await shown() == ["The office is in Nantes"]
    await new.restore()
    assert await shown() == ["The office is in Nantes"]
    await new.delete()
    await old.delete()
    await old.restore()
    assert await shown() == ["The office is in Lyon"]
    await new.restore()
    assert await shown() == ["The office is in Nantes"]


async def test_purge_leaves_nothing_of_what_was_undone_and_brought_back(
    api: Api, superuser: psycopg.Connection[Any]
) -> None:
    """Neither under the number of before the delete nor as undone."""
    memory = await one(api.alice, "Zebra one")
    await memory.edit(content="Zebra two")
    await memory.edit(content="Zebra three")
    await memory.restore()
    await memory.delete()
    await memory.restore()
    assert "Zebra one" in kept(superuser)
    assert "Zebra three" in kept(superuser)
    await memory.delete(purge="now")
    assert "Zebra" not in kept(superuser)
    for url in (memory.url, "/api/memories/1"):
        answer = await api.alice.post(f"{url}/restore")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert "has no earlier state" in answer.json()["detail"]


async def test_what_was_undone_expires_as_all_history_does(
    api: Api, superuser: psycopg.Connection[Any]
) -> None:
    """What is left is gone through as if there had been no more."""
    memory = await one(api.alice, "one")
    for text in ("two", "three", "four"):
        await memory.edit(content=text)
    await memory.restore()
    await memory.restore()
    old = "UPDATE history SET at = at - interval '31 days' WHERE payload->>'content' = 'four'"
    superuser.execute(old)
    superuser.execute("SELECT memory_purge('-infinity', clock_timestamp() - interval '30 days')")
    backs = [await memory.restore() for _ in range(3)]
    assert [back["content"] for back in backs] == ["one", "three", "two"]


async def test_restored_texts_reach_other_devices(api: Api) -> None:
    """Each step is a change of the feed; a delete that is undone is a new memory there."""
    memory = await one(api.alice, "one")
    await memory.edit(content="two")
    cursor = (await api.alice.get("/api/memories/sync")).json()["cursor"]
    seen = []
    for _ in range(2):
        await memory.restore()
        page = (await api.alice.get("/api/memories/sync", params={"cursor": cursor})).json()
        seen += [row["content"] for row in page["memories"]]
        cursor = page["cursor"]
    assert seen == ["one", "two"]
    await memory.delete()
    await memory.restore()
    page = (await api.alice.get("/api/memories/sync", params={"cursor": cursor})).json()
    assert [(row["id"], row["content"]) for row in page["memories"]] == [(1, None), (2, "two")]


async def test_edit_of_another_device_can_be_undone_after_undos(api: Api) -> None:
    """What is pushed is an edit like any other."""
    made = await stored(api.alice, "one")
    memory = One(api.alice, made["id"])
    await memory.edit(content="two")
    back = await memory.restore()
    op = {
        "op_id": str(uuid4()),
        "uid": made["uid"],
        "kind": "update",
        "base": back["version"],
        "body": {"content": "pushed"},
    }
    answer = await api.alice.post("/api/memories/sync", json={"ops": [op]})
    assert answer.json()["results"][0]["status"] == "applied"
    assert (await memory.restore())["content"] == "one"


async def test_repeated_request_is_answered_as_before_and_done_once(api: Api) -> None:
    """By its key; what it did is told again, as long as that is known."""
    memory = await one(api.alice, "one")
    await memory.edit(content="two")
    for expected in ("earlier", "latest"):
        key = {"Idempotency_Key": str(uuid4())}
        first = await memory.restore(**key)
        assert first["restored"] == expected
        assert await memory.restore(**key) == first
    await memory.restore()
    assert (await memory.restore(**key))["content"] == "one"
    url = memory.url
    await memory.delete()
    headers = {"Idempotency-Key": key["Idempotency_Key"]}
    gone = await api.alice.post(f"{url}/restore", headers=headers)
    assert gone.status_code == 404


async def test_key_that_may_only_write_is_told_what_it_has_restored(api: Api) -> None:
    """By number; and a deleted memory at another version shows it nothing."""
    made = await stored(api.alice, "one")
    await api.alice.patch("/api/memories/1", json={"content": "two"})
    body = {"name": "writer", "scopes": ["write"]}
    writer = api.with_key((await api.alice.post("/api/keys", json=body)).json()["key"])
    back = (await writer.post("/api/memories/1/restore")).json()
    assert back == {"id": 1, "uid": made["uid"], "version": 3, "restored": "earlier"}
    await api.alice.delete("/api/memories/1")
    stale = await writer.post("/api/memories/1/restore", headers={"If-Match": '"3"'})
    assert stale.status_code == 412
    assert stale.json()["current"] == {"id": 1, "uid": made["uid"], "version": 4}


@promise("server.accounts-are-apart")
async def test_undo_leaves_the_history_of_others_alone(
    api: Api, superuser: psycopg.Connection[Any]
) -> None:
    """Also where another account has memories of the same uids, with the same past."""
    uids = [str(uuid4()), str(uuid4())]
    for client in (api.alice, api.bob):
        for number, uid in enumerate(uids):
            await stored(client, "one", uid=uid, **({"supersedes": uids[0]} if number else {}))
            await client.patch(f"/api/memories/{uid}", json={"content": "two"})
            await client.post(f"/api/memories/{uid}/restore")
            await client.delete(f"/api/memories/{uid}")
    of_bob = (
        "SELECT h.* FROM history h JOIN accounts a ON a.id = h.account_id "
        "WHERE a.name = 'bob' ORDER BY id"
    )
    before = superuser.execute(of_bob).fetchall()
    assert len(before) == 4
    for uid in uids:
        back = (await api.alice.post(f"/api/memories/{uid}/restore")).json()
        await api.alice.post(f"/api/memories/{back['id']}/restore")
    assert superuser.execute(of_bob).fetchall() == before
    for uid in uids:
        assert (await api.bob.get(f"/api/memories/{uid}")).status_code == 404


async def test_what_an_earlier_server_brought_back_is_not_doubled(
    api: Api, superuser: psycopg.Connection[Any]
) -> None:
    """It left the past of a deleted memory where it was, and named what came back by its entry."""
    made = await stored(api.alice, "one")
    await api.alice.patch("/api/memories/1", json={"content": "two"})
    await api.alice.delete("/api/memories/1")
    found = superuser.execute("SELECT account_id, max(id) FROM history GROUP BY 1").fetchone()
    assert found is not None
    uid = uuid5(KEYS, f"{found[0]}:restore:{made['uid']}:{found[1]}")
    await stored(api.alice, "two", uid=str(uid))
    back = (await api.alice.post("/api/memories/1/restore")).json()
    assert (back["id"], back["restored"]) == (2, "deleted")
    await api.alice.delete("/api/memories/2")
    back = (await api.alice.post("/api/memories/1/restore")).json()
    assert (back["id"], back["content"]) == (3, "two")
    back = (await api.alice.post("/api/memories/3/restore")).json()
    assert (back["id"], back["content"]) == (3, "one")


async def test_memory_comes_back_although_its_return_was_lost_and_deleted_again(api: Api) -> None:
    """A restored server knows the first delete alone; a client brings back the delete after it."""
    made = await stored(api.alice, "one")
    await api.alice.delete("/api/memories/1")
    account = (await api.alice.get("/api/sync/hello")).json()["account_id"]
    lost = str(uuid5(KEYS, f"{account}:restore:{made['uid']}"))
    told = {"was": 1 << 40, "lost_after": 2, "deleted": True, "fields": None}
    await push(api.alice, op("replay", lost, **told))
    back = (await api.alice.post("/api/memories/1/restore")).json()
    assert (back["content"], back["restored"]) == ("one", "deleted")
    assert back["uid"] not in {made["uid"], lost}


async def test_undos_that_follow_each_other_in_one_request_give_the_past_to_the_last(
    api: Api, superuser: psycopg.Connection[Any]
) -> None:
    """As they do in requests of their own; what had superseded the first superseded the last."""
    first = await created(api.alice, "one")
    await push(api.alice, op("update", first["uid"], first["version"], content="two"))
    (newer,) = await push(
        api.alice, op("create", str(uuid4()), 0, content="newer", supersedes=first["uid"])
    )
    edited = newer["current"]
    await push(api.alice, op("update", edited["uid"], edited["version"], content="newest"))
    uids, ops = [str(uuid4()) for _ in range(3)], []
    for before, uid in zip([first["uid"], *uids[:-1]], uids, strict=True):
        ops.append(op("delete", before))
        ops.append(op("create", uid, 0, content="two", supersedes=before, restores={"uid": before}))
    assert {one["status"] for one in await push(api.alice, *ops)} == {"applied"}
    kept = superuser.execute("SELECT DISTINCT uid::text FROM history").fetchall()
    assert sorted(kept) == sorted([(uids[-1],), (edited["uid"],)])
    query = "SELECT payload->>'supersedes' FROM history WHERE uid = %s"
    assert superuser.execute(query, (edited["uid"],)).fetchall() == [(uids[-1],)]


async def test_client_may_bring_back_what_the_server_never_had(api: Api) -> None:
    """As after a restore of an older backup: there is no past to hand over."""
    back = op("create", str(uuid4()), 0, content="back", restores={"uid": str(uuid4())})
    (result,) = await push(api.alice, back)
    assert (result["status"], result["current"]["content"]) == ("applied", "back")


async def test_memory_that_a_client_brought_back_goes_on_from_the_edit_before(api: Api) -> None:
    """What was deleted is what came back: to undo that once more would change nothing."""
    made = await stored(api.alice, "one")
    await api.alice.patch("/api/memories/1", json={"content": "two"})
    await api.alice.delete("/api/memories/1")
    back = op("create", str(uuid4()), 0, content="two", restores={"uid": made["uid"]})
    (result,) = await push(api.alice, back)
    assert (await One(api.alice, result["current"]["id"]).restore())["content"] == "one"
