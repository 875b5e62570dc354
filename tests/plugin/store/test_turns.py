"""Turns wait, are claimed one at a time, survive their worker's death, and leave no text behind."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from claude_memory import paths
from claude_memory.store import turns
from claude_memory.store.connection import write

from tests.support.stores import NOW, opened, put

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from datetime import datetime

    from claude_memory.store.turns import Turn


@pytest.fixture
def store(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """An empty store."""
    with closing(opened(tmp_path)) as connection:
        yield connection


def queue(
    store: sqlite3.Connection, words: str, *, session: str = "s", now: datetime = NOW
) -> bool:
    """Queue one turn."""
    with write(store):
        return turns.enqueue(
            store, session=session, project="p", words=words, body=f'["{words}"]', now=now
        )


def claim(store: sqlite3.Connection, now: datetime = NOW) -> Turn | None:
    """Claim the next turn."""
    with write(store):
        return turns.claim(store, now)


def claimed(store: sqlite3.Connection, now: datetime = NOW) -> Turn:
    """Claim the next turn, which must be there."""
    turn = claim(store, now)
    assert turn is not None
    return turn


def test_oldest_turn_is_claimed_first(store: sqlite3.Connection) -> None:
    """Turns are judged in the order in which they were said."""
    queue(store, "first")
    queue(store, "second", now=NOW + timedelta(seconds=1))
    for words in ("first", "second"):
        turn = claimed(store, NOW + timedelta(seconds=2))
        assert turn.body == f'["{words}"]'
        with write(store):
            turns.finish(store, turn)
    assert claim(store, NOW + timedelta(seconds=2)) is None


def test_same_words_of_a_session_are_queued_once(store: sqlite3.Connection) -> None:
    """A second Stop for the same turn adds nothing, whether or not the turn is done."""
    assert queue(store, "use tabs")
    assert not queue(store, "use tabs")
    assert queue(store, "use tabs", session="other")
    turn = claimed(store)
    with write(store):
        turns.finish(store, turn)
    assert not queue(store, "use tabs")
    assert turns.count(store) == (1, 0)


def test_turn_found_claimed_is_claimed_again_at_once(store: sqlite3.Connection) -> None:
    """Whoever holds the lock knows that the worker which claimed it is gone."""
    queue(store, "x")
    assert claimed(store).tries == 1
    assert turns.ready_in(store, NOW) == 0
    assert claimed(store).tries == 2


def test_turn_rests_before_it_is_claimed(store: sqlite3.Connection) -> None:
    """The client is given time to write its transcript."""
    with write(store):
        turns.enqueue(
            store,
            session="s",
            project="p",
            words="x",
            body="[]",
            now=NOW,
            rest=timedelta(seconds=2),
        )
    assert turns.ready_in(store, NOW) == 2
    assert claim(store, NOW + timedelta(seconds=1.9)) is None
    assert turns.ready_in(store, NOW + timedelta(seconds=2)) == 0
    assert claimed(store, NOW + timedelta(seconds=2)).tries == 1


def test_empty_queue_is_never_ready(store: sqlite3.Connection) -> None:
    """Turns that are done or given up make no work."""
    assert turns.ready_in(store, NOW) == inf
    for words, end in (("x", turns.finish), ("y", turns.fail)):
        queue(store, words)
        turn = claimed(store)
        with write(store):
            end(store, turn)
        assert turns.ready_in(store, NOW) == inf


def test_turn_that_killed_three_workers_is_kept_as_failed(store: sqlite3.Connection) -> None:
    """It is tried no more, not lost, and counted."""
    queue(store, "x")
    for tries in (1, 2, 3):
        assert claimed(store).tries == tries
    assert claim(store) is None
    assert turns.count(store) == (0, 1)
    assert store.execute("SELECT body FROM turns").fetchall() == [('["x"]',)]


def test_released_turn_is_as_if_never_claimed(store: sqlite3.Connection) -> None:
    """A stop of the server costs no try."""
    queue(store, "x")
    turn = claimed(store)
    with write(store):
        turns.release(store, turn)
    assert claimed(store).tries == 1


def test_postponed_turn_waits(store: sqlite3.Connection) -> None:
    """After a failed try the turn is left alone for a while, and the try counts."""
    queue(store, "x")
    turn = claimed(store)
    with write(store):
        turns.postpone(store, turn, NOW + timedelta(seconds=30))
    assert turns.ready_in(store, NOW) == 30
    assert claim(store, NOW + timedelta(seconds=29)) is None
    assert claimed(store, NOW + timedelta(seconds=30)).tries == 2


def test_failed_turn_is_counted(store: sqlite3.Connection) -> None:
    """What was given up is shown to the user, so it must be countable."""
    queue(store, "x")
    queue(store, "y")
    turn = claimed(store)
    with write(store):
        turns.fail(store, turn)
    assert turns.count(store) == (1, 1)


def test_finished_turn_leaves_no_text_in_the_files(
    store: sqlite3.Connection, tmp_path: Path
) -> None:
    """What was said is gone from the database once it is learned from."""
    queue(store, "the rhinoceros wears galoshes")
    turn = claimed(store)
    with write(store):
        turns.finish(store, turn)
    store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database = paths.database(str(tmp_path))
    held = b"".join(Path(database + end).read_bytes() for end in ("", "-wal"))
    assert b"rhinoceros" not in held
    assert held


def test_full_queue_drops_its_oldest_turn(store: sqlite3.Connection) -> None:
    """A queue that nobody works on does not grow without end."""
    for number in range(turns.QUEUE_LIMIT + 3):
        queue(store, f"turn {number}", now=NOW + timedelta(seconds=number))
    assert turns.count(store) == (turns.QUEUE_LIMIT, 0)
    assert claimed(store, NOW + timedelta(hours=1)).body == '["turn 3"]'


def test_learned_memories_of_a_session_are_counted(store: sqlite3.Connection) -> None:
    """Only what auto-learn stored in this session counts toward its limit."""
    put(store, "one", session="s", source="auto-learn")
    put(store, "two", session="s", source="user")
    put(store, "three", session="other", source="auto-learn")
    assert turns.learned(store, "s", "auto-learn") == 1
