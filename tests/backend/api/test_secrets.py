"""Secrets over REST: found in every field, sealed, opened, and never anywhere in clear."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest
from psycopg.types.json import Jsonb

from backend.errors import KeeperDown
from backend.secrets.marks import Marks
from tests.support.api import ENCRYPTION_KEY, KEYS, running, stored
from tests.support.promises import promise

if TYPE_CHECKING:
    import psycopg

    from tests.support.api import Api
    from tests.support.postgres import Server

pytestmark = pytest.mark.anyio

SECRET = "ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"
OTHER = "k8Jw2" + "Qp9Lz"
OTHER_SESSIONS = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()"""


def everything(superuser: psycopg.Connection[Any]) -> str:
    """Return all that the database holds, as text."""
    tables = superuser.execute(
        "SELECT format('%I', relname) FROM pg_class WHERE relkind = 'r' "
        "AND relnamespace = 'public'::regnamespace"
    ).fetchall()
    return "\n".join(
        str(superuser.execute(f"SELECT json_agg(t)::text FROM {name} t").fetchone())
        for (name,) in tables
    )


@promise("secrets.sealed-or-refused")
async def test_secret_is_redacted_sealed_and_opened(
    api: Api, superuser: psycopg.Connection[Any]
) -> None:
    """The memory shows a placeholder; the clear text comes with the secret call, audited."""
    made = await stored(api.alice, f"The CI token is {SECRET}")
    url = f"/api/memories/{made['id']}"
    row = (await api.alice.get(url)).json()
    assert row["is_sensitive"] is True
    assert row["content"] == "The CI token is [secret: github-token]"
    opened = await api.alice.post(f"{url}/secret")
    assert opened.json() == {
        "id": made["id"],
        "content": f"The CI token is {SECRET}",
        "source": "encrypted",
    }
    assert opened.headers["cache-control"] == "no-store"
    audit = superuser.execute("SELECT subject FROM audit WHERE action = 'secret'").fetchall()
    assert audit == [(made["uid"],)]


async def test_secret_is_nowhere_in_clear(api: Api, superuser: psycopg.Connection[Any]) -> None:
    """By whichever way it came: not in the tables, the logs, the feed, the export."""
    made = await stored(api.alice, f"Token {SECRET}", tags=f"t {SECRET}", expanded_keywords=SECRET)
    url = f"/api/memories/{made['id']}"
    await api.alice.patch(url, json={"content": f"Other token {SECRET} here"})
    await api.alice.patch(url, json={"tags": f"tag {SECRET}"})
    await api.alice.post("/api/memories/import", json=[{"content": f"Imported {SECRET}"}])
    create = {"op_id": str(uuid4()), "uid": str(uuid4()), "kind": "create", "base": 0}
    update = {**create, "op_id": str(uuid4()), "kind": "update", "base": None}
    ops = [{**create, "body": {"content": f"Pushed {SECRET}"}}]
    ops.append({**update, "body": {"expanded_keywords": f"Pushed {SECRET}"}})
    pushed = await api.alice.post("/api/memories/sync", json={"ops": ops})
    assert {one["status"] for one in pushed.json()["results"]} == {"applied"}
    await api.alice.delete(url)
    await api.alice.post(f"{url}/restore")
    seen = [
        pushed.text,
        (await api.alice.get("/api/memories/sync")).text,
        (await api.alice.get("/api/export")).text,
        (await api.alice.get(f"{url}/history")).text,
        (await api.alice.post("/api/memories/recall", json={"context": f"token {SECRET}"})).text,
        everything(superuser),
        api.logs.getvalue(),
    ]
    for text in seen:
        assert SECRET not in text
    assert "[secret: github-token]" in seen[1]


async def test_log_of_postgresql_holds_texts_at_most(
    api: Api, postgres: Server, superuser: psycopg.Connection[Any]
) -> None:
    """With every statement logged, and all values: no secret, no key, however they came."""
    of_all = f"ALTER DATABASE {superuser.info.dbname}"
    superuser.execute(f"{of_all} SET log_statement = 'all'")
    superuser.execute(OTHER_SESSIONS)  # which a pooler would go on lending
    try:
        async with running(api.url) as logged:
            made = await stored(logged.alice, f"The quokkas' token is {SECRET}")
            await logged.alice.post(f"/api/memories/{made['id']}/secret")
            question = {"context": f"Whose is {SECRET}?", "expanded_query": f"numbats, {SECRET}"}
            assert (await logged.alice.post("/api/memories/recall", json=question)).is_success
            key = (await logged.alice.post("/api/keys", json={"name": "laptop"})).json()["key"]
            assert (await logged.with_key(key).get("/api/memories")).is_success
    finally:
        superuser.execute(f"{of_all} RESET log_statement")
    log = (postgres.folder / "server.log").read_text("utf-8", "replace")
    assert "quokkas" in log
    assert "numbat" in log
    for hidden in (SECRET, key, key.rpartition("_")[2], KEYS["alice"], ENCRYPTION_KEY):
        assert hidden[4:].lower() not in log.lower()  # a question is asked by its words


