"""The tables of a new store."""

from __future__ import annotations

import os
from pathlib import Path

from claude_memory.store import schema

from tests.support.stores import opened, put


def test_index_of_many_small_writes_stays_in_few_pieces(tmp_path: Path) -> None:
    """Every look-up reads every segment of the index, and each stored memory makes one."""
    connection = opened(tmp_path)
    for number in range(120):
        put(connection, f"fact {number}")
    count = "SELECT count(DISTINCT segid) FROM memories_fts_idx"
    assert connection.execute(count).fetchone()[0] <= 8


def test_what_a_killed_process_left_does_not_stand_in_the_way_of_a_copy(tmp_path: Path) -> None:
    """In a container the next process has the same number; it could not even open the store."""
    connection = opened(tmp_path)
    copy = tmp_path / "copy"
    Path(f"{copy}.part-{os.getpid()}").touch()
    schema.snapshot(connection, str(copy))
    assert copy.read_bytes().startswith(b"SQLite format 3")
