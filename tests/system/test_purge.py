"""A purge on one machine, whatever the others were doing: a hostile look for what is left of it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from claude_memory.store import schema

from tests.support.hybrid import all_sent, machine, on_server
from tests.support.promises import promise
from tests.support.sessions import Session, database, files_with
from tests.support.waiting import PATIENCE, comes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.cable import Cable

pytestmark = pytest.mark.once

WORD = "zqxplumbago"
TEXT = f"The {WORD} door opens with a card."


def kept_by(server: str, key: str) -> str:
    """Return all that the server shows of an account: the feed, the export, every history."""
    asked = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=server, headers=asked, timeout=PATIENCE) as client:
        feed = client.get("/api/memories/sync", params={"since": "2000-01-01T00:00:00Z"})
        numbers = [row["id"] for row in feed.raise_for_status().json()["memories"]]
        pasts = [client.get(f"/api/memories/{number}/history").text for number in numbers]
        return "\n".join([feed.text, client.get("/api/export").text, *pasts])


def snapshot(home: Path) -> None:
    """Leave a copy beside the database, as an upgrade does."""
    with closing(sqlite3.connect(str(database(home)))) as store:
        schema.snapshot(store, f"{database(home)}.before-schema-2")


def lose_the_store(home: Path) -> None:
    """Remove the database, not its snapshots."""
    for end in ("", "-wal", "-shm"):
        database(home).with_name(database(home).name + end).unlink(missing_ok=True)


def fetch_everything_anew(home: Path) -> None:
    """Let the next page be the first of a full dump."""
    with closing(sqlite3.connect(str(database(home)))) as store, store:
        store.execute("UPDATE sync_state SET v = '' WHERE k = 'cursor'")


def shared(one: Session, two: Session, content: str = TEXT) -> None:
    """Store a memory on one machine, after another one, and wait for it on the other."""
    one.done("memory_store", content="Another memory stays.")
    one.done("memory_store", content=content)
    comes(lambda: two.call("memory_list").text, content)


def nothing_is_kept(two: Session) -> None:
    """Wait until a machine has heard that memory #2 was purged, and see that it has no way back."""
    comes(lambda: two.call("memory_status").text, "Memories: 1 (1 global, 0 for this project")
    comes(lambda: two.call("memory_status").text, "0 deleted that can")
    assert "Nothing is kept here" in two.refused("memory_update", id="#2", restore=True)


def no_copy_is_left(home: Path, server: str, key: str) -> None:
    """See that a later session of a machine, as an hour of work, wipes its files."""
    with machine(home, server, key) as two:
        comes(lambda: str(files_with(home, WORD)), "[]")
        assert "Another memory stays." in two.done("memory_list")


@promise("sync.a-purge-goes-everywhere")
@pytest.mark.parametrize("is_deleted_first", [False, True])
def test_purge_on_one_machine_erases_what_the_others_keep(
    tmp_path: Path, server: str, key: str, *, is_deleted_first: bool
) -> None:
    """Also what they changed themselves, and their snapshots; memories beside it stay."""
    home = tmp_path / "b"
    with machine(tmp_path / "a", server, key) as one, machine(home, server, key) as two:
        shared(one, two)
        two.done("memory_update", id="#2", content=f"The {WORD} door opens with a key.")
        comes(lambda: one.call("memory_list").text, "with a key")
        if is_deleted_first:
            two.done("memory_delete", id="#2")
            comes(lambda: one.call("memory_status").text, "Memories: 1 (")
        else:
            one.done("memory_update", id="#2", content=f"Nobody opens the {WORD} door.")
            comes(lambda: two.call("memory_list").text, "Nobody")
        snapshot(home)
        assert len(files_with(home, WORD)) >= 2
        one.done("memory_delete", id="#2", purge=True)
        all_sent(one)
        assert files_with(tmp_path / "a", WORD) == []
        nothing_is_kept(two)
    no_copy_is_left(home, server, key)


@promise("sync.a-purge-goes-everywhere")
@pytest.mark.parametrize("begin_anew", [lose_the_store, fetch_everything_anew])
def test_machine_that_fetches_everything_anew_hears_of_purges(
    tmp_path: Path, server: str, key: str, begin_anew: Callable[[Path], None]
) -> None:
    """It erases its snapshots, and what it could undo a delete of its own from."""
    home = tmp_path / "b"
    with machine(tmp_path / "a", server, key) as one:
        with machine(home, server, key) as two:
            shared(one, two)
            snapshot(home)
            two.done("memory_delete", id="#2")
            all_sent(two)
        one.done("memory_delete", id="#2", purge=True)
        all_sent(one)
    begin_anew(home)
    assert files_with(home, WORD) != []
    with machine(home, server, key) as two:
        nothing_is_kept(two)
    no_copy_is_left(home, server, key)
    assert WORD not in kept_by(server, key)


@promise("sync.a-purge-goes-everywhere")
@pytest.mark.parametrize("edit", [{"content": f"Nobody opens the {WORD} door."}, {"tags": "doors"}])
def test_unsent_edit_elsewhere_does_not_outlive_a_purge(
    tmp_path: Path, server: str, cable: Cable, key: str, edit: dict[str, Any]
) -> None:
    """Neither on its machine nor in the server's history: not even where only a tag was changed."""
    home = tmp_path / "b"
    with machine(tmp_path / "a", server, key) as one, machine(home, cable.url, key) as two:
        shared(one, two)
        cable.pull()
        two.done("memory_update", id="#2", **edit)
        one.done("memory_delete", id="#2", purge=True)
        all_sent(one)
        cable.plug()
        comes(lambda: two.call("memory_status").text, "Memories: 1 (")
        all_sent(two)
        assert "Nothing is kept here" in two.refused("memory_update", id="#2", restore=True)
    with machine(home, cable.url, key):
        comes(lambda: str(files_with(tmp_path, WORD)), "[]")
    assert WORD not in kept_by(server, key)