async def test_forced_secret_keeps_nothing_but_its_seal(api: Api) -> None:
    """`force_sensitive` seals the whole text."""
    made = await stored(api.alice, "The alarm code is on the fridge", force_sensitive=True)
    row = (await api.alice.get(f"/api/memories/{made['id']}")).json()
    assert "alarm" not in json.dumps(row)
    opened = await api.alice.post(f"/api/memories/{made['id']}/secret")
    assert opened.json()["content"] == "The alarm code is on the fridge"


async def test_restored_secret_can_still_be_opened(api: Api) -> None:
    """A seal stays bound to the uid it was made for, also in the memory that comes back."""
    made = await stored(api.alice, f"Key {SECRET}")
    await api.alice.delete(f"/api/memories/{made['id']}")
    back = (await api.alice.post(f"/api/memories/{made['id']}/restore")).json()
    opened = await api.alice.post(f"/api/memories/{back['id']}/secret")
    assert opened.json()["content"] == f"Key {SECRET}"


@pytest.mark.parametrize("field", ["tags", "expanded_keywords"])
async def test_second_secret_of_a_memory_joins_the_first(api: Api, field: str) -> None:
    """A secret in another field does not replace the one that a placeholder still points to."""
    made = await stored(api.alice, f"Key {SECRET}")
    await api.alice.delete(f"/api/memories/{made['id']}")
    back = (await api.alice.post(f"/api/memories/{made['id']}/restore")).json()
    url = f"/api/memories/{back['id']}"
    assert (await api.alice.patch(url, json={field: SECRET[::-1]})).status_code == 200
    assert (await api.alice.patch(url, json={field: f"token={SECRET[:-1]}9"})).status_code == 200
    opened = (await api.alice.post(f"{url}/secret")).json()["content"]
    assert opened.splitlines()[0] == f"Key {SECRET}"
    assert opened.splitlines()[-1] == f"[{field}] token={SECRET[:-1]}9"


async def test_edit_that_keeps_a_placeholder_keeps_its_secret(api: Api) -> None:
    """Whoever edits the words around a placeholder has not seen the secret, and loses none."""
    made = await stored(api.alice, f"Key {SECRET}", tags=f"t {SECRET}")
    url = f"/api/memories/{made['id']}"
    for change, expected in (
        ({"content": "The key, until May: [secret: github-token]"}, f"Key {SECRET}\n"),
        ({"content": "No secret here any more"}, ""),  # its tags still have one
        ({"importance": 0.9}, ""),
    ):
        row = (await api.alice.patch(url, json=change)).json()
        assert row["is_sensitive"] is True
        opened = await api.alice.post(f"{url}/secret")
        assert opened.json()["content"] == f"{expected}[tags] t {SECRET}"
    row = (await api.alice.patch(url, json={"tags": ""})).json()
    assert row["is_sensitive"] is False
    assert (await api.alice.post(f"{url}/secret")).status_code == 404


async def test_secret_in_the_name_of_a_project_or_session_is_sealed_too(
    api: Api, superuser: psycopg.Connection[Any]
) -> None:
    """The address of a repository may hold a token."""
    names = {"project": f"https://me:{SECRET}@github.com/a/b", "session": f"s {SECRET}"}
    made = await stored(api.alice, "A fact of one project", scope="project", **names)
    assert SECRET not in everything(superuser)
    opened = await api.alice.post(f"/api/memories/{made['id']}/secret")
    assert opened.json()["content"] == "\n".join(f"[{one}] {names[one]}" for one in names)


