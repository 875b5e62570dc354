"""Hybrid mode: real plugin processes that share memories through a real server."""

from __future__ import annotations

import json
import re
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.support import hybrid, shell
from tests.support.hook_calls import through_doorway
from tests.support.hybrid import all_sent, machine, on_server
from tests.support.promises import promise
from tests.support.serving import Serving
from tests.support.sessions import Session, database, files_with
from tests.support.waiting import comes

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.cable import Cable

pytestmark = pytest.mark.once

KEY_LENGTH = 66  # characters of a key that the server makes
TOKEN = "ghp_" + "Z9y8X7w6V5u4T3s2R1q0P9o8N7m6L5k4J3h2"


def test_memory_of_one_machine_is_recalled_on_another(
    tmp_path: Path, server: str, key: str
) -> None:
    """What one stores the other finds, edits and deletes, and the first one sees it."""
    with machine(tmp_path / "a", server, key) as one, machine(tmp_path / "b", server, key) as other:
        one.done("memory_store", content="The staging database is called heron.")
        comes(lambda: other.call("memory_recall", context="staging database").text, "heron")
        other.done("memory_update", id="#1", content="The staging database is called egret.")
        comes(lambda: one.call("memory_recall", context="staging database").text, "egret")
        other.done("memory_delete", id="#1")
        comes(lambda: one.call("memory_list").text, "No memories yet")
    assert on_server(server, key) == []


def test_store_says_its_number_once_the_server_answers(
    tmp_path: Path, server: str, key: str
) -> None:
    """An answer that waited for the server shows the number that holds on every machine."""
    with machine(tmp_path / "a", server, key) as one:
        numbers = iter(range(1_000))
        said = comes(
            lambda: one.done("memory_store", content=f"Fact number {next(numbers)}."), "memory #"
        )
        assert "Queued" not in said


@promise("sync.one-queue-is-sent-once")
def test_offline_write_arrives_later(tmp_path: Path, server: str, cable: Cable, key: str) -> None:
    """Without a network everything works here; with it again everything is sent once."""
    texts = [f"Offline fact number {number}." for number in range(5)]
    with machine(tmp_path / "a", cable.url, key) as one:
        one.done("memory_store", content="Stored while the cable was in.")
        comes(lambda: "\n".join(on_server(server, key)), "cable was in")
        cable.pull()
        said = [one.done("memory_store", content=text) for text in texts]
        assert "Queued" in said[-1]
        assert "Offline fact number 3." in one.done("memory_recall", context="fact number 3")
        comes(lambda: one.call("memory_status").text, "changes to send")
        cable.plug()
        comes(lambda: "\n".join(on_server(server, key)), texts[-1])
    assert sorted(on_server(server, key)) == sorted([*texts, "Stored while the cable was in."])


@promise("sync.one-queue-is-sent-once")
def test_killed_session_loses_nothing_it_acknowledged(
    tmp_path: Path, server: str, cable: Cable, key: str
) -> None:
    """A kill with a full queue: the next session sends each of it once."""
    texts = [f"Acknowledged fact number {number}." for number in range(30)]
    cable.pull()
    with machine(tmp_path / "a", cable.url, key) as one:
        for text in texts:
            one.done("memory_store", content=text)
        cable.plug()
        one.kill()
    with machine(tmp_path / "a", cable.url, key) as again:
        comes(lambda: again.call("memory_status").text, "Queue: everything is sent")
    assert sorted(on_server(server, key)) == sorted(texts)


@promise("sync.one-queue-is-sent-once")
def test_many_sessions_push_one_queue_once(tmp_path: Path, server: str, key: str) -> None:
    """Four sessions on one store: forty memories are forty on the server."""
    texts = [f"Fact {number} of many sessions." for number in range(40)]
    with ExitStack() as stack:
        sessions = [stack.enter_context(machine(tmp_path / "a", server, key)) for _ in range(4)]
        for number, text in enumerate(texts):
            sessions[number % 4].done("memory_store", content=text)
        comes(lambda: sessions[0].call("memory_status").text, "Queue: everything is sent")
    assert sorted(on_server(server, key)) == sorted(texts)