@promise("sync.a-purge-goes-everywhere")
def test_purge_while_offline_erases_what_was_still_to_be_sent(
    tmp_path: Path, server: str, cable: Cable, key: str
) -> None:
    """A new memory and an edit, both tried in vain: at once here, and nothing is sent later."""
    home = tmp_path / "a"
    with machine(home, cable.url, key) as one, machine(tmp_path / "b", server, key) as two:
        shared(one, two)
        cable.pull()
        one.done("memory_update", id="#2", content=f"Nobody opens the {WORD} door.")
        label = one.store(f"The other {WORD} door is never closed.")
        comes(lambda: one.call("memory_status").text, "2 changes to send")
        one.done("memory_delete", id=["#2", label], purge=True)
        assert files_with(home, WORD) == []
        cable.plug()
        comes(lambda: two.call("memory_status").text, "Memories: 1 (")
        all_sent(one)
        assert on_server(server, key) == ["Another memory stays."]
    assert WORD not in kept_by(server, key)


@promise("sync.a-purge-goes-everywhere")
@pytest.mark.parametrize("revived_by", ["machine", "server"])
def test_memory_that_was_deleted_twice_brought_back_and_purged_is_gone_everywhere(
    tmp_path: Path, server: str, cable: Cable, key: str, revived_by: str
) -> None:
    """Two machines deleted it, each with a way back: what one brings back it also purges there.

    It had superseded another memory, so that nothing in what came back names the deleted one.
    """
    home, asked = tmp_path / "b", {"Authorization": f"Bearer {key}"}
    with machine(tmp_path / "a", server, key) as one, machine(home, cable.url, key) as two:
        one.done("memory_store", content="The door is closed.")
        one.done("memory_store", content=TEXT, supersedes="L1")
        comes(lambda: two.call("memory_list").text, TEXT)
        cable.pull()
        two.done("memory_delete", id="#2")
        one.done("memory_delete", id="#2")
        all_sent(one)
        cable.plug()
        all_sent(two)
        if revived_by == "machine":
            one.done("memory_update", id="#2", restore=True)
        else:
            url = f"{server}/api/memories/2/restore"
            httpx.post(url, headers=asked, timeout=PATIENCE).raise_for_status()
        comes(lambda: two.call("memory_list").text, TEXT)
        comes(lambda: one.call("memory_list").text, TEXT)
        one.done("memory_delete", id="#3", purge=True)
        comes(lambda: two.call("memory_list").text, "The door is closed.")
        comes(lambda: two.call("memory_status").text, "0 deleted that can")
        assert "Nothing is kept here" in two.refused("memory_update", id="#2", restore=True)
    for folder, url in ((tmp_path / "a", server), (home, cable.url)):
        with machine(folder, url, key):
            comes(lambda folder=folder: str(files_with(folder, WORD)), "[]")  # type: ignore[misc]
    assert WORD not in kept_by(server, key)


@promise("sync.a-purge-goes-everywhere")
def test_memory_deleted_brought_back_and_purged_while_offline_is_gone_everywhere(
    tmp_path: Path, server: str, cable: Cable, key: str
) -> None:
    """The server never hears of what came back, but of the delete: it kept that text for an undo.

    A snapshot has the memory under the uid that it had before.
    """
    home = tmp_path / "a"
    with machine(home, cable.url, key) as one, machine(tmp_path / "b", server, key) as two:
        shared(one, two)
        snapshot(home)
        cable.pull()
        for _ in range(2):
            one.done("memory_delete", id="L2")
            one.done("memory_update", id="L2", restore=True)
        one.done("memory_delete", id="L2", purge=True)
        assert files_with(home, WORD) == []
        cable.plug()
        comes(lambda: two.call("memory_status").text, "Memories: 1 (")
        all_sent(one)
    with machine(tmp_path / "b", server, key):
        comes(lambda: str(files_with(tmp_path, WORD)), "[]")
    assert WORD not in kept_by(server, key)


@promise("sync.a-purge-goes-everywhere")
def test_purge_elsewhere_reaches_what_had_come_back_before_there_was_a_server(
    tmp_path: Path, server: str, key: str
) -> None:
    """Only the machine that undid the delete knows the former uid, and its snapshot has that."""
    home = tmp_path / "a"
    with Session(home) as alone:
        alone.done("memory_store", content="Another memory stays.")
        alone.done("memory_store", content=TEXT)
        snapshot(home)
        alone.done("memory_delete", id="L2")
        alone.done("memory_update", id="L2", restore=True)
    with machine(home, server, key) as one, machine(tmp_path / "b", server, key) as two:
        comes(lambda: two.call("memory_list").text, TEXT)
        two.done("memory_delete", id="#2", purge=True)
        all_sent(two)
        one.done("memory_list")
        nothing_is_kept(one)
    no_copy_is_left(home, server, key)


def test_purge_says_which_memory_is_shown_again(tmp_path: Path, server: str, key: str) -> None:
    """What a purged memory had superseded is another memory, and may say much the same."""
    with machine(tmp_path / "a", server, key) as one:
        one.done("memory_store", content=f"The {WORD} door opens with a key.")
        one.done("memory_store", content=TEXT, supersedes="L1")
        said = one.done("memory_delete", id="L2", purge=True)
        assert "which it had superseded, is shown again." in said