async def test_what_is_kept_of_a_request_does_not_give_its_secret_away(
    api: Api, superuser: psycopg.Connection[Any]
) -> None:
    """A digest of it must not let a thief of the database try a million passwords a second."""
    uid, op_id = str(uuid4()), str(uuid4())
    body = {"content": f"The token is {SECRET}"}
    op = {"op_id": op_id, "uid": uid, "kind": "create", "base": 0, "body": body}
    await api.alice.post("/api/memories/sync", json={"ops": [op]})
    ((kept,),) = superuser.execute("SELECT request_hash FROM ops").fetchall()
    quick = json.dumps(["create", uid, 0, body], sort_keys=True).encode()
    assert bytes(kept) != hashlib.blake2b(quick, digest_size=16).digest()
    results = []
    for content in (f"The token is {SECRET}", f"The token is {SECRET[:-1]}9"):
        again = {**op, "body": {"content": content}}
        answer = await api.alice.post("/api/memories/sync", json={"ops": [again]})
        results += answer.json()["results"]
    assert [(one["status"], one["code"]) for one in results] == [
        ("applied", None),
        ("rejected", "op_id_reused"),
    ]


async def test_push_recorded_by_an_earlier_version_is_known_again(
    api: Api, superuser: psycopg.Connection[Any]
) -> None:
    """Its digest was made slowly, without a key: the operation is still the same one."""
    uid, op_id = str(uuid4()), str(uuid4())
    op = {"op_id": op_id, "uid": uid, "kind": "create", "base": 0}
    bodies = [{"content": f"The token is {one}"} for one in (SECRET, f"{SECRET[:-1]}9")]
    await api.alice.post("/api/memories/sync", json={"ops": [{**op, "body": bodies[0]}]})
    text = json.dumps(["create", uid, 0, bodies[0]], sort_keys=True).encode()
    kept = hashlib.scrypt(text, salt=UUID(op_id).bytes, n=16_384, r=8, p=1, dklen=16)
    superuser.execute("UPDATE ops SET request_hash = %s", (kept,))
    told = []
    for body in bodies:
        answer = await api.alice.post("/api/memories/sync", json={"ops": [{**op, "body": body}]})
        told += [(one["status"], one["code"]) for one in answer.json()["results"]]
    assert told == [("applied", None), ("rejected", "op_id_reused")]


async def opened(api: Api, memory_id: int) -> str:
    """Open a memory's secret."""
    answer = await api.alice.post(f"/api/memories/{memory_id}/secret")
    assert answer.status_code == 200, answer.text
    found: str = answer.json()["content"]
    return found


@promise("secrets.edits-lose-no-seal")
async def test_secret_in_a_tag_leaves_the_one_in_the_text_sealed(api: Api) -> None:
    """Each text has its own seal, which holds until that text is replaced."""
    made = await stored(api.alice, f"The CI token is {SECRET}")
    url = f"/api/memories/{made['id']}"
    tags = f"password={OTHER}"
    await api.alice.patch(url, json={"tags": tags})
    assert await opened(api, made["id"]) == f"The CI token is {SECRET}\n[tags] {tags}"
    keywords = {"expanded_keywords": f"token {SECRET}"}
    await api.alice.patch(url, json=keywords)
    both = f"[tags] {tags}\n[expanded_keywords] token {SECRET}"
    assert await opened(api, made["id"]) == f"The CI token is {SECRET}\n{both}"
    row = (await api.alice.patch(url, json={"content": "The token has gone"})).json()
    assert row["is_sensitive"] is True
    assert await opened(api, made["id"]) == both
    row = (await api.alice.patch(url, json={"tags": "", "expanded_keywords": ""})).json()
    assert row["is_sensitive"] is False
    assert (await api.alice.post(f"{url}/secret")).status_code == 404
    await api.alice.post(f"{url}/restore")
    assert await opened(api, made["id"]) == both


async def test_restored_memory_takes_another_secret_beside_its_own(api: Api) -> None:
    """Seals bound to the uid of before and to the present one open together, again and again."""
    made = await stored(api.alice, f"Key {SECRET}")
    for tag in ("first", "second"):
        await api.alice.delete(f"/api/memories/{made['id']}")
        made = (await api.alice.post(f"/api/memories/{made['id']}/restore")).json()
        tags = f"{tag} {SECRET}"
        await api.alice.patch(f"/api/memories/{made['id']}", json={"tags": tags})
        assert await opened(api, made["id"]) == f"Key {SECRET}\n[tags] {tags}"


