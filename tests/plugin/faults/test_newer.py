"""A store that a later version wrote: read, never written."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest
from claude_memory.store import schema

from tests.support.promises import promise
from tests.support.sessions import Session, database

if TYPE_CHECKING:
    from pathlib import Path

KEPT = "The spare key is with the neighbour on the second floor."


@pytest.fixture(params=["WAL", "DELETE"])
def newer(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a data folder whose store has a schema of the future."""
    with Session(tmp_path) as session:
        session.store(KEPT)
    connection = sqlite3.connect(str(database(tmp_path)))
    connection.execute(f"PRAGMA journal_mode={request.param}")
    connection.execute("ALTER TABLE memories ADD COLUMN mood TEXT NOT NULL DEFAULT 'calm'")
    connection.execute("PRAGMA user_version=99")
    connection.close()
    return tmp_path


@promise("store.newer-is-never-written")
def test_newer_store_is_read_and_never_written(newer: Path) -> None:
    """Everything that would write is refused with the way out; recall, list and status answer."""
    before = database(newer).read_bytes()
    with Session(newer) as session:
        for tool, arguments in (
            ("memory_store", {"content": "Something else."}),
            ("memory_store", {"content": "password: " + "hunter2" + "hunter2Zz9"}),
            ("memory_update", {"id": "L1", "content": "Something else."}),
            ("memory_delete", {"id": "L1"}),
            ("memory_delete", {"id": "L1", "purge": True}),
        ):
            said = session.refused(tool, **arguments)
            assert "schema 99" in said
            assert "Update the plugin" in said
        assert KEPT in session.done("memory_recall", context="spare key neighbour")
        assert session.contents() == [KEPT]
        status = session.done("memory_status")
        assert "Memories: 1" in status
        assert "Update the plugin" in status
    assert database(newer).read_bytes() == before


def test_newer_store_without_our_tables_is_named(tmp_path: Path) -> None:
    """Where a later version has moved things, reading is refused with the same way out."""
    database(tmp_path).parent.mkdir()
    connection = sqlite3.connect(str(database(tmp_path)))
    connection.execute("CREATE TABLE facts (id TEXT)")
    connection.execute("PRAGMA user_version=99")
    connection.close()
    before = database(tmp_path).read_bytes()
    with Session(tmp_path) as session:
        assert "Update the plugin" in session.refused("memory_recall", context="spare key")
        assert "Update the plugin" in session.refused("memory_status")
    assert database(tmp_path).read_bytes() == before


def test_session_goes_on_once_the_store_can_be_written(newer: Path) -> None:
    """A session that was refused need not be restarted when the cause is gone."""
    with Session(newer) as session:
        session.refused("memory_store", content="Something else.")
        connection = sqlite3.connect(str(database(newer)))
        connection.execute(f"PRAGMA user_version={schema.CURRENT}")
        connection.close()
        session.store("Something else.")


def test_hooks_go_on_once_the_store_can_be_written(newer: Path) -> None:
    """They write what they have given; it is not enough that the tools go on."""
    with Session(newer) as session:

        def given(number: int) -> str:
            prompt = "Who has the spare key, which neighbour?"
            return session.done(
                "hook", event="UserPromptSubmit", prompt=prompt, session_id=f"session {number}"
            )

        assert given(0) == "{}"
        connection = sqlite3.connect(str(database(newer)))
        connection.execute(f"PRAGMA user_version={schema.CURRENT}")
        connection.close()
        assert all(KEPT in given(number) for number in range(1, 7))
