"""Memories over REST: stored, found, changed, deleted, brought back."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest

from backend.schemas import StoreBody
from backend.services.single import create_id
from tests.support.api import stored
from tests.support.promises import promise

if TYPE_CHECKING:
    from tests.support.api import Api

pytestmark = pytest.mark.anyio


async def recall(api: Api, context: str, **more: object) -> list[str]:
    """Return the contents that a recall finds, best first."""
    body = {"context": context, **more}
    answer = await api.alice.post("/api/memories/recall", json=body)
    assert answer.status_code == 200, answer.text
    return [one["content"] for one in answer.json()["memories"]]


async def test_stored_memory_is_recalled(api: Api) -> None:
    """What was stored comes back, with its fields and a rank."""
    made = await stored(api.alice, "Deploys go through Argo CD", tags="ops,deploy", importance=0.8)
    assert made["category"] == "facts"
    assert made["importance"] == 0.8
    answer = await api.alice.post("/api/memories/recall", json={"context": "how do we deploy"})
    assert answer.status_code == 200, answer.text
    (found,) = answer.json()["memories"]
    assert found["content"] == "Deploys go through Argo CD"
    assert found["id"] == made["id"]
    assert found["uid"] == made["uid"]
    assert found["rank"] > 0
    assert found["is_sensitive"] is False
    assert found["created_at"].endswith("Z")


async def test_rarest_word_decides_the_order(api: Api) -> None:
    """A memory with the one telling word stands above many with the frequent one."""
    for number in range(20):
        await stored(api.alice, f"The server number {number} runs in Frankfurt")
    await stored(api.alice, "The server called basilisk is retired")
    assert (await recall(api, "server basilisk"))[0] == "The server called basilisk is retired"


async def test_context_weighs_more_than_the_expanded_query(api: Api) -> None:
    """What was asked for stands above what is only related."""
    await stored(api.alice, "Postgres is the database here")
    await stored(api.alice, "Elasticsearch is the search engine here")
    found = await recall(api, "postgres", expanded_query="elasticsearch")
    assert found == ["Postgres is the database here", "Elasticsearch is the search engine here"]


@pytest.mark.parametrize(
    ("content", "asked"),
    [
        ("Call fetchUserProfile first", "user profile"),
        ("The table is user_accounts", "accounts"),
        ("会议在星期三举行", "星期三"),
        ("We use C++ for the engine", "C++"),
        ("Die Straße ist gesperrt", "straße"),
    ],
)
async def test_words_inside_names_and_other_scripts_are_found(
    api: Api, content: str, asked: str
) -> None:
    """Identifiers are found by their parts, Chinese by its words."""
    await stored(api.alice, content)
    assert await recall(api, asked) == [content]


async def test_expanded_keywords_are_searched_but_never_expire_the_limit(api: Api) -> None:
    """A memory is found by words given with it, and `limit` bounds the answer."""
    for number in range(5):
        await stored(api.alice, f"Note {number}", expanded_keywords="kubernetes cluster")
    assert len(await recall(api, "kubernetes", limit=3)) == 3


async def test_category_and_scope_narrow_a_recall(api: Api) -> None:
    """Only what fits the filters is found."""
    await stored(api.alice, "Tabs are preferred", category="preferences")
    await stored(api.alice, "Tabs break the parser", scope="project", project="github.com/a/b")
    assert await recall(api, "tabs", category="preferences") == ["Tabs are preferred"]
    assert await recall(api, "tabs", scope="global") == ["Tabs are preferred"]
    found = await recall(api, "tabs", scope="project", project="github.com/a/b")
    assert found == ["Tabs break the parser"]
    assert await recall(api, "tabs", scope="", project="github.com/x/y") == ["Tabs are preferred"]


async def test_superseded_and_expired_memories_are_hidden(api: Api) -> None:
    """A correction hides what it corrects; what has expired is gone from recall and list."""
    old = await stored(api.alice, "The port is 8080")
    await stored(api.alice, "The port is 9090", supersedes=str(old["id"]))
    past = [{"content": "The port was 7070", "expires_at": "2020-01-01T00:00:00Z"}]
    assert (await api.alice.post("/api/memories/import", json=past)).status_code == 200
    assert await recall(api, "port") == ["The port is 9090"]
    listed = (await api.alice.get("/api/memories")).json()["memories"]
    assert [one["content"] for one in listed] == ["The port is 9090"]


async def test_memory_in_the_last_place_of_a_session_is_recalled(api: Api) -> None:
    """There is no place after it, where neighbours could be."""
    await stored(api.alice, "The server is called basilisk", session="s", session_seq=2**31 - 1)
    assert await recall(api, "which server") == ["The server is called basilisk"]


async def test_nothing_asked_finds_nothing(api: Api) -> None:
    """A question without words is answered with an empty list."""
    await stored(api.alice, "Something")
    for context in ("", "   ", "?!", "the of and"):
        assert await recall(api, context) == []


async def test_memory_is_read_by_number_and_by_uid(api: Api) -> None:
    """Both ids name the same memory; the version is the ETag."""
    made = await stored(api.alice, "One fact")
    for name in (made["id"], made["uid"], made["uid"].upper()):
        answer = await api.alice.get(f"/api/memories/{name}")
        assert answer.status_code == 200
        assert answer.json()["content"] == "One fact"
        assert answer.headers["etag"] == f'"{made["version"]}"'


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
async def test_change_keeps_the_earlier_text(api: Api, method: str) -> None:
    """Given fields change, others stay, and the history has what was there before."""
    made = await stored(api.alice, "Meeting on Tuesday", tags="calendar")
    url = f"/api/memories/{made['id']}"
    answer = await api.alice.request(method, url, json={"content": "Meeting on Friday"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["content"] == "Meeting on Friday"
    assert answer.json()["tags"] == "calendar"
    assert answer.json()["version"] > made["version"]
    (earlier,) = (await api.alice.get(f"{url}/history")).json()["versions"]
    assert earlier["kind"] == "superseded"
    assert earlier["fields"]["content"] == "Meeting on Tuesday"


async def test_change_of_another_version_is_refused(api: Api) -> None:
    """If-Match with an old version is 412 and shows the present state."""
    made = await stored(api.alice, "First")
    url = f"/api/memories/{made['id']}"
    first = await api.alice.patch(
        url, json={"content": "Second"}, headers={"If-Match": f'"{made["version"]}"'}
    )
    assert first.status_code == 200
    late = await api.alice.patch(
        url, json={"content": "Third"}, headers={"If-Match": f'"{made["version"]}"'}
    )
    assert late.status_code == 412
    assert late.json()["code"] == "stale_version"
    assert late.json()["current"]["content"] == "Second"
    assert late.json()["current"]["version"] == first.json()["version"]


async def test_repeated_change_of_a_version_is_answered_as_the_first_time(api: Api) -> None:
    """Asked again after its answer was lost, `If-Match` does not take the change for another's."""
    made = await stored(api.alice, "first")
    url = f"/api/memories/{made['id']}"
    headers = {"If-Match": f'"{made["version"]}"', "Idempotency-Key": "change"}
    answers = [
        await api.alice.patch(url, json={"content": "second"}, headers=headers) for _ in range(2)
    ]
    assert [one.status_code for one in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert answers[0].headers["etag"] == answers[1].headers["etag"]
    other = {**headers, "Idempotency-Key": "another"}
    refused = await api.alice.patch(url, json={"tags": "late"}, headers=other)
    assert (refused.status_code, refused.json()["current"]["content"]) == (412, "second")
    other["If-Match"] = answers[0].headers["etag"]
    later = await api.alice.patch(url, json={"tags": "late"}, headers=other)
    assert (later.status_code, later.json()["tags"]) == (200, "late")


async def test_empty_change_changes_nothing(api: Api) -> None:
    """A patch without fields makes no new version."""
    made = await stored(api.alice, "Same")
    answer = await api.alice.patch(f"/api/memories/{made['id']}", json={})
    assert answer.json()["version"] == made["version"]


async def test_expiry_can_be_taken_away(api: Api) -> None:
    """`expires_at: null` makes a memory stay."""
    made = await stored(api.alice, "Soon gone", expires_at="2100-01-01T00:00:00Z")
    url = f"/api/memories/{made['id']}"
    assert (await api.alice.get(url)).json()["expires_at"] == "2100-01-01T00:00:00Z"
    answer = await api.alice.patch(url, json={"expires_at": None})
    assert answer.json()["expires_at"] is None


@promise("server.expiry-is-not-past")
async def test_memory_that_would_have_expired_is_refused(api: Api) -> None:
    """Neither a store nor a change ends a memory in the past; the answer says how to mend it."""
    made = await stored(api.alice, "Stays", expires_at="2100-01-01T00:00:00Z")
    past = {"expires_at": "2020-01-01T00:00:00+01:00"}
    url = f"/api/memories/{made['id']}"
    for answer, undone in (
        (await api.alice.post("/api/memories", json={"content": "Gone", **past}), "stored"),
        (await api.alice.patch(url, json={"content": "Gone", **past}), "changed"),
        (await api.alice.put(url, json=past), "changed"),
    ):
        found = answer.json()
        assert (answer.status_code, found["code"]) == (422, "malformed")
        told = f"expires_at, 2019-12-31T23:00:00Z, is past; nothing was {undone}."
        assert found["detail"] == told
        assert found["fix"] == "Give a later time, or none for a memory that does not expire."
        assert found["errors"] == [{"where": "body.expires_at", "message": "is past"}]
    row = (await api.alice.get(url)).json()
    assert (row["content"], row["expires_at"]) == ("Stays", "2100-01-01T00:00:00Z")


@promise("server.expiry-is-not-past")
async def test_date_is_over_with_its_day(api: Api) -> None:
    """Today is a day to keep a memory until, as it is for the plugin."""
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    made = await stored(api.alice, "For today", expires_at=today)
    url = f"/api/memories/{made['id']}"
    assert (await api.alice.get(url)).json()["expires_at"] == f"{today}T23:59:59Z"
    changed = await api.alice.patch(url, json={"expires_at": "2100-02-28"})
    assert changed.json()["expires_at"] == "2100-02-28T23:59:59Z"


@promise("server.expiry-is-not-past")
async def test_repetition_after_the_end_is_answered_as_the_first(api: Api) -> None:
    """What was done in time is not refused when it is asked for again, and not done twice."""
    account = UUID((await api.alice.get("/api/sync/hello")).json()["account_id"])
    uid = uuid4()
    body = {"content": "In time", "expires_at": "2020-01-01T00:00:00Z"}
    whole = StoreBody.model_validate(body).model_dump(exclude={"uid", "supersedes"}, mode="json")
    op = {"op_id": str(create_id(account, uid)), "uid": str(uid), "kind": "create", "body": whole}
    pushed = await api.alice.post("/api/memories/sync", json={"ops": [op]})  # as it was then
    assert pushed.json()["results"][0]["status"] == "applied"
    again = await api.alice.post("/api/memories", json={**body, "uid": str(uid)})
    assert (again.status_code, again.json()["uid"]) == (200, str(uid)), again.text
    other = await api.alice.post("/api/memories", json={**body, "uid": str(uuid4())})
    assert other.status_code == 422


@promise("server.expiry-is-not-past")
async def test_memory_that_has_expired_can_be_written_back(api: Api) -> None:
    """Who sends a whole row, with the end that it has, changes the rest of it."""
    past = {"content": "Was true", "expires_at": "2020-01-01T00:00:00Z"}
    (made,) = (await api.alice.post("/api/memories/import", json=[past])).json()
    edited = await api.alice.put(
        f"/api/memories/{made['id']}", json={**past, "content": "Was said to be true"}
    )
    assert (edited.status_code, edited.json()["content"]) == (200, "Was said to be true")


async def test_delete_is_final_and_can_be_repeated(api: Api) -> None:
    """A deleted memory is gone everywhere; deleting it again is no error."""
    made = await stored(api.alice, "Forget me")
    url = f"/api/memories/{made['id']}"
    first = await api.alice.delete(url)
    again = await api.alice.delete(url)
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json() == first.json()
    assert (await api.alice.get(url)).status_code == 404
    assert await recall(api, "forget") == []
    assert (await api.alice.patch(url, json={"content": "back"})).status_code == 404


async def test_delete_is_undone_under_a_new_uid(api: Api) -> None:
    """Restore brings the text back as a new memory that supersedes the deleted one."""
    made = await stored(api.alice, "Valuable", tags="keep", importance=0.9)
    url = f"/api/memories/{made['id']}"
    await api.alice.delete(url)
    answer = await api.alice.post(f"{url}/restore")
    assert answer.status_code == 200, answer.text
    back = answer.json()
    assert back["uid"] != made["uid"]
    assert back["supersedes"] == made["uid"]
    assert (back["content"], back["tags"], back["importance"]) == ("Valuable", "keep", 0.9)


async def test_repeated_restore_of_a_deleted_memory_brings_it_back_once(api: Api) -> None:
    """A lost answer that is asked for again makes no double; a copy that was deleted comes back."""
    made = await stored(api.alice, "Valuable")
    url = f"/api/memories/{made['id']}"
    await api.alice.delete(url)
    asked = [api.alice.post(f"{url}/restore") for _ in range(5)]
    backs = [answer.json() for answer in await asyncio.gather(*asked)]
    assert len({back["uid"] for back in backs}) == 1
    await api.alice.delete(f"/api/memories/{backs[0]['id']}")
    again = (await api.alice.post(f"{url}/restore")).json()
    assert again["content"] == "Valuable"
    assert again["uid"] not in {made["uid"], backs[0]["uid"]}
    assert len((await api.alice.get("/api/memories")).json()["memories"]) == 1


async def test_history_shows_its_newest_entries(api: Api) -> None:
    """However often a memory was edited, an answer has an end."""
    made = await stored(api.alice, "Text 0")
    url = f"/api/memories/{made['id']}"
    for batch in range(3):
        ops = [
            {
                "op_id": str(uuid4()),
                "uid": made["uid"],
                "kind": "update",
                "body": {"content": f"Text {batch * 100 + number}"},
            }
            for number in range(1, 101)
        ]
        assert (await api.alice.post("/api/memories/sync", json={"ops": ops})).status_code == 200
    versions = (await api.alice.get(f"{url}/history")).json()["versions"]
    assert len(versions) == 200
    assert versions[0]["fields"]["content"] == "Text 299"
    back = (await api.alice.post(f"{url}/restore")).json()
    assert back["content"] == "Text 299"


async def test_superseded_memory_is_named_by_number_or_uid(api: Api) -> None:
    """`supersedes` takes the id as answers show it, a number, and as text."""
    for name in ("id", "uid"):
        old = await stored(api.alice, "The port is 8080")
        await stored(api.alice, "The port is 9090", supersedes=old[name])
        await stored(api.alice, "The port is 9091", supersedes=str(old[name]))
        found = (await api.alice.get("/api/memories")).json()["memories"]
        assert old["id"] not in {one["id"] for one in found}


async def test_memory_cannot_supersede_itself(api: Api) -> None:
    """It would be hidden from every recall and list, for good."""
    uid = str(uuid4())
    create = {"op_id": str(uuid4()), "uid": uid, "kind": "create", "base": 0}
    body = {"content": "Zebras graze", "supersedes": uid}
    update = {"op_id": str(uuid4()), "uid": uid, "kind": "update", "body": {"supersedes": uid}}
    ops = [{**create, "body": body}, update]
    await api.alice.post("/api/memories/sync", json={"ops": ops})
    rows = [{"content": "Zebras sleep", "uid": str(uuid4())}]
    rows[0]["supersedes"] = rows[0]["uid"]
    assert (await api.alice.post("/api/memories/import", json=rows)).status_code == 200
    found = await api.alice.post("/api/memories/recall", json={"context": "zebras"})
    assert len(found.json()["memories"]) == 2


async def test_edit_is_undone_in_place(api: Api) -> None:
    """Restore of an edited memory brings the earlier text back."""
    made = await stored(api.alice, "Right")
    url = f"/api/memories/{made['id']}"
    await api.alice.patch(url, json={"content": "Wrong"})
    back = (await api.alice.post(f"{url}/restore")).json()
    assert (back["uid"], back["content"]) == (made["uid"], "Right")


async def test_nothing_to_restore_is_not_found(api: Api) -> None:
    """A memory that never changed has nothing to go back to; nor has a purged one."""
    made = await stored(api.alice, "New")
    url = f"/api/memories/{made['id']}"
    assert (await api.alice.post(f"{url}/restore")).status_code == 404
    await api.alice.delete(url, params={"purge": "now"})
    assert (await api.alice.post(f"{url}/restore")).status_code == 404
    assert (await api.alice.get(f"{url}/history")).json()["versions"] == []


async def test_repeated_idempotency_key_stores_once(api: Api) -> None:
    """Any number of sends, also at the same time, gives one memory."""
    headers = {"Idempotency-Key": "send-1"}
    body = {"content": "Once"}
    answers = await asyncio.gather(
        *(api.alice.post("/api/memories", json=body, headers=headers) for _ in range(5))
    )
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["uid"] for answer in answers}) == 1
    other = await api.alice.post("/api/memories", json={"content": "Twice"}, headers=headers)
    assert other.status_code == 409
    assert other.json()["code"] == "idempotency_key_reused"
    assert len((await api.alice.get("/api/memories")).json()["memories"]) == 1


