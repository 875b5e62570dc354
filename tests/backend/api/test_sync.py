"""The sync protocol's server side: the feed has no gaps, each operation has one effect."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import pytest

from tests.support.api import KEYS, running, stored
from tests.support.promises import promise
from tests.support.pushing import created, op, push
from tests.support.replica import FEED, Replica

if TYPE_CHECKING:
    from tests.support.api import Api
    from tests.support.postgres import Server

pytestmark = pytest.mark.anyio


async def test_hello_tells_what_a_client_must_know(api: Api) -> None:
    """Account, epoch, protocol and limits; each user has an account of its own."""
    alice = (await api.alice.get("/api/sync/hello")).json()
    bob = (await api.bob.get("/api/sync/hello")).json()
    assert alice["protocol"] == {"min": 1, "max": 1}
    assert alice["limits"] == {"ops": 200, "bytes": 1_048_576, "content": 16_384}
    assert alice["scopes"] == ["admin", "read", "secret", "write"]
    assert (alice["server_id"], alice["epoch"]) == (bob["server_id"], bob["epoch"])
    assert alice["account_id"] != bob["account_id"]
    for content in ("One", "Two"):
        made = await stored(api.alice, content)
    await api.alice.delete(f"/api/memories/{made['id']}")
    live = [(await one.get("/api/sync/hello")).json()["live"] for one in (api.alice, api.bob)]
    assert live == [1, 0]


async def test_right_headers_pass_and_others_do_not(api: Api) -> None:
    """A client that means another account, epoch or protocol is told so before anything happens."""
    hello = (await api.alice.get("/api/sync/hello")).json()
    right = {
        "X-Memory-Protocol": "1",
        "X-Memory-Account": hello["account_id"],
        "X-Memory-Epoch": hello["epoch"],
    }
    assert (await api.alice.get(FEED, headers=right)).status_code == 200
    one = {"ops": [op("create", str(uuid4()), 0, content="x")]}
    for header, value, status, code in (
        ("X-Memory-Protocol", "2", 426, "upgrade_needed"),
        ("X-Memory-Account", str(uuid4()), 409, "account_mismatch"),
        ("X-Memory-Epoch", str(uuid4()), 410, "epoch_changed"),
    ):
        wrong = {**right, header: value}
        for answer in (
            await api.alice.get(FEED, headers=wrong),
            await api.alice.post(FEED, headers=wrong, json=one),
        ):
            assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (await api.alice.get("/api/memories")).json()["memories"] == []
    assert (
        await api.alice.get("/api/sync/hello", headers={"X-Memory-Protocol": "9"})
    ).status_code == 426


@promise("server.feed-comes-in-pages")
@pytest.mark.parametrize("limit", [1, 3, 1000])
async def test_feed_has_no_gap_while_many_write(api: Api, limit: int) -> None:
    """Whoever pulls while eight others store, change and delete ends with exactly what is there."""
    chance = random.Random(limit)  # noqa: S311  (a history of edits, the same on every run)
    client = api.patient(KEYS["alice"])
    replica = Replica(client, limit)
    is_done = False

    async def write(number: int) -> None:
        mine: list[str] = []
        for step in range(12):
            kind = chance.choice(["create", "create", "update", "delete"]) if mine else "create"
            uid = str(uuid4()) if kind == "create" else chance.choice(mine)
            body = {} if kind == "delete" else {"content": f"{number}/{step}"}
            (result,) = await push(client, op(kind, uid, None, **body))
            assert result["status"] in {"applied", "conflict"}  # a deleted one stays so
            mine.append(uid)

    async def follow() -> None:
        while not is_done:
            await replica.page()

    follower = asyncio.create_task(follow())
    await asyncio.gather(*(write(number) for number in range(8)))
    is_done = True
    await follower
    await replica.catch_up()
    replica.assert_equal_to_server()
    fresh = Replica(api.alice, 7)
    await fresh.catch_up()
    fresh.assert_equal_to_server()
    assert fresh.live() == replica.live()


@pytest.mark.parametrize("limit", [1, 2, 5])
async def test_full_dump_is_right_while_rows_are_deleted(api: Api, limit: int) -> None:
    """Rows deleted during a dump do not stay behind, rows made during it are there."""
    made = [await created(api.alice, f"row {number}") for number in range(10)]
    gone = await created(api.alice, "deleted before")
    await push(api.alice, op("delete", gone["uid"]))
    replica = Replica(api.alice, limit)
    assert await replica.page()
    await push(api.alice, op("delete", made[0]["uid"]), op("delete", made[-1]["uid"]))
    await push(api.alice, op("update", made[1]["uid"], None, content="changed"))
    await created(api.alice, "made meanwhile")
    await replica.catch_up()
    replica.assert_equal_to_server()
    assert gone["uid"] not in replica.rows
    assert len(replica.live()) == 9


async def test_full_dump_leaves_out_what_was_deleted_before(api: Api) -> None:
    """A dump holds live rows only; a tombstone comes to whoever had the row."""
    row = await created(api.alice)
    early = Replica(api.alice)
    await early.catch_up()
    await push(api.alice, op("delete", row["uid"]))
    late = Replica(api.alice)
    await late.catch_up()
    assert late.rows == {}
    await early.catch_up()
    assert early.rows[row["uid"]]["deleted_at"]
    assert early.rows[row["uid"]]["content"] is None
    early.assert_equal_to_server()


@promise("server.feed-comes-in-pages")
async def test_pages_are_cut_at_two_mebibytes(api: Api) -> None:
    """A page of large rows ends early and goes on."""
    for batch in range(4):
        ops = [op("create", str(uuid4()), 0, content="ü" * 16_000) for _ in range(25)]
        assert len(str(ops)) < 1_048_576, batch
        await push(api.alice, *ops)
    replica = Replica(api.alice, 1000)
    assert await replica.page()
    assert len(replica.rows) < 100
    await replica.catch_up()
    assert len(replica.rows) == 100
    replica.assert_equal_to_server()


@promise("server.repetition-has-one-effect")
async def test_repeated_push_has_one_effect(api: Api) -> None:
    """A batch that is sent again, also at the same time, is answered the same and done once."""
    uid = str(uuid4())
    ops = [op("create", uid, 0, content="one"), op("update", uid, None, content="two")]
    answers = await asyncio.gather(*(push(api.alice, *ops) for _ in range(4)))
    for results in answers:
        assert [one["status"] for one in results] == ["applied", "applied"]
    again = await push(api.alice, *ops)
    assert again[0]["current"]["content"] == "two"
    versions = (await api.alice.get(f"/api/memories/{uid}/history")).json()["versions"]
    assert len(versions) == 1


async def test_operation_id_of_another_request_is_rejected(api: Api) -> None:
    """The same op_id with another body changes nothing."""
    first = op("create", str(uuid4()), 0, content="one")
    await push(api.alice, first)
    (result,) = await push(api.alice, {**first, "body": {"content": "other"}})
    assert (result["status"], result["code"]) == ("rejected", "op_id_reused")


async def test_fields_of_a_newer_client_are_passed_over(api: Api) -> None:
    """In the address, in the batch, in an operation and in its body; it says what it speaks."""
    speaks = {"X-Memory-Protocol": "1"}
    newer = {**op("create", str(uuid4()), 0, content="From a newer client", mood="calm"), "why": []}
    batch = {"ops": [newer], "client": {"version": 9}}
    answer = await api.alice.post(FEED, json=batch, params={"wait": "5"}, headers=speaks)
    assert answer.status_code == 200, answer.text
    (result,) = answer.json()["results"]
    assert (result["status"], result["current"]["content"]) == ("applied", "From a newer client")
    again = await api.alice.post(FEED, json=batch)
    assert again.json()["results"] == answer.json()["results"]


async def test_edits_of_different_fields_merge(api: Api) -> None:
    """Two edits on the same base both apply if they touch different fields."""
    row = await created(api.alice)
    results = await push(
        api.alice,
        op("update", row["uid"], row["version"], content="new text"),
        op("update", row["uid"], row["version"], tags="new,tags"),
    )
    assert [one["status"] for one in results] == ["applied", "applied"]
    assert (results[1]["current"]["content"], results[1]["current"]["tags"]) == (
        "new text",
        "new,tags",
    )


async def test_edit_on_an_old_version_never_replaces_unseen_text(api: Api) -> None:
    """The later edit of the same field is a conflict, its text lies in the history."""
    row = await created(api.alice)
    results = await push(
        api.alice,
        op("update", row["uid"], row["version"], content="first"),
        op("update", row["uid"], row["version"], content="second"),
    )
    assert [one["status"] for one in results] == ["applied", "conflict"]
    assert results[1]["current"]["content"] == "first"
    versions = (await api.alice.get(f"/api/memories/{row['uid']}/history")).json()["versions"]
    assert {(one["kind"], one["fields"]["content"]) for one in versions} == {
        ("superseded", "text"),
        ("conflict", "second"),
    }


async def test_edit_that_lost_keeps_its_fields_as_they_were_sent(api: Api) -> None:
    """A number stays a number, and what was to be empty stays empty."""
    row = await created(api.alice)
    other = await created(api.alice, "other")
    mine: dict[str, Any] = {"importance": 0.9, "expires_at": None, "supersedes": other["uid"]}
    await push(
        api.alice,
        op("update", row["uid"], row["version"], importance=0.1, expires_at=None),
        op("update", row["uid"], row["version"], **mine),
    )
    versions = (await api.alice.get(f"/api/memories/{row['uid']}/history")).json()["versions"]
    assert [one["fields"] for one in versions if one["kind"] == "conflict"] == [mine]


async def test_delete_wins_and_is_final(api: Api) -> None:
    """Neither an update nor a create brings a deleted uid back."""
    row = await created(api.alice)
    results = await push(
        api.alice,
        op("delete", row["uid"], row["version"]),
        op("update", row["uid"], row["version"], content="late"),
        op("create", row["uid"], 0, content="again"),
        op("delete", row["uid"]),
    )
    assert [one["status"] for one in results] == ["applied", "conflict", "conflict", "applied"]
    assert all(one["current"]["deleted_at"] for one in results)
    assert results[0]["current"]["version"] == results[-1]["current"]["version"]


async def test_since_form_has_no_gap(api: Api) -> None:
    """`server_time` given back as `since`, its plus lost, finds exactly what came after."""
    await stored(api.alice, "before")
    first = (await api.alice.get(FEED, params={"since": "2020-01-01T00:00:00+00:00"})).json()
    assert [row["content"] for row in first["memories"]] == ["before"]
    deleted = await stored(api.alice, "gone")
    await api.alice.delete(f"/api/memories/{deleted['id']}")
    await stored(api.alice, "after")
    moment = first["server_time"].replace("Z", "+00:00")
    answer = await api.alice.get(f"{FEED}?since={moment}")  # not encoded: `+` arrives as a space
    assert answer.status_code == 200, answer.text
    rows = answer.json()["memories"]
    assert [(row["content"], bool(row["deleted_at"])) for row in rows] == [
        (None, True),
        ("after", False),
    ]
    last = await api.alice.get(FEED, params={"since": answer.json()["server_time"]})
    assert last.json()["memories"] == []


async def test_since_form_keeps_rows_of_one_moment_together(
    api: Api, superuser: psycopg.Connection[Any]
) -> None:
    """A page that ended between rows of one moment would hide the others for ever."""
    account = (await api.alice.get("/api/sync/hello")).json()["account_id"]
    superuser.execute(
        "INSERT INTO memories (account_id, uid, no, version, content, category, created_at, "
        "updated_at) SELECT %s, gen_random_uuid(), n, n, 'x', 'facts', now(), "
        "timestamptz '2026-01-01Z' + n / 4 * interval '1 second' FROM generate_series(1, 10006) n",
        (account,),
    )
    superuser.execute("ANALYZE memories")  # as the database does by itself, within a minute
    first = (await api.alice.get(FEED, params={"since": "2020-01-01T00:00:00Z"})).json()
    assert first["has_more"]
    second = (await api.alice.get(FEED, params={"since": first["server_time"]})).json()
    seen = [row["id"] for row in first["memories"] + second["memories"]]
    assert seen == list(range(1, 10_007))


async def test_operation_that_the_database_refuses_is_given_up(
    api: Api, superuser: psycopg.Connection[Any]
) -> None:
    """Two requests are told to try again, the third to stop; what stands beside it is done."""
    poison = op("create", str(uuid4()), content="poison")
    superuser.execute(
        "ALTER TABLE memories ADD CONSTRAINT no_poison CHECK (content <> 'poison') NOT VALID"
    )
    try:
        told = []
        for number in range(4):
            ops = [poison, op("create", str(uuid4()), content=f"wholesome {number}")]
            refused, applied = await push(api.alice, *ops, **{"X-Request-Id": f"push-{number}"})
            told.append((refused["status"], refused["code"]))
            assert applied["status"] == "applied"
    finally:
        superuser.execute("ALTER TABLE memories DROP CONSTRAINT no_poison")
    assert told == [("retry", "internal")] * 2 + [("rejected", "internal_rejected")] * 2
    defects = [line for line in api.logged() if line["event"] == "defect"]
    assert {line["request_id"] for line in defects} == {f"push-{number}" for number in range(4)}
    assert {(line["kind"], line["sqlstate"]) for line in defects} == {("CheckViolation", "23514")}
    assert "poison" not in api.logs.getvalue()
    (mended,) = await push(api.alice, poison)
    assert mended["status"] == "applied"


@pytest.mark.parametrize("length", [1, 2, 3])
@pytest.mark.parametrize("is_one_push", [True, False])
async def test_circle_of_superseded_memories_is_left_open(
    api: Api, length: int, *, is_one_push: bool
) -> None:
    """The operation that would close it is applied without that, or none would ever be seen."""
    uids = [str(uuid4()) for _ in range(length)]
    following = [*uids[1:], uids[0]]
    ops = [
        op("create", uid, 0, content=f"Fact of {uid}", supersedes=other)
        for uid, other in zip(uids, following, strict=True)
    ]
    pushes = [ops] if is_one_push else [[one] for one in ops]
    results = [result for some in pushes for result in await push(api.alice, *some)]
    kept = [result["current"]["supersedes"] for result in results]
    assert kept == [*following[:-1], None]
    shown = (await api.alice.get("/api/memories")).json()["memories"]
    assert [row["uid"] for row in shown] == [uids[0]]


async def test_update_that_changes_nothing_makes_no_version(api: Api) -> None:
    """It is applied, and devices have nothing to fetch."""
    row = await created(api.alice)
    (result,) = await push(api.alice, op("update", row["uid"], row["version"], content="text"))
    assert (result["status"], result["current"]["version"]) == ("applied", row["version"])


async def test_since_form_is_cut_by_bytes_too(api: Api, superuser: psycopg.Connection[Any]) -> None:
    """Ten thousand long memories are not held at once; what one moment changed stays together."""
    account = (await api.alice.get("/api/sync/hello")).json()["account_id"]
    superuser.execute(
        "INSERT INTO memories (account_id, uid, no, version, content, category, created_at, "
        "updated_at) SELECT %s, gen_random_uuid(), n, n, repeat('x', 16384), 'facts', now(), "
        "timestamptz '2026-01-01Z' + (n / 4) * interval '1 second' FROM generate_series(1, 600) n",
        (account,),
    )
    superuser.execute("ANALYZE memories")  # as the database does by itself, within a minute
    first = (await api.alice.get(FEED, params={"since": "2020-01-01T00:00:00Z"})).json()
    assert first["has_more"]
    assert 400 < len(first["memories"]) < 600
    second = (await api.alice.get(FEED, params={"since": first["server_time"]})).json()
    seen = [row["id"] for row in first["memories"] + second["memories"]]
    assert (seen, second["has_more"]) == (list(range(1, 601)), False)


async def test_old_cursor_after_a_purge_is_expired(
    api: Api, postgres: Server, database_name: str
) -> None:
    """A cursor from before purged tombstones is 410; one from after goes on."""
    kept, row = await created(api.alice), await created(api.alice)
    behind, ahead = Replica(api.alice), Replica(api.alice)
    await behind.catch_up()
    await push(api.alice, op("delete", row["uid"]))
    await ahead.catch_up()
    with psycopg.connect(postgres.url(database_name)) as owner:
        owner.execute("SELECT * FROM memory_purge(now() + interval '1 day', now())")
    answer = await api.alice.get(FEED, params={"cursor": behind.cursor})
    assert (answer.status_code, answer.json()["code"]) == (410, "cursor_expired")
    assert (await api.alice.get(FEED, params={"cursor": ahead.cursor})).status_code == 200
    behind.cursor = ""
    await behind.catch_up()
    assert set(behind.rows) == {kept["uid"]}
    await behind.catch_up()  # the dump ended behind the purge, though its last row is older


async def test_cursor_of_another_account_is_refused(api: Api) -> None:
    """A foreign cursor grants nothing."""
    await stored(api.alice, "mine")
    replica = Replica(api.alice)
    await replica.catch_up()
    answer = await api.bob.get(FEED, params={"cursor": replica.cursor})
    assert (answer.status_code, answer.json()["code"]) == (409, "account_mismatch")


def replay(row: dict[str, Any], lost_after: int) -> dict[str, Any]:
    """Make the operation by which a client brings a row back."""
    fields = {"content": row["content"], "category": "facts", "importance": 0.5}
    known = {"was": row["version"], "lost_after": lost_after, "deleted": False}
    return op("replay", row["uid"], **known, fields=fields)


@promise("server.restore-brings-back")
async def test_server_restored_from_a_backup_gets_back_what_a_client_has(
    api: Api, postgres: Server, database_name: str
) -> None:
    """After a rotation clients are told from where to replay; what was lost is live again."""
    hello = (await api.alice.get("/api/sync/hello")).json()
    kept = await created(api.alice, "in the backup")
    with psycopg.connect(postgres.url(database_name)) as owner:  # what the backup did not have
        state = owner.execute("SELECT version, next_no, live, digest FROM accounts").fetchone()
    lost = await created(api.alice, "after the backup")
    edited = (
        await push(api.alice, op("update", kept["uid"], kept["version"], content="edited after"))
    )[0]["current"]
    assert state is not None
    with psycopg.connect(postgres.url(database_name)) as owner:
        owner.execute("DELETE FROM ops")
        owner.execute("DELETE FROM memories WHERE uid = %s", (lost["uid"],))
        owner.execute(
            "UPDATE memories SET content = 'in the backup', version = %s, field_versions = '{}' "
            "WHERE uid = %s",
            (kept["version"], kept["uid"]),
        )
        owner.execute(
            "UPDATE accounts SET version = %s, next_no = %s, live = %s, digest = %s", state
        )
        owner.execute("SELECT memory_rotate_epoch(gen_random_uuid())")
    old = {"X-Memory-Epoch": hello["epoch"]}
    told = await api.alice.get(FEED, headers=old)
    assert told.status_code == 410
    assert told.json()["code"] == "epoch_changed"
    assert told.json()["lost_after"] == kept["version"]
    replays = [replay(row, kept["version"]) for row in (lost, edited)]
    new = {"X-Memory-Epoch": told.json()["epoch"]}
    results = await push(api.alice, *replays, **new)
    assert [one["status"] for one in results] == ["applied", "applied"]
    again = [{**one, "op_id": str(uuid4())} for one in replays]  # from another client
    assert [one["status"] for one in await push(api.alice, *again)] == ["applied", "applied"]
    replica = Replica(api.alice)
    await replica.catch_up()
    replica.assert_equal_to_server()
    assert {row["content"] for row in replica.rows.values()} == {"after the backup", "edited after"}
    assert min(replica.live().values()) > max(lost["version"], edited["version"])


async def test_purge_that_a_restore_lost_is_a_purge_again(
    api: Api, superuser: psycopg.Connection[Any]
) -> None:
    """Nothing is kept of the memory that the backup had brought back, and all machines hear so."""
    (stored,) = await push(api.alice, op("create", str(uuid4()), content="Erase me"))
    row = stored["current"]
    told = {"was": row["version"] + 5, "lost_after": row["version"], "deleted": True}
    (gone,) = await push(api.alice, op("replay", row["uid"], **told, purge=True))
    assert (gone["status"], gone["current"]["purged"]) == ("applied", True)
    for table in ("memories", "history"):
        assert "Erase me" not in str(superuser.execute(f"SELECT * FROM {table}").fetchall())


async def test_replay_never_overwrites_what_was_edited_after_the_restore(
    api: Api,
) -> None:
    """A row that one client brought back and somebody edited is newer than any other replay."""
    uid = str(uuid4())
    known = {"uid": uid, "version": 7, "content": "as one client knew it"}
    assert (await push(api.alice, replay(known, 3)))[0]["status"] == "applied"
    newer = {**known, "version": 9, "content": "as another client knew it"}
    assert (await push(api.alice, replay(newer, 3)))[0]["status"] == "applied"
    await push(api.alice, op("update", uid, content="edited since"))
    newest = {**known, "version": 11, "content": "as a third client knew it"}
    results = await push(api.alice, replay(newest, 3), replay(newer, 3))
    assert [one["status"] for one in results] == ["conflict", "applied"]
    assert results[0]["current"]["content"] == "edited since"
    history = (await api.alice.get(f"/api/memories/{uid}/history")).json()["versions"]
    assert history[0]["fields"]["content"] == newest["content"]


async def test_replay_of_a_sensitive_memory_keeps_or_misses_its_secret(api: Api) -> None:
    """A row that is there keeps its own secret; of a lost one it is said that it is lost."""
    token = "ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"
    kept = await created(api.alice, f"Key {token}")
    ops = []
    for uid in (kept["uid"], str(uuid4())):
        one = replay({**kept, "uid": uid, "version": 9}, kept["version"])
        one["body"]["fields"]["is_sensitive"] = True
        ops.append(one)
    for result in await push(api.alice, *ops):
        assert result["status"] == "applied"
        assert result["current"]["is_sensitive"] is True
    opened = [await api.alice.post(f"/api/memories/{one['uid']}/secret") for one in ops]
    assert opened[0].json()["content"] == f"Key {token}"
    assert (opened[1].status_code, opened[1].json()["code"]) == (410, "secret_lost")


async def test_unknown_epoch_is_told_the_earliest_restore(
    api: Api, postgres: Server, database_name: str
) -> None:
    """So is a client that missed several: any of them may have lost what it has."""
    hello = (await api.alice.get("/api/sync/hello")).json()
    bases = []
    with psycopg.connect(postgres.url(database_name), autocommit=True) as owner:
        for _ in range(2):
            bases.append((await created(api.alice))["version"])
            owner.execute("SELECT memory_rotate_epoch(gen_random_uuid())")
    for epoch, expected in ((hello["epoch"], bases[0]), (str(uuid4()), bases[0])):
        told = await api.alice.get(FEED, headers={"X-Memory-Epoch": epoch})
        assert told.json()["lost_after"] == expected


async def test_deletion_lost_by_a_restore_is_final_whatever_was_edited_since(api: Api) -> None:
    """The client that was told of the delete gives it back, and the memory is gone again."""
    made = await created(api.alice, "deleted, and restored with the backup")
    await push(api.alice, op("update", made["uid"], made["version"], content="edited since"))
    gone = {**replay(made, made["version"]), "op_id": str(uuid4())}
    gone["body"] |= {"was": made["version"] + 50, "deleted": True, "fields": None}
    (result,) = await push(api.alice, gone)
    assert (result["status"], result["current"]["content"]) == ("applied", None)


async def test_text_given_back_after_its_delete_is_in_the_history(api: Api) -> None:
    """Another machine deleted it before it was given back there: the text is kept for an undo."""
    for uid in (str(uuid4()), (await created(api.alice, "of the backup"))["uid"]):
        text = {"uid": uid, "version": 1_000, "content": "given back"}
        gone = replay(text, 900)
        gone["body"] |= {"deleted": True, "fields": None}
        results = await push(api.alice, gone, replay(text, 900))
        assert [one["status"] for one in results] == ["applied", "conflict"]
        answer = await api.alice.get(f"/api/memories/{uid}/history")
        kept = [(one["kind"], one["fields"]["content"]) for one in answer.json()["versions"]]
        assert ("conflict", "given back") in kept


async def test_replay_of_what_was_not_lost_changes_nothing(api: Api) -> None:
    """Who is told to replay more than was lost does no harm."""
    made = await created(api.alice, "still there")
    (result,) = await push(api.alice, replay(made, 0))
    assert (result["status"], result["current"]["version"]) == ("applied", made["version"])


async def test_replay_never_brings_back_what_may_have_been_deleted_and_purged(
    api: Api, postgres: Server, database_name: str
) -> None:
    """A missing row below the horizon may be a deleted one; its text goes to the history."""
    await created(api.alice)
    with psycopg.connect(postgres.url(database_name)) as owner:
        owner.execute("UPDATE accounts SET horizon = 100")
    uids = [str(uuid4()), str(uuid4())]
    rows = [
        {"uid": uid, "version": version, "content": "lost"}
        for uid, version in zip(uids, (100, 101), strict=True)
    ]
    results = await push(api.alice, *[replay(row, 3) for row in rows])
    assert [one["status"] for one in results] == ["conflict", "applied"]


async def test_operation_that_was_applied_is_not_refused_when_it_comes_again(
    database_url: str,
) -> None:
    """The keeper of secrets may be gone by then: the first answer stands."""
    one = op("create", str(uuid4()), 0, content="Key ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8")
    async with running(database_url) as api:
        assert [found["status"] for found in await push(api.alice, one)] == ["applied"]
    async with running(database_url, encryption_key="") as api:
        again = {**one, "op_id": str(uuid4())}
        results = await push(api.alice, one, again)
    assert [found["status"] for found in results] == ["applied", "rejected"]