@promise("secrets.edits-lose-no-seal")
async def test_edit_of_the_redacted_text_keeps_what_was_sealed(api: Api) -> None:
    """Who edits around a placeholder loses nothing, and may add another secret."""
    made = await stored(api.alice, f"The CI token is {SECRET}")
    url = f"/api/memories/{made['id']}"
    shown = (await api.alice.get(url)).json()["content"]
    row = (await api.alice.patch(url, json={"content": f"{shown}, until May"})).json()
    assert (row["content"], row["is_sensitive"]) == (f"{shown}, until May", True)
    assert await opened(api, made["id"]) == f"The CI token is {SECRET}"
    more = f"{shown} and the password is {OTHER}"
    await api.alice.patch(url, json={"content": more})
    assert await opened(api, made["id"]) == f"The CI token is {SECRET}\n{more}"
    await api.alice.patch(url, json={"content": f"Only password={OTHER} now"})
    assert await opened(api, made["id"]) == f"Only password={OTHER} now"


async def test_memory_without_secret_has_none_to_open(api: Api) -> None:
    """There is nothing to open, and nothing is recorded as opened."""
    made = await stored(api.alice, "Plain")
    answer = await api.alice.post(f"/api/memories/{made['uid']}/secret")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert answer.json()["detail"] == f"Memory #{made['id']} holds no secret."
    assert answer.json()["fix"] == "Recall shows its whole text."


@promise("secrets.sealed-or-refused")
async def test_server_without_keeper_refuses_secrets_and_nothing_else(app_url: str) -> None:
    """Where no keeper is set, a secret is refused with the reason; the rest goes on."""
    async with running(app_url, encryption_key="") as api:
        answer = await api.alice.post("/api/memories", json={"content": f"Token {SECRET}"})
        assert (answer.status_code, answer.json()["code"]) == (409, "no_keeper")
        await stored(api.alice, "Plain")
        op = {"op_id": str(uuid4()), "uid": str(uuid4()), "kind": "create", "base": 0}
        pushed = await api.alice.post(
            "/api/memories/sync",
            json={"ops": [{**op, "body": {"content": f"Token {SECRET}"}}]},
        )
        (result,) = pushed.json()["results"]
        assert (result["status"], result["code"]) == ("rejected", "no_keeper")
        assert SECRET not in pushed.text + answer.text


class Away:
    """A keeper that does not answer."""

    marks = Marks()

    async def seal(self, account: UUID, uid: UUID, clear: str) -> bytes:  # noqa: ARG002  (Keeper)
        """Fail as a Vault does that is sealed."""
        raise KeeperDown

    async def open(self, account: UUID, uid: UUID, blob: bytes) -> tuple[str, str]:  # noqa: ARG002  (Keeper)
        """Fail the same."""
        raise KeeperDown

    async def rewrap(self, account: UUID, uid: UUID, blob: bytes) -> bytes:  # noqa: ARG002  (Keeper)
        """Fail the same."""
        raise KeeperDown

    def key_id(self, blob: bytes) -> str:  # noqa: ARG002  (Keeper)
        """Name a key."""
        return "away:1"

    async def check(self) -> str:
        """Say that it is away."""
        return "It does not answer."


async def test_absent_keeper_stops_that_write_alone(app_url: str) -> None:
    """503 with Retry-After for what needs it, nothing is stored; all else goes on."""
    async with running(app_url) as api:
        sealed = await stored(api.alice, f"Token {SECRET}")
    async with running(app_url, keeper=Away()) as api:
        calls = [
            api.alice.post("/api/memories", json={"content": f"New {SECRET}"}),
            api.alice.post("/api/memories/import", json=[{"content": f"New {SECRET}"}]),
            api.alice.post(f"/api/memories/{sealed['id']}/secret"),
            api.alice.patch(f"/api/memories/{sealed['id']}", json={"content": f"New {SECRET}"}),
        ]
        for call in calls:
            answer = await call
            assert (answer.status_code, answer.json()["code"]) == (503, "keeper_unavailable")
            assert int(answer.headers["retry-after"]) >= 1
            assert SECRET not in answer.text
        good = {"op_id": str(uuid4()), "uid": str(uuid4()), "kind": "create", "base": 0}
        bad = {**good, "op_id": str(uuid4()), "uid": str(uuid4())}
        ops = [{**bad, "body": {"content": SECRET}}, {**good, "body": {"content": "plain"}}]
        pushed = (await api.alice.post("/api/memories/sync", json={"ops": ops})).json()
        assert [one["status"] for one in pushed["results"]] == ["retry", "applied"]
        found = (await api.alice.get("/api/memories")).json()["memories"]
        assert [one["content"] for one in found] == ["plain", "Token [secret: github-token]"]


