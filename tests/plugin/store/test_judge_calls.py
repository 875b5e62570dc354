"""Every call of the judge is on record before it is made."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from claude_memory.store import judge_calls
from claude_memory.store.connection import write

from tests.support.stores import NOW, opened

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """An empty store."""
    with closing(opened(tmp_path)) as connection:
        yield connection


def test_calls_and_tokens_of_a_day_are_summed(store: sqlite3.Connection) -> None:
    """All sessions count together, and a call that never ended; no other day does.

    Not even one to come: a clock that was ahead for an hour would use up the days until then.
    """
    with write(store):
        yesterday = judge_calls.begin(store, "s", NOW - timedelta(hours=13))
        first = judge_calls.begin(store, "s", NOW)
        judge_calls.begin(store, "other", NOW)
        judge_calls.begin(store, "s", NOW + timedelta(days=2))
        for number in (yesterday, first):
            judge_calls.end(store, number, input_tokens=500, output_tokens=20, outcome="answered")
    assert judge_calls.today(store, NOW) == (2, 500, 20)
    assert judge_calls.today(store, NOW + timedelta(days=1)) == (0, 0, 0)


def test_old_records_are_dropped(store: sqlite3.Connection) -> None:
    """The record does not grow for ever."""
    with write(store):
        judge_calls.begin(store, "s", NOW - timedelta(days=judge_calls.KEPT_DAYS + 1))
        judge_calls.begin(store, "s", NOW)
    assert store.execute("SELECT count(*) FROM judge_calls").fetchone() == (1,)
