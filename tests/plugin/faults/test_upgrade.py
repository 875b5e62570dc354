"""A version of the plugin with a later schema meets the store of this one."""

from __future__ import annotations

import re
import shutil
import sqlite3
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.support.promises import promise
from tests.support.sessions import Session, assert_sound, database, rows
from tests.support.stdio_peer import CLIENT

if TYPE_CHECKING:
    from pathlib import Path

KEPT = "The spare key is with the neighbour on the second floor."
NEXT = """
def _next(connection):
    connection.execute("ALTER TABLE memories ADD COLUMN mood TEXT NOT NULL DEFAULT ''")
    connection.execute("UPDATE memories SET mood = 'calm'")
"""


def later_plugin(folder: Path, migration: str) -> tuple[str, ...]:
    """Copy the plugin, add a migration to it, and return what starts its server."""
    shutil.copytree(CLIENT, folder, ignore=shutil.ignore_patterns("__pycache__"))
    schema = folder / "claude_memory" / "store" / "schema.py"
    text = schema.read_text()
    listed = re.search(r"^MIGRATIONS: .* = \((.*?),\s*\)$", text, re.MULTILINE | re.DOTALL)
    assert listed
    names = listed[0].replace(listed[1], f"{listed[1]}, _next")
    schema.write_text(text.replace(listed[0], migration + names))
    return (sys.executable, "-S", "-E", str(folder / "server.py"))


def version(path: Path) -> int:
    """Return the schema of a database."""
    connection = sqlite3.connect(str(path))
    try:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])
    finally:
        connection.close()


@promise("store.upgrades-keep-a-copy")
def test_upgrade_keeps_every_memory_and_a_copy_of_the_file_before_it(tmp_path: Path) -> None:
    """Of many sessions that start at once, one upgrades; its copy is of the earlier schema."""
    command = later_plugin(tmp_path / "later", NEXT)
    home = tmp_path / "home"
    with Session(home) as session:
        session.store(KEPT)
    before = version(database(home))
    with ExitStack() as stack:
        sessions = [stack.enter_context(Session(home, command=command)) for _ in range(4)]
        for number, session in enumerate(sessions):
            session.peer.call(f"call {number}", "memory_list")
        for session in sessions:
            assert KEPT in session.peer.hear()["result"]["content"][0]["text"]
    assert version(database(home)) == before + 1
    assert rows(home, "SELECT content, mood FROM memories") == [(KEPT, "calm")]
    assert_sound(home)
    (copy,) = database(home).parent.glob("memory.db.before-schema-*")
    assert version(copy) == before
    assert copy.stat().st_mode & 0o077 == 0 or sys.platform == "win32"
    with sqlite3.connect(str(copy)) as connection:
        assert connection.execute("SELECT content FROM memories").fetchall() == [(KEPT,)]
    connection.close()


@promise("store.upgrades-keep-a-copy")
@pytest.mark.parametrize("end", ["raise ValueError", "import os; os.kill(os.getpid(), 9)"])
def test_upgrade_that_fails_changes_nothing(tmp_path: Path, end: str) -> None:
    """An error or a kill in its middle leaves the store to the version before."""
    command = later_plugin(tmp_path / "later", f"{NEXT}    {end}\n")
    home = tmp_path / "home"
    with Session(home) as session:
        session.store(KEPT)
    before = version(database(home))
    with Session(home, command=command) as session:
        session.peer.call("call", "memory_list")
        session.peer.hear_line()
    assert version(database(home)) == before
    with Session(home) as session:
        assert session.contents() == [KEPT]
        session.store("Stored after the upgrade that failed.")
    assert_sound(home)


@promise("store.newer-is-never-written")
def test_session_of_the_version_before_writes_no_more_once_the_store_is_upgraded(
    tmp_path: Path,
) -> None:
    """It was open all along: it still reads, and each write says what to do."""
    command = later_plugin(tmp_path / "later", NEXT)
    home = tmp_path / "home"
    with Session(home) as before:
        before.store(KEPT)
        with Session(home, command=command) as later:
            later.store("Stored by the later version.")
            for tool, arguments in (
                ("memory_store", {"content": "Something else."}),
                ("memory_update", {"id": "L1", "content": "Something else."}),
                ("memory_delete", {"id": "L1", "purge": True}),
            ):
                assert "start a new session" in before.refused(tool, **arguments)
            assert KEPT in before.done("memory_recall", context="spare key neighbour")
            assert "start a new session" in before.done("memory_status")
            later.store("The later version goes on.")
    assert len(rows(home, "SELECT content FROM memories WHERE mood <> 'other'")) == 3
    assert_sound(home)