async def test_idempotency_keys_of_accounts_are_apart(api: Api) -> None:
    """The same key of two users stores a memory for each."""
    headers = {"Idempotency-Key": "the-same"}
    for client in (api.alice, api.bob):
        answer = await client.post("/api/memories", json={"content": "Mine"}, headers=headers)
        assert answer.status_code == 200


async def test_given_uid_is_the_identity(api: Api) -> None:
    """The same store with the same uid is done once; another one clashes."""
    uid = str(uuid4())
    first = await stored(api.alice, "Named", uid=uid)
    again = await stored(api.alice, "Named", uid=uid)
    assert first["uid"] == uid
    assert again == first
    clash = await api.alice.post("/api/memories", json={"content": "Other", "uid": uid})
    assert clash.status_code == 409
    assert clash.json()["code"] == "conflict"


async def test_list_is_paged_newest_first_while_others_write(api: Api) -> None:
    """Every page begins where the last one ended, whatever is stored in between."""
    for number in range(7):
        await stored(api.alice, f"Note {number}", tags="seven, all")
    seen: list[str] = []
    cursor = ""
    while True:
        page = (await api.alice.get("/api/memories", params={"limit": 3, "cursor": cursor})).json()
        seen += [one["content"] for one in page["memories"]]
        await stored(api.alice, "Late")
        cursor = page["next"]
        if not cursor:
            break
    assert seen == [f"Note {number}" for number in range(6, -1, -1)]
    tagged = await api.alice.get("/api/memories", params={"tag": "Seven"})
    assert len(tagged.json()["memories"]) == 7


