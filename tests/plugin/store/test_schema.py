"""The tables of a new store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.stores import opened, put

if TYPE_CHECKING:
    from pathlib import Path


def test_index_of_many_small_writes_stays_in_few_pieces(tmp_path: Path) -> None:
    """Every look-up reads every segment of the index, and each stored memory makes one."""
    connection = opened(tmp_path)
    for number in range(120):
        put(connection, f"fact {number}")
    count = "SELECT count(DISTINCT segid) FROM memories_fts_idx"
    assert connection.execute(count).fetchone()[0] <= 8
