"""Purged, expired and redacted text: searched for, byte by byte, in every file there is."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from claude_memory.service import upkeep
from claude_memory.store import proposals, purge, schema, turns
from claude_memory.store.connection import write
from claude_memory.store.lock import BUSY_SECONDS

from tests.support.desk import Desk
from tests.support.promises import promise
from tests.support.sessions import Session, assert_sound, database, files_with, stranger
from tests.support.vault_stand_in import TOKEN as VAULT_TOKEN
from tests.support.vault_stand_in import VaultStandIn

WORD = "zqxplumbago"
TEXT = f"The {WORD} door opens with a {WORD}-coloured card from {WORD.upper()}."
TOKEN = "ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"


def test_purge_leaves_no_byte_anywhere(tmp_path: Path) -> None:
    """Content, tags, keywords, earlier texts, index, log, snapshot: nothing has the word."""
    with Session(tmp_path) as session, Session(tmp_path) as other:
        other.store("Another memory stays.")
        one = session.store(TEXT, tags=f"{WORD},door", expanded_keywords=f"{WORD} entrance")
        session.done("memory_update", id=one, content=f"{TEXT} Since May.")
        session.done("memory_recall", context=WORD)
        session.done("hook", event="UserPromptSubmit", prompt=f"What about the {WORD} door?")
        with closing(sqlite3.connect(str(database(tmp_path)))) as store:
            schema.snapshot(store, f"{database(tmp_path)}.before-schema-2")
        assert len(files_with(tmp_path, WORD)) >= 2
        said = session.done("memory_delete", id=one, purge=True)
        assert "cannot be undone" in said
        assert files_with(tmp_path, WORD) == []
        assert other.contents() == ["Another memory stays."]
        assert "no earlier state" in session.refused("memory_update", id=one, restore=True)
    assert files_with(tmp_path, WORD) == []
    assert_sound(tmp_path)


def test_purge_takes_what_was_unfinished_out_of_copies(tmp_path: Path) -> None:
    """A copy may hold the words of what became a memory only after it was made."""
    desk = Desk(tmp_path)
    desk.store("Another memory stays.")
    with write(desk.connection) as store:
        proposals.add(store, {"content": TEXT}, "because", desk.clock)
        turns.enqueue(
            store, session="s", project="", words=TEXT, body=json.dumps(TEXT), now=desk.clock
        )
        store.execute("INSERT INTO shelf VALUES ('op', 'uid', ?, 'conflict', '')", (TEXT,))
    copy = f"{database(tmp_path)}.before-schema-2"
    with closing(sqlite3.connect(str(database(tmp_path)))) as store:
        schema.snapshot(store, copy)
    with write(desk.connection) as store:
        for table in ("proposals", "turns", "shelf"):
            store.execute(f"DELETE FROM {table}")
    desk.call("memory_delete", id=desk.store(TEXT), purge=True)
    assert files_with(tmp_path, WORD) == []
    with closing(sqlite3.connect(copy)) as kept:
        assert kept.execute("SELECT content FROM memories").fetchall() == [
            ("Another memory stays.",)
        ]


@promise("store.purge-leaves-nothing")
def test_purge_leaves_nothing_in_a_busy_store(tmp_path: Path) -> None:
    """Pages that were split, merged and moved meanwhile keep no stale copy of a purged text."""
    random = Random(0)  # noqa: S311  (to be repeated)
    desk = Desk(tmp_path)

    def text(number: int, most: int) -> str:
        words = (f"w{random.randrange(9_999)}" for _ in range(random.randrange(3, most)))
        return f"Zqx{number}plumbago {' '.join(words)}"

    labels = [desk.store(text(number, 150)) for number in range(300)]
    for _ in range(200):
        number = random.randrange(300)
        desk.call("memory_update", id=labels[number], content=text(number, 400))
    doomed = random.sample(range(300), 80)
    desk.call("memory_delete", id=[labels[number] for number in doomed], purge=True)
    data = b"".join(path.read_bytes().lower() for path in tmp_path.rglob("memory.db*"))
    assert [number for number in doomed if f"zqx{number}plumbago".encode() in data] == []
    assert len(desk.texts(limit=100)) == 100
    desk.connection.close()
    assert_sound(tmp_path)


def test_others_store_between_the_parts_of_a_purge(tmp_path: Path) -> None:
    """The index of a large store is cleaned a part at a time; each lets others through."""
    desk, other = Desk(tmp_path), Desk(tmp_path)
    for number in range(300):
        desk.store(" ".join(f"w{number}x{place}" for place in range(200)))
    other.connection.execute("PRAGMA busy_timeout=0")
    stored: list[str] = []

    def come_between(statement: str) -> None:
        if statement.startswith("BEGIN"):
            stored.append(other.store(f"Stored before part {len(stored)}."))

    desk.connection.set_trace_callback(come_between)
    desk.call("memory_delete", id="L1", purge=True)
    desk.connection.set_trace_callback(None)
    assert len(stored) > 4, "the index is not cleaned in parts"
    assert_sound(tmp_path)


@promise("store.many-sessions-at-once")
@pytest.mark.once
def test_who_waits_for_a_purge_is_not_refused(tmp_path: Path) -> None:
    """While the whole file is written anew, longer than another program may hold the lock."""
    with Session(tmp_path) as session:
        session.store("Stored before the purge.")
        with stranger(tmp_path) as other:
            other.execute("INSERT INTO sync_state (k, v) VALUES ('scrub_due', '1')")
            other.execute("BEGIN IMMEDIATE")
            session.peer.call("slow", "memory_store", content="Stored after the purge.")
            time.sleep(BUSY_SECONDS + 1)
            other.execute("ROLLBACK")
            assert not session.peer.hear()["result"]["isError"]


@promise("store.purge-says-when-it-is-not-complete")
@pytest.mark.once
def test_purge_beside_a_reader_says_so_and_is_finished_later(tmp_path: Path) -> None:
    """While another program still reads an old state, the answer does not claim too much."""
    desk = Desk(tmp_path)
    one = desk.store(TEXT)
    with stranger(tmp_path) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM memories").fetchone() == (1,)
        said = desk.call("memory_delete", id=one, purge=True)
        assert "cannot be undone" not in said
        assert "Another session is reading" in said
        assert "purge is not complete" in desk.call("memory_status")
        reader.execute("COMMIT")
    upkeep.run(desk.place, desk.door)
    assert files_with(tmp_path, WORD) == []
    assert "purge is not complete" not in desk.call("memory_status")


@promise("store.old-texts-expire")
def test_deleted_and_edited_texts_are_gone_after_thirty_days(tmp_path: Path) -> None:
    """Thirty days after a delete or an edit no byte of the earlier text is left, nor its seal."""
    desk = Desk(tmp_path)
    one = desk.store(TEXT, tags=WORD)
    two = desk.store(f"The old {WORD} code is {TOKEN}")
    desk.call("memory_delete", id=one)
    desk.call("memory_update", id=two, content="The code was changed.")
    secrets = "SELECT count(*) FROM secrets"
    assert desk.connection.execute(secrets).fetchone() == (1,)
    desk.clock += timedelta(days=29)
    upkeep.run(desk.place, desk.door)
    assert desk.connection.execute("SELECT count(*) FROM history").fetchone() == (2,)
    desk.clock += timedelta(days=2)
    upkeep.run(desk.place, desk.door)
    assert files_with(tmp_path, WORD) == []
    assert desk.connection.execute(secrets).fetchone() == (0,)
    assert not purge.is_due(desk.connection)
    assert "no earlier state" in desk.refused("memory_update", id=one, restore=True)
    assert desk.texts() == [f'{two} [facts] 2026-03-01 "The code was changed."']


def test_daily_work_goes_on_after_a_clock_was_ahead(tmp_path: Path) -> None:
    """Set right, it need not wait for a year: what should be gone would lie in old copies."""
    desk = Desk(tmp_path)
    desk.store(TEXT)
    desk.clock += timedelta(days=365)
    upkeep.run(desk.place, desk.door)
    desk.clock -= timedelta(days=365)
    old = Path(f"{desk.place.database}.before-schema-3")
    old.touch()
    os.utime(old, (0, 0))
    upkeep.run(desk.place, desk.door)
    assert not old.exists()


@promise("store.old-texts-expire")
def test_copy_that_a_purge_has_cleaned_is_as_old_as_before(tmp_path: Path) -> None:
    """It goes thirty days after it was made: it may hold what was deleted meanwhile."""
    desk = Desk(tmp_path)
    desk.store("Deleted soon after the copy was made.")
    doomed = desk.store(TEXT)
    copy = Path(f"{desk.place.database}.before-schema-3")
    with closing(sqlite3.connect(str(database(tmp_path)))) as store:
        schema.snapshot(store, str(copy))
    made_at = (desk.clock - timedelta(days=29)).timestamp()
    os.utime(copy, (made_at, made_at))
    desk.call("memory_delete", id=doomed, purge=True)
    assert files_with(tmp_path, WORD) == []
    assert copy.stat().st_mtime == pytest.approx(made_at, abs=1)
    desk.clock += timedelta(days=2)
    upkeep.run(desk.place, desk.door)
    assert not copy.exists()


@promise("store.old-texts-expire")
def test_copies_of_another_accounts_file_go_as_well(tmp_path: Path) -> None:
    """Its key may never be used again here."""
    Desk(tmp_path).store(TEXT)
    desk = Desk(tmp_path, locate=str(database(tmp_path).with_name("memory-other.db")))
    copies = [f"{database(tmp_path)}.before-schema-{number}" for number in (2, 3)]
    for copy, days in zip(copies, (31, 29)):
        with closing(sqlite3.connect(str(database(tmp_path)))) as store:
            schema.snapshot(store, copy)
        made = (desk.clock - timedelta(days=days)).timestamp()
        os.utime(copy, (made, made))
    desk.store("The other account's memory.")
    upkeep.run(desk.place, desk.door)
    assert [Path(copy).exists() for copy in copies] == [False, True]


def test_lock_of_syncing_is_no_copy_of_the_store(tmp_path: Path) -> None:
    """However old it is: whoever held it would not keep others out any more."""
    desk = Desk(tmp_path)
    desk.store(TEXT)
    lock = Path(f"{desk.place.database}.sync.lock")
    lock.touch()
    os.utime(lock, (0, 0))
    upkeep.run(desk.place, desk.door)
    assert lock.exists()


@promise("store.old-texts-expire")
def test_expired_secret_is_gone_from_vault_too(tmp_path: Path) -> None:
    """Nothing here would point to it any more; a Vault that is away is named."""
    with VaultStandIn() as vault:
        desk = Desk(tmp_path, VAULT_ADDR=vault.address, VAULT_TOKEN=VAULT_TOKEN)
        desk.store(f"The old code is {TOKEN}")
        desk.store(f"The other code is {TOKEN}")
        desk.call("memory_delete", id="L1")
        desk.clock += timedelta(days=31)
        upkeep.run(desk.place, desk.door)
        assert list(vault.values.values()) == [f"The other code is {TOKEN}"]
        desk.call("memory_delete", id="L2")
        desk.clock += timedelta(days=31)
        vault.fault = (503, b"")
        upkeep.run(desk.place, desk.door)
        [path] = vault.values
    said = desk.call("memory_status")
    assert "secrets: The keeper 'vault' still holds it: Vault is sealed." in said
    assert f"destroy it there: vault kv metadata delete secret/{path}" in said


def test_secret_that_vault_does_not_hear_of_names_what_helps(tmp_path: Path) -> None:
    """To be read it is asked for again; after a purge, its place in Vault is told."""
    with VaultStandIn() as vault:
        desk = Desk(tmp_path, VAULT_ADDR=vault.address, VAULT_TOKEN=VAULT_TOKEN)
        desk.store(f"The old code is {TOKEN}")
        [path] = vault.values
        vault.fault = (503, b"")
        assert "Unseal it, then try again." in desk.refused("secret_get", id="L1")
    assert "check VAULT_ADDR, then try again." in desk.refused("secret_get", id="L1")
    said = desk.call("memory_delete", id="L1", purge=True)
    assert "cannot be reached" in said
    assert said.endswith(f"destroy it there: vault kv metadata delete secret/{path}")


@pytest.mark.parametrize("status", [403, 503])
def test_secret_that_vault_still_holds_is_told_once_and_asked_for_again(
    tmp_path: Path, status: int
) -> None:
    """Until it is gone: a token may be renewed, a Vault unsealed, and nobody else knows of it."""
    with VaultStandIn() as vault:
        desk = Desk(tmp_path, VAULT_ADDR=vault.address, VAULT_TOKEN=VAULT_TOKEN)
        labels = [desk.store(f"The code of door {door} is {TOKEN}") for door in range(3)]
        vault.fault = (status, b"")
        for label in labels:
            assert "still holds it" in desk.call("memory_delete", id=label, purge=True)
        for _ in range(2):
            before = len(vault.paths)
            upkeep.run(desk.place, desk.door)
            assert len(vault.paths) - before == (1 if status == 503 else 3)
        assert "still holds it" not in desk.call("memory_status")
        vault.fault = None
        upkeep.run(desk.place, desk.door)
        assert vault.values == {}
    upkeep.run(desk.place, desk.door)
    assert desk.connection.execute("SELECT count(*) FROM secrets").fetchone() == (0,)


@promise("secrets.redacted-first")
def test_secrets_are_in_no_file_at_any_time(tmp_path: Path) -> None:
    """A credential in content, tags or keywords is in clear nowhere, before a delete and after."""
    with Session(tmp_path) as session:
        one = session.store(f"The deploy token is {TOKEN}", tags=f"t,{TOKEN}")
        session.done("memory_update", id=one, expanded_keywords=f"token {TOKEN}")
        session.done("memory_recall", context=f"deploy {TOKEN}")
        session.done("hook", event="UserPromptSubmit", prompt=f"Is {TOKEN} the token?")
        session.refused("memory_update", id=f"L{TOKEN}", tags="a")
        assert files_with(tmp_path, TOKEN) == []
        assert TOKEN in session.done("secret_get", id=one)
        session.done("memory_delete", id=one)
        assert files_with(tmp_path, TOKEN) == []
    assert files_with(tmp_path, TOKEN) == []