async def test_accounts_are_numbered_apart(api: Api) -> None:
    """Numbers begin at 1 in each account, and uids are version 7."""
    first = await stored(api.alice, "Mine")
    other = await stored(api.bob, "Yours")
    assert first["id"] == other["id"] == 1
    assert UUID(first["uid"]).version == 7


async def test_importance_too_small_to_be_told_from_none_is_none(api: Api) -> None:
    """A number that single precision cannot hold is rounded, not refused."""
    assert (await stored(api.alice, "x", importance=7.5e-250))["importance"] == 0.0
    assert (await stored(api.alice, "y", importance=0.123456789))["importance"] == 0.123457


async def test_restore_that_is_sent_twice_steps_back_once(api: Api) -> None:
    """Without the key of the request the repetition would undo the undo."""
    made = await stored(api.alice, "The first text")
    url = f"/api/memories/{made['id']}"
    await api.alice.patch(url, json={"content": "The second text"})
    named = {"Idempotency-Key": str(uuid4())}
    for _ in range(2):
        back = (await api.alice.post(f"{url}/restore", headers=named)).json()
        assert back["content"] == "The first text"
    await api.alice.delete(url)
    named = {"Idempotency-Key": str(uuid4())}
    revived = [(await api.alice.post(f"{url}/restore", headers=named)).json() for _ in range(2)]
    assert revived[0] == revived[1]
    assert len((await api.alice.get("/api/memories")).json()["memories"]) == 1