async def test_failing_keeper_is_told_whoever_met_it(app_url: str) -> None:
    """A push is answered with 200 all the same, so neither its status nor an alert on it tells.

    It is asked for the first secret only: one that hangs would be waited for with each.
    """
    async with running(app_url, keeper=Away()) as api:
        ops = [
            {
                "op_id": str(uuid4()),
                "uid": str(uuid4()),
                "kind": "create",
                "base": 0,
                "body": {"content": SECRET},
            }
            for _ in range(3)
        ]
        pushed = await api.alice.post("/api/memories/sync", json={"ops": ops})
        assert [one["code"] for one in pushed.json()["results"]] == ["keeper_unavailable"] * 3
        told = [line for line in api.logged() if line["event"] == "keeper"]
        assert [line["problem"] for line in told] == [KeeperDown.title]
        registry = api.app.state.telemetry.registry
        assert registry.get_sample_value("memory_keeper_failures_total") == 1


async def test_secrets_stored_in_clear_before_are_sealed(
    api: Api, superuser: psycopg.Connection[Any]
) -> None:
    """`migrate-secrets` seals what lies in memories and in history, and says in how many."""
    await stored(api.alice, "Plain")
    for name in ("first", "second"):
        made = await stored(api.alice, name)
        superuser.execute(
            "UPDATE memories SET content = %s WHERE uid = %s", (f"{name} {SECRET}", made["uid"])
        )
    superuser.execute(
        "INSERT INTO history (account_id, uid, kind, payload, at) "
        "SELECT account_id, uid, 'superseded', %s, now() FROM memories WHERE content = 'Plain'",
        (Jsonb({"content": f"postgres://u:{OTHER}@h/db", "tags": "", "expanded_keywords": ""}),),
    )
    assert SECRET in everything(superuser)
    answer = await api.alice.post("/api/memories/migrate-secrets")
    assert answer.json() == {"migrated": 3}
    left = everything(superuser)
    assert SECRET not in left
    assert OTHER not in left
    opened = await api.alice.post(f"/api/memories/{made['id']}/secret")
    assert opened.json()["content"] == f"second {SECRET}"
    history = await api.alice.get(f"/api/memories/{made['id']}/history")
    assert history.json()["versions"] == []  # what was in clear is not kept, not even for a while
    feed = (await api.alice.get("/api/memories/sync")).json()
    assert feed["check"]["live"] == 3
    assert (await api.alice.post("/api/memories/migrate-secrets")).json() == {"migrated": 0}


async def test_sealing_what_lay_in_clear_keeps_the_seals_of_before(
    api: Api, superuser: psycopg.Connection[Any]
) -> None:
    """A memory, or an earlier text of it, that was sealed in part is sealed in whole."""
    made = await stored(api.alice, f"Token {SECRET}")
    await api.alice.patch(f"/api/memories/{made['id']}", json={"importance": 0.9})
    clear = f"password={OTHER}"
    superuser.execute("UPDATE memories SET tags = %s", (clear,))
    superuser.execute("UPDATE history SET payload = payload || %s", (Jsonb({"tags": clear}),))
    answer = await api.alice.post("/api/memories/migrate-secrets")
    assert answer.json() == {"migrated": 1}
    assert OTHER not in everything(superuser)
    both = f"Token {SECRET}\n[tags] {clear}"
    assert await opened(api, made["id"]) == both
    await api.alice.post(f"/api/memories/{made['id']}/restore")
    assert await opened(api, made["id"]) == both


async def test_edit_around_a_lost_secret_leaves_the_memory_sensitive(api: Api) -> None:
    """Whoever asks for it is told that it is lost, until no text speaks of it any more."""
    row = {"content": "The token is [secret: github-token]", "is_sensitive": True}
    assert (await api.alice.post("/api/memories/import", json=[row])).status_code == 200
    for change, is_sensitive, code in (
        ({"tags": "access"}, True, "secret_lost"),
        ({"content": "Our token is [secret: github-token]"}, True, "secret_lost"),
        ({"content": "Our token was withdrawn"}, False, "not_found"),
    ):
        edited = await api.alice.patch("/api/memories/1", json=change)
        assert edited.json()["is_sensitive"] is is_sensitive
        asked = await api.alice.post("/api/memories/1/secret")
        assert asked.json()["code"] == code
