"""What a session knew before its context was shortened, it is given again, once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from claude_memory.hooks import runtime
from claude_memory.memory import stamp
from claude_memory.store import lines, sessions

from tests.support.hook_calls import added, asked, context_in
from tests.support.stores import NOW, opened, put

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> sqlite3.Connection:
    """A store whose session `s` was given one memory and stored another."""
    store = opened(tmp_path)
    put(store, "Never touch the billing schema", importance=0.9)
    put(store, "The printer is called Gutenberg", session="s")
    put(store, "Something of another session", session="t")
    assert "billing" in prompted(store, "May I change the billing schema?")
    return store


def prompted(store: sqlite3.Connection, prompt: str) -> str:
    """Send a prompt in session `s`."""
    event = {"event": "UserPromptSubmit", "session_id": "s", "prompt": prompt}
    return added(asked(event, context_in("/nowhere", store)))


def announced(store: sqlite3.Connection, session: str = "s") -> str:
    """Announce a compaction and return the order to the summariser."""
    event = {"event": "PreCompact", "session_id": session, "trigger": "auto"}
    return runtime.answer(event, context_in("/nowhere", store))


def recovered(store: sqlite3.Connection, session: str = "s", **environ: str) -> str:
    """Start after a compaction and return what is given again."""
    event = {"event": "SessionStart", "source": "compact", "session_id": session}
    return added(asked(event, context_in("/nowhere", store, environ)))


def test_summariser_is_told_what_to_keep(store: sqlite3.Connection) -> None:
    """Plain text, short, with the ids and the substance of what this session used."""
    order = announced(store)

    assert 'L1 [facts] 2026-03-01 "Never touch the billing schema"' in order
    assert 'L2 [facts] 2026-03-01 "The printer is called Gutenberg"' in order
    assert "another session" not in order
    assert "not stored as a memory yet" in order
    assert not order.startswith(("{", "["))


def test_order_stays_short(store: sqlite3.Connection) -> None:
    """The client shows it to the user and to the model once more."""
    for number in range(50):
        put(store, f"note {number} " + "x" * 2_000, session="s")

    assert len(announced(store)) < 3_000


def test_session_without_memories_keeps_its_decisions(store: sqlite3.Connection) -> None:
    """What was said and not stored must survive the summary as well."""
    order = announced(store, "new")
    assert "decision" in order
    assert len(order.splitlines()) == 1


def test_memories_are_given_again_the_most_important_first(store: sqlite3.Connection) -> None:
    """Both what was given and what was stored is back, and nothing of another session."""
    announced(store)

    assert recovered(store).splitlines() == [
        lines.HEADER,
        'L1 [facts] 2026-03-01 "Never touch the billing schema"',
        'L2 [facts] 2026-03-01 "The printer is called Gutenberg"',
    ]


def test_memories_are_given_again_once_for_each_compaction(store: sqlite3.Connection) -> None:
    """A repeated start gives nothing; the next compaction gives all of it again."""
    announced(store)
    first = recovered(store)
    assert recovered(store) == ""

    announced(store)
    assert recovered(store) == first != ""


def test_compaction_that_nobody_announced_is_survived(store: sqlite3.Connection) -> None:
    """When PreCompact was lost, the start after it makes up for it."""
    assert "billing" in recovered(store)
    assert recovered(store) == ""


def test_prompt_after_compaction_is_not_given_the_same_again(store: sqlite3.Connection) -> None:
    """Both texts land in one request."""
    announced(store)
    recovered(store)

    assert prompted(store, "Why is the billing schema off limits?") == ""


def test_prompt_after_a_compaction_is_given_memories_anew(store: sqlite3.Connection) -> None:
    """A client that never starts after a compaction does not lose them."""
    announced(store)

    assert "billing" in prompted(store, "Why is the billing schema off limits?")


def test_memories_that_no_longer_hold_are_not_given_again(store: sqlite3.Connection) -> None:
    """A correction made in between counts."""
    billing = store.execute("SELECT uid FROM memories WHERE local_no = 1").fetchone()[0]
    put(store, "The billing schema is free", supersedes=billing, session="s")
    put(store, "Only until noon", session="s", expires_at=stamp(NOW - timedelta(hours=1)))
    store.execute("UPDATE memories SET live = 0 WHERE local_no = 2")
    announced(store)

    assert recovered(store).splitlines()[1:] == [
        'L4 [facts] 2026-03-01 "The billing schema is free"'
    ]


@pytest.mark.parametrize("budget", [0, 40, 100, 2400])
def test_recovery_keeps_to_the_budget(store: sqlite3.Connection, budget: int) -> None:
    """Many memories of a long session do not fill the fresh context."""
    for number in range(80):
        put(store, f"note {number} " + "x" * (number * 13 % 700), session="s")
    announced(store)

    text = recovered(store, MEMORY_RECALL_BUDGET=str(budget))
    assert len(text) <= min(budget * 4, 9_500)
    assert (text == "") == (budget == 0)


def test_without_a_store_or_a_session_nothing_is_said(store: sqlite3.Connection) -> None:
    """There is nothing to keep."""
    assert announced(store, "") == "{}"
    event = {"event": "PreCompact", "session_id": "s"}
    assert runtime.answer(event, context_in("/nowhere")) == "{}"
    assert recovered(store, "unknown") == ""


def test_end_is_marked_and_old_rows_go(store: sqlite3.Connection) -> None:
    """A closed session is closed in the store, and what is too old is forgotten."""
    later = NOW + timedelta(days=60)
    event = {"event": "SessionEnd", "session_id": "s", "reason": "other"}

    assert asked(event, context_in("/nowhere", store, now=later)) == {}
    ended = store.execute("SELECT ended_at FROM sessions WHERE id = 's'").fetchone()
    assert ended == (stamp(later),)
    assert sessions.tokens_injected_since(store, "") == 0


def test_store_that_is_left_here_is_not_read_in_http_only_mode(store: sqlite3.Connection) -> None:
    """Its memories are not those that the tools of the session find."""
    assert recovered(store, MEMORY_API_KEY="k", MEMORY_SYNC_DISABLE="1") == ""
    assert "billing" in recovered(store)