@promise("sync.one-queue-is-sent-once")
def test_turning_syncing_on_brings_up_every_memory_once(
    tmp_path: Path, server: str, key: str
) -> None:
    """What was remembered without a server is on it soon, with secrets, and not again later."""
    with Session(tmp_path / "a") as local:
        local.done("memory_store", content="Remembered before there was a server.")
        local.done("memory_store", content=f"The deploy token is {TOKEN}.")
    for _ in range(2):
        with machine(tmp_path / "a", server, key) as one:
            comes(lambda one=one: one.call("memory_status").text, "Queue: everything is sent")  # type: ignore[misc]
    assert len(on_server(server, key)) == 2
    with machine(tmp_path / "b", server, key) as other:
        comes(lambda: other.call("memory_list").text, "before there was a server")
        assert TOKEN in other.done("secret_get", id="#2")


def test_secret_is_sealed_until_the_server_keeps_it(
    tmp_path: Path, server: str, cable: Cable, key: str
) -> None:
    """It is readable all along here, in clear in no file, and afterwards only online."""
    with machine(tmp_path / "a", cable.url, key) as one:
        cable.pull()
        label = re.search(r"memory (\S+)", one.done("memory_store", content=f"Token: {TOKEN}"))
        assert label
        assert TOKEN in one.done("secret_get", id=label[1])
        cable.plug()
        comes(lambda: "\n".join(on_server(server, key)), "Token: [secret")
        comes(lambda: one.call("memory_status").text, "Queue: everything is sent")
        assert TOKEN in one.done("secret_get", id="#1")
        cable.pull()
        refused = one.call("secret_get", id="#1")
        assert refused.refused
        assert "kept by the server" in refused.text
    with Session(tmp_path / "a") as local:  # which knows no server any more
        said = local.refused("secret_get", id="#1")
        assert "kept by the server. Set MEMORY_API_URL and MEMORY_API_KEY" in said
    assert files_with(tmp_path, TOKEN) == []


def test_undo_brings_back_the_secret_that_the_server_keeps(
    tmp_path: Path, server: str, key: str
) -> None:
    """Of a delete, an edit, and where only the secret differs; each text has its own."""
    newer = TOKEN[:-4] + "a1B2"
    with machine(tmp_path / "a", server, key) as one, machine(tmp_path / "b", server, key) as two:
        one.done("memory_store", content=f"Token: {TOKEN}")
        all_sent(one)
        comes(lambda: two.call("memory_list").text, "Token")
        one.done("memory_update", id="#1", tags="bot")
        all_sent(one)
        one.done("memory_delete", id="#1")
        all_sent(one)
        one.done("memory_update", id="#1", restore=True)
        all_sent(one)
        asked = {"Authorization": f"Bearer {key}"}
        past = httpx.get(f"{server}/api/memories/2/history", headers=asked, timeout=60)
        assert [state["fields"]["tags"] for state in past.json()["versions"]] == [""]
        assert TOKEN in one.done("secret_get", id="#2")
        one.done("memory_update", id="#2", content="There is no token.")
        all_sent(one)
        one.done("memory_update", id="#2", restore=True)
        all_sent(one)
        assert TOKEN in one.done("secret_get", id="#2")
        one.done("memory_update", id="#2", content=f"Token: {newer}")
        all_sent(one)
        comes(lambda: two.call("secret_get", id="#2").text, newer)
        for wanted in (TOKEN, newer):
            for _ in range(1 if wanted == TOKEN else 3):
                one.done("memory_update", id="#2", restore=True)
                all_sent(one)
            assert wanted in one.done("secret_get", id="#2")
        one.done("memory_delete", id="#2", purge=True)
        all_sent(one)
    for number in (1, 2):
        url = f"{server}/api/memories/{number}/restore"
        assert httpx.post(url, headers=asked, timeout=60).status_code == 404
    assert files_with(tmp_path, TOKEN) == files_with(tmp_path, newer) == []


