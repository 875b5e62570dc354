"""What memories mean, kept beside them through every change, and found again by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from claude_memory.store import meaning, memories, state
from claude_memory.store.connection import write

from tests.support.stores import NOW, opened, put

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

WANTED = 50


@pytest.fixture
def store(tmp_path: Path) -> sqlite3.Connection:
    """An empty store."""
    return opened(tmp_path)


def alike(store: sqlite3.Connection, text: str) -> list[str]:
    """The contents that are nearest in meaning, best first."""
    found = meaning.similar(store, text, [], WANTED)
    contents = dict(store.execute("SELECT rid, content FROM memories").fetchall())
    return [contents[rid] for rid in sorted(found, key=lambda rid: (-found[rid], rid))]


def planes(store: sqlite3.Connection) -> list[int]:
    """The blocks that have planes."""
    return [block for (block,) in store.execute("SELECT block FROM meaning_planes ORDER BY block")]


def fill_blocks(store: sqlite3.Connection, count: int) -> None:
    """Store memories whose vectors are all different, without the work of embedding each."""
    with write(store):
        for number in range(count):
            store.execute(
                "INSERT INTO memories (uid, content, category, tags, expanded_keywords, "
                "importance, is_sensitive, scope, project, session, session_seq, source, "
                "supersedes, expires_at, created_at, updated_at, live, twin, words) VALUES "
                "(?, ?, 'facts', '', '', 0.5, 0, 'global', '', '', 0, 'user', '', '', '', '', "
                "1, '', '')",
                (f"u{number}", f"invoice number {number} was paid"),
            )


def test_stored_memory_is_found_by_its_meaning(store: sqlite3.Connection) -> None:
    """No word is shared."""
    put(store, "Anna has two cats")
    put(store, "Invoices go out on Monday")
    assert alike(store, "which pets are there?")[0] == "Anna has two cats"


def test_edited_memory_means_what_it_says_now(store: sqlite3.Connection) -> None:
    """Not what it said before."""
    memory = put(store, "Anna has two cats")
    put(store, "Something about the weather")
    with write(store):
        memories.change(store, memory._replace(content="Invoices go out on Monday"))
    assert alike(store, "when are bills sent?")[0] == "Invoices go out on Monday"


def test_deleted_memory_leaves_no_vector(store: sqlite3.Connection) -> None:
    """Neither in the rows nor in the planes of its block."""
    memory = put(store, "Anna has two cats")
    with write(store):
        store.execute("INSERT INTO meaning_planes VALUES (0, x'00')")
        memories.bury(store, memory.uid, "2026-03-01T00:00:00.000000Z")
    assert store.execute("SELECT count(*) FROM meanings").fetchone() == (0,)
    assert planes(store) == []


def test_missing_vectors_are_filled_and_full_blocks_sealed(store: sqlite3.Connection) -> None:
    """As after an upgrade: piece by piece, resumable, and only once."""
    put(store, "Anna has two cats")
    fill_blocks(store, 2 * meaning.BLOCK)
    put(store, "The parrot belongs to Ben")
    with write(store):
        meaning.begin(store)
        last = meaning.fill(store, 0, 700)
    with write(store):
        assert meaning.fill(store, last, 700)
    with write(store):
        assert meaning.fill(store, 0, 700) == 0
        while meaning.seal(store):
            pass
    assert planes(store) == [0, 1]
    found = alike(store, "which pets are there?")
    assert set(found[:2]) == {"Anna has two cats", "The parrot belongs to Ben"}


def test_block_is_sealed_when_the_next_begins(store: sqlite3.Connection) -> None:
    """So a long import needs no upkeep."""
    fill_blocks(store, meaning.BLOCK - 2)
    put(store, "the last one of its block")
    assert planes(store) == []
    put(store, "the first one of the next")
    assert planes(store) == [0]


def test_what_another_session_stores_is_found_at_once(
    store: sqlite3.Connection, tmp_path: Path
) -> None:
    """A session that keeps the signs of a large store in memory notices."""
    fill_blocks(store, meaning.SMALL)
    with write(store):
        meaning.begin(store)
        while meaning.fill(store, 0, meaning.SMALL):
            pass
    assert "Anna has two cats" not in alike(store, "which pets are there?")
    other = opened(tmp_path)
    put(other, "Anna has two cats")
    assert alike(store, "which pets are there?")[0] == "Anna has two cats"
    with write(other):
        other.execute("UPDATE memories SET live = 0 WHERE content LIKE 'Anna%'")
    assert "Anna has two cats" not in alike(store, "which pets are there?")


def test_vectors_of_another_table_are_not_compared(store: sqlite3.Connection) -> None:
    """A new version of the table means new vectors: until then words alone decide."""
    put(store, "Anna has two cats")
    with write(store):
        state.put(store, meaning.MODEL, "an earlier one")
    assert alike(store, "which pets are there?") == []
    with write(store):
        meaning.begin(store)
        meaning.fill(store, 0, 10)
    assert alike(store, "which pets are there?") == ["Anna has two cats"]


def test_named_memories_are_compared_even_when_unlikely(store: sqlite3.Connection) -> None:
    """Those that words have found are asked for by rid."""
    put(store, "Anna has two cats", now=NOW)
    fill_blocks(store, 3 * meaning.BLOCK)
    with write(store):
        last = 0
        while last := meaning.fill(store, last, 5_000):
            pass
        while meaning.seal(store):
            pass
    assert 1 in meaning.similar(store, "invoice number 77 was paid", [1], 5)
