"""Proposals wait for a person, numbered as the memories they may become."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from claude_memory.store import proposals
from claude_memory.store.connection import write

from tests.support.stores import NOW, opened, put

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """An empty store."""
    with closing(opened(tmp_path)) as connection:
        yield connection


def propose(store: sqlite3.Connection, content: str, **fields: Any) -> int:
    """Keep one proposal."""
    with write(store):
        return proposals.add(store, {"content": content, **fields}, "a reason", NOW)


def test_proposal_keeps_what_it_would_store(store: sqlite3.Connection) -> None:
    """Its fields and the reason come back as they were given."""
    number = propose(store, "Grüße “quoted”", importance=0.7, session="s")
    found = proposals.get(store, number)
    assert found is not None
    assert found.fields == {"content": "Grüße “quoted”", "importance": 0.7, "session": "s"}
    assert found.reason == "a reason"
    assert proposals.get(store, number + 1) is None


def test_proposals_and_memories_share_one_counter(store: sqlite3.Connection) -> None:
    """L2 is either a memory or a proposal, never both."""
    assert put(store, "first").local_no == 1
    assert propose(store, "second") == 2
    assert put(store, "third").local_no == 3


def test_same_text_is_proposed_once(store: sqlite3.Connection) -> None:
    """Asking twice gives the number of the proposal that already waits."""
    number = propose(store, "Use tabs.")
    assert propose(store, "Use   tabs") == number
    assert proposals.count(store) == 1


def test_newest_proposals_are_listed_first(store: sqlite3.Connection) -> None:
    """A person sees the latest, and no more than asked for."""
    for content in ("one", "two", "three"):
        propose(store, content)
    assert [one.fields["content"] for one in proposals.listed(store, 2)] == ["three", "two"]


def test_removed_proposal_is_gone_and_its_number_stays_used(store: sqlite3.Connection) -> None:
    """A rejected L1 can never name another memory later."""
    number = propose(store, "one")
    with write(store):
        proposals.remove(store, number)
    assert proposals.count(store) == 0
    assert propose(store, "two") == 2


def test_oldest_proposal_makes_room(store: sqlite3.Connection) -> None:
    """Proposals that nobody reviews do not grow without end."""
    for number in range(proposals.LIMIT + 2):
        propose(store, f"proposal {number}")
    assert proposals.count(store) == proposals.LIMIT
    assert proposals.get(store, 2) is None
    assert proposals.get(store, 3) is not None