def test_secret_that_the_server_cannot_open_any_more_is_told_as_gone(tmp_path: Path) -> None:
    """It is not the network, and to wait is of no use."""
    key = hybrid.a_key()
    settings = {"MEMORY_DATA": str(tmp_path / "server"), "API_KEYS": json.dumps({"one": key})}
    with Serving({**settings, "MEMORY_ENCRYPTION_KEY": "aa" * 32}) as serving:
        url = serving.address()
        with machine(tmp_path / "a", url, key) as one:
            one.done("memory_store", content=f"Token: {TOKEN}")
            all_sent(one)
        serving.stop()
    port = url.rpartition(":")[2]
    with (
        Serving({**settings, "MEMORY_ENCRYPTION_KEY": "bb" * 32}, "--port", port) as other,
        machine(tmp_path / "a", other.address(), key) as one,
    ):
        said = one.refused("secret_get", id="#1")
        assert "The server does not open the secret of memory #1: " in said
        assert "store the secret again" in said
        assert "network" not in said
        other.stop()


def test_key_that_may_only_read_is_named_in_the_place_of_a_promise(
    tmp_path: Path, server: str, key: str
) -> None:
    """Nothing that is done with it goes to the server, however long one waits."""
    url, asked = f"{server}/api/keys", {"Authorization": f"Bearer {key}"}
    wanted = {"name": "reader", "scopes": ["read"]}
    reader = httpx.post(url, headers=asked, json=wanted, timeout=60).raise_for_status().json()
    with machine(tmp_path / "a", server, reader["key"]) as one:
        comes(lambda: one.call("memory_status").text, "this key may only read")
        for tool, given in (
            ("memory_store", {"content": "Our staging database is called heron."}),
            ("memory_update", {"id": "L1", "content": "Our staging database is called egret."}),
        ):
            said = one.done(tool, **given)
            assert "Done on this machine only: its key may only read" in said
            assert "as soon as" not in said


def test_memory_whose_seal_lost_its_key_is_named_until_its_text_comes_anew(
    tmp_path: Path, server: str, key: str
) -> None:
    """It cannot be sent, whatever the network does; everything else is."""
    with Session(tmp_path / "a") as local:
        local.store(f"Token: {TOKEN}")
        local.store("A plain neighbour.")
    (tmp_path / "a" / "keys" / "seal.key").unlink()
    with machine(tmp_path / "a", server, key, MEMORY_SYNC_INTERVAL="1") as one:
        said = comes(lambda: one.call("memory_status").text, "Sync: in step")
        assert "1 change to send; 1 of 2 memories are on the server" in said
        assert "L1 is not sent, because its secret cannot be opened: The seal needs key" in said
        one.done("memory_update", id="L1", content=f"Token: {TOKEN}")
        all_sent(one)
        assert TOKEN in one.done("secret_get", id="#2")


def test_imported_memory_without_its_key_gives_way_to_the_one_that_the_server_has(
    tmp_path: Path, server: str, key: str
) -> None:
    """Its secret is the server's then, which the other machine gave it."""
    with Session(tmp_path / "a") as local:
        local.store(f"Token: {TOKEN}")
    exported, elsewhere = tmp_path / "x.jsonl", tmp_path / "b"
    exported.write_text(shell.said(shell.run(tmp_path / "a", "export")), encoding="utf-8")
    elsewhere.mkdir()
    assert "1 memory imported" in shell.run(elsewhere, "import", exported).stdout
    with machine(tmp_path / "a", server, key) as one:
        all_sent(one)
    with machine(tmp_path / "b", server, key, MEMORY_SYNC_INTERVAL="1") as other:
        all_sent(other)
        assert TOKEN in other.done("secret_get", id="#1")
        assert "cannot be opened" not in other.call("memory_status").text
    assert len(on_server(server, key)) == 1


def test_export_says_which_secrets_only_the_server_has(
    tmp_path: Path, server: str, key: str
) -> None:
    """So do its import elsewhere, and the memory that is asked for its secret there."""
    with machine(tmp_path / "a", server, key) as one:
        one.done("memory_store", content=f"Token: {TOKEN}")
        all_sent(one)
    done = shell.run(tmp_path / "a", "export", tmp_path / "x.jsonl", environ=given(server, key))
    assert done.stderr.splitlines()[1:] == [
        "Not in the export: the secret of 1 memory, kept by the server alone."
    ]
    elsewhere = tmp_path / "b"
    elsewhere.mkdir()
    said = shell.said(shell.run(elsewhere, "import", tmp_path / "x.jsonl"))
    assert "1 secret did not come along" in said
    with Session(elsewhere) as local:
        assert "not in the file that the memory" in local.refused("secret_get", id="L1")