async def test_change_that_is_sent_twice_is_made_once(api: Api) -> None:
    """The version tells; and a key that was used for another request is refused."""
    made = await stored(api.alice, "The first text")
    url = f"/api/memories/{made['id']}"
    named = {"Idempotency-Key": str(uuid4())}
    sent = [
        (await api.alice.patch(url, json={"content": "The second"}, headers=named)).json()
        for _ in range(2)
    ]
    assert sent[0] == sent[1]
    other = await api.alice.patch(url, json={"content": "The third"}, headers=named)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    assert (await api.alice.post(f"{url}/restore", headers=named)).status_code == 409


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, ["Everywhere", "Ours", "Theirs"]),
        ({"scope": "global"}, ["Everywhere"]),
        ({"scope": "project", "project": "ours"}, ["Ours"]),
        ({"scope": "", "project": "ours"}, ["Everywhere", "Ours"]),
        ({"scope": "", "project": ""}, ["Everywhere"]),
    ],
)
async def test_list_looks_where_it_is_told(
    api: Api, asked: dict[str, str], expected: list[str]
) -> None:
    """Everywhere by default; with a project's name as recall does."""
    await stored(api.alice, "Everywhere")
    await stored(api.alice, "Ours", scope="project", project="ours")
    await stored(api.alice, "Theirs", scope="project", project="theirs")
    answer = await api.alice.get("/api/memories", params=asked)
    assert sorted(one["content"] for one in answer.json()["memories"]) == expected


