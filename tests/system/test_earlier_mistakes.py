"""What systems before this one got wrong, and lost or doubled memories by: each is tried here."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.support.hook_calls import through_doorway
from tests.support.hybrid import USERS, all_sent, key_of, machine, on_server
from tests.support.postgres import Server
from tests.support.promises import promise
from tests.support.serving import Serving
from tests.support.sessions import database
from tests.support.waiting import comes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.cable import Cable

pytestmark = pytest.mark.once
SECRET = "ghp_" + "Q1w2E3r4T5y6U7i8O9p0A1s2D3f4G5h6J7k8"


@pytest.fixture
def keyless(tmp_path: Path) -> Iterator[str]:
    """Run a server that cannot keep secrets, and so refuses them; return its address."""
    with Server(tmp_path / "postgres") as postgres:
        postgres.create("keyless")
        keys = json.dumps({user: key_of(user) for user in USERS})
        settings = {"DATABASE_URL": postgres.url("keyless"), "API_KEYS": keys}
        with Serving({**settings, "MEMORY_MIGRATE": "off"}) as serving:
            yield serving.address()
            serving.stop()


def change_store(home: Path, statement: str, *values: object) -> None:
    """Change a store behind the plugin's back, while no session is open."""
    with closing(sqlite3.connect(database(home))) as connection, connection:
        changed = connection.execute(statement, values).rowcount
    assert changed > 0, statement


@promise("sync.one-id-one-memory")
def test_number_of_two_memories_changes_neither(
    tmp_path: Path, server: str, cable: Cable, key: str
) -> None:
    """The local number and the server's are told apart, and each reaches its own memory only."""
    with (
        machine(tmp_path / "a", cable.url, key) as one,
        machine(tmp_path / "b", server, key) as two,
    ):
        one.done("memory_list")
        comes(lambda: one.call("memory_status").text, "in step")
        cable.pull()
        two.done("memory_store", content="Made on the other machine.")
        all_sent(two)
        one.done("memory_store", content="Made here first.")  # L1, and #2 on the server
        cable.plug()
        comes(lambda: one.call("memory_list").text, "on the other machine")
        all_sent(one)
        for tool, more in (("memory_update", {"content": "Overwritten."}), ("memory_delete", {})):
            refused = one.call(tool, id="1", **more)
            assert refused.refused
            assert "L1" in refused.text
            assert "#1" in refused.text
        one.done("memory_update", id="L1", content="Made here, and edited.")
        one.done("memory_update", id="#1", content="Made there, and edited here.")
        all_sent(one)
    assert on_server(server, key)[::-1] == [
        "Made there, and edited here.",
        "Made here, and edited.",
    ]


@promise("sync.refused-writes-are-kept")
def test_refused_write_outlives_a_full_resync_and_can_be_mended(
    tmp_path: Path, keyless: str
) -> None:
    """What the server does not take stays here, is shown with its reason, and goes once mended."""
    home, key = tmp_path / "a", key_of(USERS[0])
    with machine(home, keyless, key) as one:
        one.done("memory_store", content=f"The token is {SECRET}.")
        comes(lambda: one.call("memory_status").text, "server refused to store")
    change_store(home, "INSERT OR REPLACE INTO sync_state (k, v) VALUES ('cursor', '')")
    with machine(home, keyless, key) as one:
        comes(lambda: one.call("memory_list").text and f"{swept(home)}", "True")
        assert "server refused to store" in one.done("memory_status")
        assert "The token is [secret" in one.done("memory_list")
        one.done("memory_update", id="L1", content="The token is in the vault.")
        all_sent(one)
        assert "All well." in one.done("memory_status")
    assert "The token is in the vault." in on_server(keyless, key)


@promise("sync.lost-answers-double-nothing")
def test_lost_answers_double_nothing(tmp_path: Path, server: str, cable: Cable, key: str) -> None:
    """Everything arrives, no answer comes back, all is sent again: each is there once."""
    texts = [f"Fact {number} whose answer was lost." for number in range(5)]
    with machine(tmp_path / "a", cable.url, key) as one:
        one.done("memory_store", content="Stored while answers came.")
        all_sent(one)
        cable.lose_answers()
        for text in texts:
            one.done("memory_store", content=text)
        enough = cable.lost + 2
        comes(lambda: str(one.call("memory_list").text and cable.lost >= enough), "True")
        assert set(texts) & set(on_server(server, key))
        assert "changes to send" in one.done("memory_status")
        cable.plug()
        all_sent(one)
        assert "changed here and elsewhere" not in one.done("memory_status")
    assert sorted(on_server(server, key)) == sorted([*texts, "Stored while answers came."])


@promise("sync.deletes-are-final")
def test_memory_deleted_before_it_was_sent_stays_deleted(
    tmp_path: Path, server: str, cable: Cable, key: str
) -> None:
    """Its queued store does not bring it back once the server answers."""
    with machine(tmp_path / "a", cable.url, key) as one:
        one.done("memory_store", content="Stays.")
        all_sent(one)
        cable.pull()
        one.done("memory_store", content="Deleted before it was sent.")
        one.done("memory_delete", id="L2")
        one.done("memory_store", content="Stays as well.")
        cable.plug()
        all_sent(one)
    assert sorted(on_server(server, key)) == ["Stays as well.", "Stays."]