def given(server: str, key: str) -> dict[str, str]:
    """Return the settings of a command on a machine that is synced."""
    return {"MEMORY_API_URL": server, "MEMORY_API_KEY": key}


@promise("sync.any-machine-undoes-an-edit")
def test_restore_undoes_what_this_machine_has_seen_changed_wherever_that_was(
    tmp_path: Path, server: str, key: str
) -> None:
    """What was changed before it came here, or deleted elsewhere, is to be undone there."""
    with machine(tmp_path / "a", server, key) as one, machine(tmp_path / "b", server, key) as two:
        one.done("memory_store", content="Text one.")
        all_sent(one)
        comes(lambda: two.call("memory_list").text, "Text one.")
        one.done("memory_update", id="#1", content="Text two.")
        comes(lambda: two.call("memory_list").text, "Text two.")
        with machine(tmp_path / "c", server, key) as three:
            comes(lambda: three.call("memory_list").text, "Text two.")
            assert "comes back there, or on the server" in three.refused(
                "memory_update", id="#1", restore=True
            )
        two.done("memory_update", id="#1", content="Text three.")
        comes(lambda: one.call("memory_list").text, "Text three.")
        for wanted in ("Text two.", "Text one."):
            said = one.done("memory_update", id="#1", restore=True)
            assert "Restored the earlier state of memory #1." in said
            comes(lambda: two.call("memory_list").text, wanted)
        two.done("memory_update", id="#1", restore=True)
        comes(lambda: one.call("memory_list").text, "Text two.")
        one.done("memory_delete", id="#1")
        comes(lambda: two.call("memory_list").text, "No memories yet")
        assert "restore=true" not in two.refused("memory_delete", id="#1")
        said = two.refused("memory_update", id="#1", restore=True)
        assert "Memory #1 is deleted. Nothing is kept here" in said


@promise("sync.conflicts-show-both-texts")
def test_conflict_shows_both_texts_and_the_other_can_be_taken_back(
    tmp_path: Path, server: str, cable: Cable, key: str
) -> None:
    """Both machines edit one memory: one text wins everywhere, the other is offered."""
    with (
        machine(tmp_path / "a", cable.url, key) as one,
        machine(tmp_path / "b", server, key) as two,
    ):
        one.done("memory_store", content="We deploy on Tuesdays.")
        all_sent(one)
        comes(lambda: two.call("memory_list").text, "Tuesdays")
        cable.pull()
        one.done("memory_update", id="#1", content="We deploy on Wednesdays.")
        two.done("memory_update", id="#1", content="We deploy on Thursdays.")
        comes(lambda: "\n".join(on_server(server, key)), "Thursdays")
        cable.plug()
        said = comes(lambda: one.call("memory_status").text, "changed here and elsewhere")
        assert "Thursdays" in said
        assert "Wednesdays" in said
        one.done("memory_update", id="#1", restore=True)
        comes(lambda: two.call("memory_list").text, "Wednesdays")
        assert "changed here and elsewhere" not in one.call("memory_status").text
    assert on_server(server, key) == ["We deploy on Wednesdays."]


@promise("sync.accounts-never-mix")
def test_another_persons_key_never_mixes_memories(tmp_path: Path, server: str, key: str) -> None:
    """Each key sees and sends its own, also what it wrote before its account was known."""
    other = hybrid.a_key()
    with machine(tmp_path / "a", server, key) as one:
        one.done("memory_store", content="Belongs to the first person.")
        comes(lambda: one.call("memory_status").text, "Queue: everything is sent")
    with machine(tmp_path / "a", server, other) as two:
        assert "No memories yet" in two.done("memory_list")
        two.done("memory_store", content="Belongs to the second person.")
        comes(lambda: "\n".join(on_server(server, other)), "second person")
        assert "first person" not in two.done("memory_list")
    with machine(tmp_path / "a", server, key) as one:
        said = one.done("memory_list")
        assert "first person" in said
        assert "second person" not in said
    assert on_server(server, key) == ["Belongs to the first person."]
    assert on_server(server, other) == ["Belongs to the second person."]


