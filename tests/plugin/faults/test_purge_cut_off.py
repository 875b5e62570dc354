"""A purge that is killed on its way, or finds no room: the next session goes on with it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from claude_memory.store import schema

from tests.support.cable import Cable
from tests.support.promises import promise
from tests.support.sessions import Session, assert_sound, database, files_with
from tests.support.vault_stand_in import TOKEN as VAULT_TOKEN
from tests.support.vault_stand_in import VaultStandIn
from tests.support.waiting import comes

if TYPE_CHECKING:
    from pathlib import Path

WORD = "zqxplumbago"
TEXT = f"The {WORD} door opens with a {WORD}-coloured card from {WORD.upper()}."
TOKEN = "ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"


def in_the_store(home: Path) -> bool:
    """Tell whether the store or its log has the word; to read a snapshot would end a lock on it."""
    path = database(home)
    files = [path, path.with_name(f"{path.name}-wal")]
    return any(WORD.encode() in file.read_bytes().lower() for file in files if file.exists())


@promise("store.purge-leaves-nothing")
@pytest.mark.once
def test_purge_that_is_killed_at_a_snapshot_is_finished_by_the_next_session(tmp_path: Path) -> None:
    """The memory is gone, its snapshot is not written anew yet: nobody asks for that again."""
    copy = f"{database(tmp_path)}.before-schema-2"
    with Session(tmp_path) as session:
        label = session.store(TEXT)
        with closing(sqlite3.connect(str(database(tmp_path)))) as store:
            schema.snapshot(store, copy)
        with closing(sqlite3.connect(copy, isolation_level=None)) as held:
            held.execute("BEGIN EXCLUSIVE")
            session.peer.call("cut off", "memory_delete", id=label, purge=True)
            comes(lambda: str(in_the_store(tmp_path)), "False")
            session.kill()
            held.execute("ROLLBACK")
    assert files_with(tmp_path, WORD) == [copy]
    with Session(tmp_path):
        comes(lambda: str(files_with(tmp_path, WORD)), "[]")
    assert_sound(tmp_path)


@promise("store.purge-leaves-nothing")
@pytest.mark.once
def test_purge_that_is_killed_at_vault_is_finished_by_the_next_session(tmp_path: Path) -> None:
    """What Vault was asked to destroy is known until it has."""
    with VaultStandIn() as vault:
        parts = urlsplit(vault.address)
        with Cable(str(parts.hostname), int(parts.port or 0)) as cable:
            environ = {"VAULT_ADDR": cable.url, "VAULT_TOKEN": VAULT_TOKEN}
            with Session(tmp_path, environ=environ) as session:
                label = session.store(f"The old code is {TOKEN}")
                assert len(vault.values) == 1
                cable.mute()
                session.peer.call("cut off", "memory_delete", id=label, purge=True)
                comes(lambda: str(cable.held), "1")
                session.kill()
            cable.plug()
            with Session(tmp_path, environ=environ):
                comes(lambda: str(list(vault.values)), "[]")