@promise("sync.deletes-are-final")
def test_delete_is_tried_without_end(tmp_path: Path, server: str, cable: Cable, key: str) -> None:
    """After a thousand failed tries it is still queued, and arrives."""
    home = tmp_path / "a"
    with machine(home, cable.url, key) as one:
        one.done("memory_store", content="To be deleted.")
        all_sent(one)
        cable.pull()
        one.done("memory_delete", id="L1")
    change_store(home, "UPDATE pending_ops SET attempts = 1000, error = 'no answer'")
    cable.plug()
    with machine(home, cable.url, key) as one:
        all_sent(one)
    assert on_server(server, key) == []


@promise("sync.deletes-are-final")
def test_edit_made_offline_does_not_bring_a_deleted_memory_back(
    tmp_path: Path, server: str, cable: Cable, key: str
) -> None:
    """The delete wins on every machine, and who edited is shown the text that was lost."""
    with (
        machine(tmp_path / "a", cable.url, key) as one,
        machine(tmp_path / "b", server, key) as two,
    ):
        one.done("memory_store", content="Not for long.")
        all_sent(one)
        comes(lambda: two.call("memory_list").text, "Not for long.")
        cable.pull()
        one.done("memory_update", id="L1", content="For ever after.")
        two.done("memory_delete", id="#1")
        all_sent(two)
        cable.plug()
        assert "For ever after." in comes(
            lambda: one.call("memory_status").text, "changed here and elsewhere"
        )
        assert "No memories yet" in one.done("memory_list")
        assert "No memories yet" in two.done("memory_list")
    assert on_server(server, key) == []


@promise("sync.differences-are-found")
@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM memories WHERE content = 'Known to both.'",
        "UPDATE memories SET sv = sv - 1 WHERE content = 'Known to both.'",
    ],
)
def test_memory_that_went_missing_comes_back(
    tmp_path: Path, server: str, key: str, damage: str
) -> None:
    """Count and digest are compared after each catch-up, so what differs is found and repaired."""
    home = tmp_path / "a"
    with machine(home, server, key) as one:
        for text in ("Known to both.", "Another one."):
            one.done("memory_store", content=text)
        all_sent(one)
    before = versions(home)
    change_store(home, damage)
    with machine(home, server, key) as one:
        comes(lambda: one.call("memory_list").text and str(versions(home) == before), "True")
        assert "Known to both." in one.done("memory_list")


@promise("sync.nobody-waits-for-the-network")
def test_tools_answer_while_the_server_is_silent(tmp_path: Path, cable: Cable, key: str) -> None:
    """Each answer is there before the request that hangs is given up, also at a start."""
    with machine(tmp_path / "a", cable.url, key) as one:
        one.done("memory_store", content="Stored while the server answered.")
        all_sent(one)
        cable.mute()
        comes(lambda: one.call("memory_list").text and f"{cable.held} held", "1 held")
        for number in range(5):
            assert "Queued" in one.done("memory_store", content=f"Fact {number} in the silence.")
        assert (cable.held, cable.given_up) == (1, 0)
        with machine(tmp_path / "a", cable.url, key) as other:
            assert "Fact 4 in the silence." in other.done("memory_list")
            other.done("memory_store", content="Another session stores at its start.")
        assert (cable.held, cable.given_up) == (1, 0)


@promise("sync.offline-work-goes-in-batches")
def test_offline_work_is_sent_in_batches(
    tmp_path: Path, server: str, cable: Cable, key: str
) -> None:
    """Three hundred memories take a handful of requests."""
    texts = [f"Offline fact {number}." for number in range(300)]
    with machine(tmp_path / "a", cable.url, key) as one:
        one.done("memory_list")
        comes(lambda: one.call("memory_status").text, "in step")
        cable.pull()
        for text in texts:
            one.done("memory_store", content=text)
        pushed = cable.pushes
        cable.plug()
        all_sent(one)
    assert sorted(on_server(server, key)) == sorted(texts)
    assert 2 <= cable.pushes - pushed <= 4


@promise("sync.refused-key-is-told")
def test_refused_key_is_told_in_the_next_greeting(tmp_path: Path, server: str) -> None:
    """Nobody has to ask: the next session begins with what is wrong and how to mend it."""
    home = tmp_path / "a"
    with machine(home, server, "a-key-that-nobody-has") as one:
        one.done("memory_store", content="Stored with a wrong key.")
        comes(lambda: one.call("memory_status").text, "the key is not accepted")
    event = {"hook_event_name": "SessionStart", "session_id": "next", "source": "startup"}
    settings = {"MEMORY_API_URL": server, "MEMORY_API_KEY": "a-key-that-nobody-has"}
    greeting = json.dumps(through_doorway("session-start", event, home, **settings).said)
    assert "does not sync" in greeting
    assert "MEMORY_API_KEY" in greeting


def swept(home: Path) -> bool:
    """Tell whether a full dump has come to its end."""
    with closing(sqlite3.connect(database(home), timeout=30)) as connection:
        query = "SELECT k, v FROM sync_state WHERE k IN ('cursor', 'need_sweep')"
        found = dict(connection.execute(query).fetchall())
    return bool(found["cursor"]) and not found["need_sweep"]


def versions(home: Path) -> list[tuple[str, int]]:
    """Return the live memories of a store with the versions that the server gave them."""
    with closing(sqlite3.connect(database(home), timeout=30)) as connection:
        query = "SELECT content, sv FROM memories WHERE live = 1 ORDER BY content"
        return connection.execute(query).fetchall()
