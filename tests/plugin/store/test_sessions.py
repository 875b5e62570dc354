"""Sessions are begun, numbered, compacted and closed, and remember what they were given."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from claude_memory.memory import stamp
from claude_memory.store import sessions
from claude_memory.store.connection import write

from tests.support.stores import NOW, PROJECT, opened, put

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> sqlite3.Connection:
    """An empty store."""
    return opened(tmp_path)


def given(store: sqlite3.Connection, *uids: str, session: str = "s", tokens: int = 10) -> list[str]:
    """Note memories as given at a prompt; return those that were new."""
    costs = [(uid, tokens) for uid in uids]
    return sessions.note_injections(store, session, "UserPromptSubmit", costs, NOW)


def seq(store: sqlite3.Connection, session: str) -> int:
    """Take the next position in a session."""
    with write(store):
        return sessions.next_seq(store, session, PROJECT, NOW)


def seq_then_fail(store: sqlite3.Connection) -> None:
    """Take a position in a transaction that fails."""
    with write(store):
        sessions.next_seq(store, "s", PROJECT, NOW)
        raise ZeroDivisionError


def test_session_is_new_once(store: sqlite3.Connection) -> None:
    """A resumed session is known, and open again."""
    assert not sessions.any_known(store)
    assert sessions.begin(store, "s", PROJECT, NOW)
    sessions.end(store, "s", PROJECT, NOW)
    assert store.execute("SELECT ended_at FROM sessions").fetchone() == (stamp(NOW),)

    assert not sessions.begin(store, "s", PROJECT, NOW)
    assert store.execute("SELECT id, project, ended_at FROM sessions").fetchall() == [
        ("s", PROJECT, "")
    ]
    assert sessions.is_known(store, "s")
    assert not sessions.is_known(store, "t")


def test_end_of_an_unknown_session_is_kept(store: sqlite3.Connection) -> None:
    """A session whose start nobody saw is closed all the same."""
    sessions.end(store, "s", PROJECT, NOW)

    assert store.execute("SELECT id, ended_at FROM sessions").fetchall() == [("s", stamp(NOW))]


def test_positions_count_up_in_each_session(store: sqlite3.Connection) -> None:
    """Neighbours in recall are memories with neighbouring positions of one session."""
    assert [seq(store, one) for one in ("a", "b", "a", "a", "b", "")] == [1, 1, 2, 3, 2, 0]


def test_positions_go_on_after_the_sessions_row_is_gone(store: sqlite3.Connection) -> None:
    """A session resumed after years does not number its memories from the start again."""
    for content in ("one", "two", "three"):
        put(store, content, session="s")
    sessions.prune(store, NOW + timedelta(days=500))
    assert not sessions.any_known(store)

    assert seq(store, "s") == 4


def test_position_is_taken_back_with_its_transaction(store: sqlite3.Connection) -> None:
    """A store that fails leaves no gap."""
    with pytest.raises(ZeroDivisionError):
        seq_then_fail(store)

    assert seq(store, "s") == 1


def test_memory_counts_as_given_until_the_next_compaction(store: sqlite3.Connection) -> None:
    """Once in a context is enough; a shortened context may be given it again."""
    assert given(store, "u1", "u2") == ["u1", "u2"]
    assert given(store, "u2", "u3") == ["u3"]
    assert sessions.injected_uids(store, "s") == {"u1", "u2", "u3"}
    assert given(store, "u1", session="other") == ["u1"]

    sessions.compacted(store, "s", PROJECT, NOW)
    assert sessions.injected_uids(store, "s") == set()
    assert sessions.events_since_compaction(store, "s") == set()
    assert given(store, "u2") == ["u2"]
    assert sessions.events_since_compaction(store, "s") == {"UserPromptSubmit"}
    assert sessions.injected_uids(store, "other") == {"u1"}


def test_without_a_session_nothing_is_noted(store: sqlite3.Connection) -> None:
    """A client without session ids is given memories, and no session is mixed with another."""
    assert given(store, "u1", session="") == ["u1"]
    assert given(store, "u1", session="") == ["u1"]
    assert store.execute("SELECT count(*) FROM injections").fetchone() == (0,)


def test_used_are_the_given_and_the_stored_latest_first(store: sqlite3.Connection) -> None:
    """What a session stored itself is part of what it knows."""
    old = put(store, "stored long ago", session="s", now=NOW - timedelta(days=9))
    other = put(store, "of another session", session="t")
    new = put(store, "stored now", session="s", now=NOW + timedelta(seconds=1))
    given(store, other.uid)
    sessions.compacted(store, "s", PROJECT, NOW)

    assert sessions.used_uids(store, "s", 9) == [new.uid, other.uid, old.uid]
    assert sessions.used_uids(store, "s", 2) == [new.uid, other.uid]
    assert sessions.used_uids(store, "unknown", 9) == []


def test_tokens_add_up_since_a_time(store: sqlite3.Connection) -> None:
    """Status tells what injections cost today."""
    given(store, "u1", "u2", tokens=30)
    given(store, "u1", session="t", tokens=5)

    assert sessions.tokens_injected_since(store, stamp(NOW)) == 65
    assert sessions.tokens_injected_since(store, stamp(NOW + timedelta(seconds=1))) == 0


def test_old_rows_are_forgotten(store: sqlite3.Connection) -> None:
    """What no session comes back to goes; what one may come back to stays."""
    sessions.begin(store, "s", PROJECT, NOW)
    given(store, "u1")

    sessions.prune(store, NOW + timedelta(days=30))
    assert sessions.injected_uids(store, "s") == {"u1"}
    sessions.prune(store, NOW + timedelta(days=60))
    assert sessions.injected_uids(store, "s") == set()
    assert sessions.is_known(store, "s")
    sessions.prune(store, NOW + timedelta(days=500))
    assert not sessions.is_known(store, "s")