async def test_scope_that_is_none_is_refused(api: Api) -> None:
    """A misspelt one must not list what was not asked for."""
    assert (await api.alice.get("/api/memories", params={"scope": "globl"})).status_code == 422


async def test_edit_that_changes_nothing_leaves_the_undo_alone(api: Api) -> None:
    """No version and no entry in the history comes of it; a secret stays sealed as it was."""
    token = "ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"
    made = await stored(api.alice, f"first {token}")
    url = f"/api/memories/{made['id']}"
    await api.alice.patch(url, json={"tags": "one"})
    before = (await api.alice.get(url)).json()
    same = {name: before[name] for name in ("content", "tags", "importance", "category")}
    assert (await api.alice.patch(url, json=same)).json() == before
    undone = (await api.alice.post(f"{url}/restore")).json()
    assert (undone["tags"], undone["content"]) == ("", before["content"])
    assert (await api.alice.post(f"{url}/secret")).json()["content"] == f"first {token}"


async def test_restore_of_a_version_is_done_once(api: Api) -> None:
    """Asked again after its answer was lost, `If-Match` keeps it from undoing the undo."""
    made = await stored(api.alice, "first")
    url = f"/api/memories/{made['id']}"
    edited = (await api.alice.patch(url, json={"content": "second"})).json()
    headers = {"If-Match": f'"{edited["version"]}"', "Idempotency-Key": "undo"}
    undone = await api.alice.post(f"{url}/restore", headers=headers)
    assert undone.json()["content"] == "first"
    again = await api.alice.post(f"{url}/restore", headers=headers)
    assert again.json() == undone.json()
    del headers["Idempotency-Key"]
    refused = await api.alice.post(f"{url}/restore", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (412, "stale_version")
    assert refused.json()["current"]["content"] == "first"


async def test_imported_circle_is_left_open_and_can_be_imported_again(api: Api) -> None:
    """The second row is stored as one that supersedes nothing."""
    uids = [str(uuid4()), str(uuid4())]
    rows = [
        {"uid": uid, "content": f"Fact {uid}", "supersedes": other}
        for uid, other in zip(uids, reversed(uids), strict=True)
    ]
    for _ in range(2):
        assert (await api.alice.post("/api/memories/import", json=rows)).status_code == 200
    shown = (await api.alice.get("/api/memories")).json()["memories"]
    assert [row["uid"] for row in shown] == [uids[0]]


async def test_change_can_say_what_a_memory_supersedes(api: Api) -> None:
    """By any id; what nobody has is refused, and nothing is changed."""
    await stored(api.alice, "Lunch is at noon")
    await stored(api.alice, "Lunch is at one")
    unknown = await api.alice.patch("/api/memories/2", json={"supersedes": "#9"})
    assert unknown.status_code == 404
    assert len((await api.alice.get("/api/memories")).json()["memories"]) == 2
    changed = await api.alice.patch("/api/memories/2", json={"supersedes": "#1"})
    assert changed.status_code == 200, changed.text
    listed = (await api.alice.get("/api/memories")).json()["memories"]
    assert [one["content"] for one in listed] == ["Lunch is at one"]