def test_new_key_of_the_same_account_goes_on_with_the_same_store(
    tmp_path: Path, server: str, key: str
) -> None:
    """A rotated key finds all memories, and what it wrote meanwhile joins them."""
    asked = {"Authorization": f"Bearer {key}"}
    made = httpx.post(f"{server}/api/keys", json={"name": "laptop"}, headers=asked, timeout=60)
    fresh = str(made.raise_for_status().json()["key"])
    with machine(tmp_path / "a", server, key) as one:
        one.done("memory_store", content="Stored with the old key.")
        comes(lambda: one.call("memory_status").text, "Queue: everything is sent")
    with machine(tmp_path / "a", server, fresh) as one:
        one.done("memory_store", content="Stored with the new key.")
        comes(lambda: one.call("memory_list").text, "with the old key")
        comes(lambda: "\n".join(on_server(server, key)), "with the new key")
        assert "with the new key" in one.done("memory_list")
    assert len(on_server(server, key)) == 2


def test_memories_of_an_erased_account_are_named_until_they_are_brought_back(
    tmp_path: Path, server: str, key: str
) -> None:
    """Neither what was synced nor what was acknowledged right after it vanishes unsaid."""
    mine = {"MEMORY_API_URL": server, "MEMORY_API_KEY": key}
    asked = {"Authorization": f"Bearer {key}"}
    event = {"hook_event_name": "SessionStart", "source": "startup", "session_id": "s"}
    named = f"server.py import '{database(tmp_path / 'a')}'"
    with machine(tmp_path / "a", server, key) as one:
        one.done("memory_store", content="Stored before the erasure.")
        all_sent(one)
        greeting = through_doorway("session-start", event, tmp_path / "a", **mine).said
        assert "wait" not in str(greeting)
        httpx.delete(f"{server}/api/account", headers=asked, timeout=60).raise_for_status()
        one.done("memory_store", content="Stored right after the erasure.")
        said = comes(lambda: one.call("memory_status").text, "former account")
        assert "2 memories that this key's former account had" in said
        assert named in said
    greeting = through_doorway("session-start", event, tmp_path / "a", **mine).said
    assert "2 memories wait in memory.db" in greeting["systemMessage"]
    assert named in shell.said(shell.run(tmp_path / "a", "doctor", environ=mine))
    assert on_server(server, key) == []
    shell.said(shell.run(tmp_path / "a", "import", database(tmp_path / "a"), environ=mine))
    for _ in range(2):  # also after a restart with the same key nothing is said any more
        with machine(tmp_path / "a", server, key) as one:
            all_sent(one)
            comes(lambda one=one: one.call("memory_status").text, "All well.")  # type: ignore[misc]
    assert len(on_server(server, key)) == 2


def test_names_that_no_server_takes_are_shortened(tmp_path: Path, server: str, key: str) -> None:
    """A folder and a session with names of any length: what is stored there is synced and found."""
    folder = tmp_path.joinpath(*("deep" * 50 for _ in range(4)))
    folder.mkdir(parents=True)
    where = {"MEMORY_API_URL": server, "MEMORY_API_KEY": key, "CLAUDE_PROJECT_DIR": str(folder)}
    with Session(tmp_path / "a", environ={**where, "CLAUDE_CODE_SESSION_ID": "s" * 700}) as one:
        one.done("memory_store", content="The heron build needs Java.", scope="project")
        comes(lambda: one.call("memory_status").text, "Queue: everything is sent")
        assert "refused" not in one.call("memory_status").text
        assert "heron" in one.done("memory_recall", context="heron build", scope="project")
        event = {"hook_event_name": "UserPromptSubmit", "prompt": "What does the heron build need?"}
        event["session_id"] = "t" * 700
        told = through_doorway("user-prompt-recall", event, tmp_path / "a", **where)
        assert "needs Java" in told.out
    assert on_server(server, key) == ["The heron build needs Java."]


