"""What an id means: while the store is local, and once a server has numbered memories."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from claude_memory.errors import Ambiguous, BadInput, NotFound
from claude_memory.store import ids, state

from tests.support.promises import promise
from tests.support.stores import opened, put

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path


@pytest.fixture
def bound(tmp_path: Path) -> sqlite3.Connection:
    """A store with L1 to L3, of which a server has numbered L2 as 3 and L3 as 40."""
    connection = opened(tmp_path)
    for number in (1, 2, 3):
        put(connection, f"memory {number}")
    connection.execute("UPDATE memories SET no = 3 WHERE local_no = 2")
    connection.execute("UPDATE memories SET no = 40 WHERE local_no = 3")
    state.put(connection, "account_id", "an account")
    return connection


def named(connection: sqlite3.Connection, text: str) -> str:
    """Return the content of the memory that an id names."""
    uid = ids.resolve(connection, text)
    row = connection.execute("SELECT content FROM memories WHERE uid = ?", (uid,)).fetchone()
    return str(row[0])


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("L1", "memory 1"),
        ("l2", "memory 2"),
        (" L3 ", "memory 3"),
        ("#3", "memory 2"),
        ("#40", "memory 3"),
        ("40", "memory 3"),
        ("1", "memory 1"),
        ("2", "memory 2"),
    ],
)
def test_id_names_one_memory(bound: sqlite3.Connection, text: str, content: str) -> None:
    """A sign says which number is meant; a bare one is the server's, else the local one."""
    assert named(bound, text) == content


@promise("ids.ambiguity-changes-nothing")
def test_bare_number_of_two_memories_names_neither(bound: sqlite3.Connection) -> None:
    """The two ways to say it are in the answer."""
    with pytest.raises(Ambiguous) as refused:
        ids.resolve(bound, "3")
    assert "L3 (made here) or #3 (the server's number)" in refused.value.sentence()


def test_bare_number_is_the_local_one_while_nothing_is_synced(bound: sqlite3.Connection) -> None:
    """As the answers of a local store show it."""
    state.put(bound, "account_id", "")
    assert named(bound, "3") == "memory 3"
    with pytest.raises(NotFound):
        ids.resolve(bound, "40")


@pytest.mark.parametrize("text", ["", "L", "#", "+1", "1.0", "L1;", "-1", "１", "9" * 16, "L 1"])
def test_text_of_another_form_is_no_id(bound: sqlite3.Connection, text: str) -> None:
    """The answer shows what one looks like."""
    with pytest.raises(BadInput, match="is not a memory id") as refused:
        ids.resolve(bound, text)
    assert "L7, #42 or 42" in refused.value.fix


def test_uid_names_its_memory_in_either_case(bound: sqlite3.Connection) -> None:
    """Exports and other machines know memories by it."""
    (uid,) = bound.execute("SELECT uid FROM memories WHERE local_no = 2").fetchone()
    assert named(bound, uid.upper()) == "memory 2"
