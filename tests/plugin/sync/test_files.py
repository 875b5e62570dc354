"""Which file a key works in, and what comes along when it goes over to another."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from claude_memory.service import upkeep
from claude_memory.store import turns
from claude_memory.store.connection import open_store, write
from claude_memory.sync.files import Files

from tests.support.desk import Desk
from tests.support.line import OURS, SERVER, Line, synced
from tests.support.promises import promise
from tests.support.vault_stand_in import TOKEN as VAULT_TOKEN
from tests.support.vault_stand_in import VaultStandIn

TOKEN = "ghp_" + "M1n2B3v4C5x6Z7l8K9j0H1g2F3d4S5a6P7o8"


def test_file_of_a_former_account_stays_whole(tmp_path: Path) -> None:
    """Whoever leaves it takes nothing of it away, whether another session is at work in it."""
    locate = Files(str(tmp_path), OURS).path
    one, other = (Desk(tmp_path, locate=locate, **SERVER) for _ in range(2))
    one.store("Stored by one session")
    other.store("Stored by another one")
    synced(one, Line())
    former, line = one.place.database, Line()
    line.hello["account_id"] = "b"
    synced(one, line)
    assert one.call("memory_list").startswith("No memories")
    other.store("Stored after it was left")
    third = Desk(tmp_path, locate=former)
    assert len(third.texts()) == 3
    assert sorted(path.name for path in (tmp_path / "memory").glob("memory.db.log*")) == []


def test_secret_that_vault_still_holds_is_known_in_the_accounts_own_file(tmp_path: Path) -> None:
    """The file in which it was purged is removed, and it is no secret of the present text."""
    synced(Desk(tmp_path), Line())  # memory.db belongs to another account
    with VaultStandIn() as vault:
        environ = {"VAULT_ADDR": vault.address, "VAULT_TOKEN": VAULT_TOKEN, **SERVER}
        desk = Desk(tmp_path, locate=Files(str(tmp_path), "second").path, **environ)
        label = desk.store(f"The depot's token is {TOKEN}")
        desk.call("memory_update", id=label, content="The depot has no token")
        desk.clock += timedelta(days=31)
        vault.fault = (503, b"")
        upkeep.run(desk.place, desk.door)
        waiting, line = desk.place.database, Line()
        line.hello["account_id"] = "b"
        synced(desk, line, key="second")
        assert desk.place.database != waiting
        assert "holds no secret" in desk.refused("secret_get", id=label)
        assert len(vault.values) == 1
        vault.fault = None
        upkeep.run(desk.place, desk.door)
        assert vault.values == {}


@promise("store.deletes-can-be-undone")
def test_delete_made_while_the_account_was_unknown_can_be_undone(tmp_path: Path) -> None:
    """Under the same number, with its earlier text and its secret, in the account's own file."""
    synced(Desk(tmp_path), Line())  # memory.db belongs to another account
    desk = Desk(tmp_path, locate=Files(str(tmp_path), "second").path, **SERVER)
    label = desk.store("The depot opens at six")
    desk.call("memory_update", id=label, content="The depot opens at seven")
    secret = desk.store(f"The depot's token is {TOKEN}")
    desk.call("memory_delete", id=[label, secret])
    gone = desk.store("Purged for ever")
    desk.call("memory_delete", id=gone, purge=True)
    waiting = desk.place.database
    line = Line()
    line.hello["account_id"] = "b"
    synced(desk, line, key="second")
    assert desk.place.database != waiting

    desk.call("memory_update", id=label, restore=True)
    assert "The depot opens at seven" in desk.texts()[0]
    desk.call("memory_update", id=label, restore=True)
    assert "The depot opens at six" in desk.texts()[0]
    assert "no memory" in desk.refused("memory_update", id=gone, restore=True)
    synced(desk, line, key="second")
    assert [one["content"] for one in line.rows.values()] == ["The depot opens at six"]
    desk.call("memory_update", id=secret, restore=True)
    assert TOKEN in desk.call("secret_get", id=secret)


@promise("sync.one-queue-is-sent-once")
@pytest.mark.parametrize("kind", ["empty", "without tables", "without an owner"])
def test_account_whose_file_was_begun_by_killed_processes_is_bound(
    tmp_path: Path, kind: str
) -> None:
    """Each left a file behind that belongs to nobody; the account works in the first of them."""
    synced(Desk(tmp_path), Line())  # memory.db belongs to another account
    left = [tmp_path / "memory" / name for name in ("memory-b.db", "memory-b-s.db")]
    for path in left:
        if kind == "without an owner":
            open_store(str(path)).close()
        else:
            path.touch()
        if kind == "without tables":
            with closing(sqlite3.connect(str(path))) as begun:
                begun.execute("PRAGMA journal_mode=WAL")
    desk = Desk(tmp_path, locate=Files(str(tmp_path), "second").path, **SERVER)
    desk.store("Stored while the account was unknown")
    line = Line()
    line.hello["account_id"] = "b"
    synced(desk, line, key="second")
    assert [one["content"] for one in line.rows.values()] == [
        "Stored while the account was unknown"
    ]
    assert desk.place.database == str(left[0])


def test_turn_that_is_brought_over_twice_is_queued_once(tmp_path: Path) -> None:
    """A process may be killed before it has removed the file: the next one brings it over again."""
    synced(Desk(tmp_path), Line())  # memory.db belongs to another account
    desk = Desk(tmp_path, locate=Files(str(tmp_path), "second").path, **SERVER)
    spoken: dict[str, Any] = {"session": "s", "project": "", "words": "I like tea", "body": "{}"}
    with write(desk.connection):
        turns.enqueue(desk.connection, **spoken, now=desk.clock)
    waiting, line = Path(desk.place.database), Line()
    with closing(sqlite3.connect(str(tmp_path / "kept"))) as kept:
        desk.connection.backup(kept)
    line.hello["account_id"] = "b"
    synced(desk, line, key="second")
    (tmp_path / "kept").rename(waiting)
    synced(desk, line, key="second")
    assert not waiting.exists()
    with write(desk.connection):
        turns.enqueue(desk.connection, **spoken, now=desk.clock)  # told by a hook once more
    assert desk.connection.execute("SELECT count(*) FROM turns").fetchone() == (1,)


@promise("sync.accounts-never-mix")
def test_what_waits_for_one_key_is_not_taken_by_the_account_of_another(tmp_path: Path) -> None:
    """The first key has not met its server yet: `memory.db` is nobody's, and free for it alone."""
    first = Desk(tmp_path, locate=Files(str(tmp_path), OURS).path, **SERVER)
    first.store("Stored under the first key")
    second = Desk(tmp_path, locate=Files(str(tmp_path), "second").path, **SERVER)
    second.store("Stored under the second key")
    line = Line()
    line.hello["account_id"] = "b"
    synced(second, line, key="second")
    assert [one["content"] for one in line.rows.values()] == ["Stored under the second key"]
    assert second.place.database != first.place.database
    assert len(first.texts()) == 1