@promise("sync.refused-key-is-told")
def test_refused_key_is_said_with_its_fix_and_loses_nothing(
    tmp_path: Path, server: str, key: str
) -> None:
    """Everything works here, status says what to do, and an import brings what was stored."""
    with machine(tmp_path / "a", server, "a-key-that-nobody-has") as one:
        one.done("memory_store", content="Stored with a wrong key.")
        said = comes(lambda: one.call("memory_status").text, "MEMORY_API_KEY")
        assert "stopped, the key is not accepted" in said
        assert "wrong key" in one.done("memory_recall", context="wrong key")
    with machine(tmp_path / "a", server, key) as one:
        said = comes(lambda: one.call("memory_status").text, "in step")
        assert "1 memory stored under another key" in said
        assert on_server(server, key) == []
        mine = {"MEMORY_API_URL": server, "MEMORY_API_KEY": key}
        done = shell.run(tmp_path / "a", "import", database(tmp_path / "a"), environ=mine)
        assert shell.said(done) == "1 memory imported, 0 already here.\n"
        # Another process has imported it: a session at work sees that within seconds.
        comes(
            lambda: one.call("memory_list").text and "\n".join(on_server(server, key)),
            "Stored with a wrong key.",
        )
        assert "another key" not in one.call("memory_status").text


def test_address_that_leads_nowhere_is_named_in_the_place_of_a_promise(
    tmp_path: Path, server: str, key: str
) -> None:
    """What no wait will send is not said to go out by itself; a corrected address sends it."""
    promise_of_none = "nothing goes to the server before the setting that memory_status names"
    with machine(tmp_path / "a", "memory dot com", key) as one:
        comes(lambda: one.done("memory_store", content="Kept at first."), promise_of_none)
        assert promise_of_none in one.done("memory_update", id="L1", content="Kept.")
        assert "MEMORY_API_URL is no address of a server" in one.done("memory_status")
    with machine(tmp_path / "a", server, key) as one:
        all_sent(one)
    assert on_server(server, key) == ["Kept."]


@pytest.mark.parametrize("purge", [False, True])
def test_delete_without_a_network_says_what_it_waits_for(
    tmp_path: Path, server: str, cable: Cable, key: str, purge: bool
) -> None:
    """It is gone here at once, and elsewhere as soon as the server answers: the answer says so."""
    with machine(tmp_path / "a", cable.url, key) as one:
        for text in ("The first fact.", "The second fact."):
            one.done("memory_store", content=text)
        all_sent(one)
        assert "Queued" not in one.done("memory_delete", id="#1", purge=purge)
        cable.pull()
        said = one.done("memory_delete", id="#2", purge=purge)
        assert "Queued: it is gone from this machine; the server and other machines drop" in said
        assert on_server(server, key) == ["The second fact."]
        cable.plug()
        comes(lambda: str(on_server(server, key)), "[]")


@promise("sync.nobody-waits-for-the-network")
def test_silent_server_keeps_nobody_waiting(
    tmp_path: Path, server: str, cable: Cable, key: str
) -> None:
    """A server that takes requests and never answers: start, store and end go on without it."""
    cable.mute()
    with machine(tmp_path / "a", cable.url, key) as one:
        said = [one.done("memory_store", content=f"Mute fact {number}.") for number in range(3)]
        assert all("Queued" in text for text in said)
        assert "Mute fact 2." in one.done("memory_list")
    assert on_server(server, key) == []


def test_cycle_without_changes_is_one_request_within_a_kilobyte(
    tmp_path: Path, server: str, cable: Cable, key: str
) -> None:
    """To ask whether there is news costs hardly anything, whoever pays for the network."""
    with machine(tmp_path / "a", cable.url, key, MEMORY_SYNC_INTERVAL="2") as one:
        one.done("memory_store", content="A fact that nobody changes.")
        all_sent(one)
        begun, carried = _carried(cable, cable.pulls + 3)  # what was sent comes back once
        ended, more = _carried(cable, begun + 3)
    longer = KEY_LENGTH - len(key)
    assert (more - carried) / (ended - begun) + longer <= 1024


def _carried(cable: Cable, pulls: int) -> tuple[int, int]:
    """Wait for so many requests and the answer to the last; return them, and the bytes so far."""
    comes(lambda: str(cable.pulls >= pulls), "True")
    time.sleep(1)
    return cable.pulls, cable.carried
