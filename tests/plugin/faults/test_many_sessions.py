"""Many sessions on one store: nobody is refused, nothing is lost, nothing is doubled."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import chain
from typing import TYPE_CHECKING

import pytest
from claude_memory.store.lock import BUSY_SECONDS

from tests.support.promises import promise
from tests.support.sessions import Session, assert_sound, rows, stranger

if TYPE_CHECKING:
    from pathlib import Path

SESSIONS, STORES = 20, 100


def _store_all(session: Session, who: int) -> list[float]:
    waited = []
    for number in range(STORES):
        begun = time.monotonic()
        session.store(f"Person {who} keeps item {who * STORES + number} in drawer {number}.")
        waited.append(time.monotonic() - begun)
    return waited


@promise("store.many-sessions-at-once")
@pytest.mark.once
def test_twenty_sessions_store_at_once(tmp_path: Path) -> None:
    """All of them race to create one file, then store; each answer is true and none is an error."""
    with ExitStack() as stack:
        sessions = [stack.enter_context(Session(tmp_path / "home")) for _ in range(SESSIONS)]
        with ThreadPoolExecutor(SESSIONS) as pool:
            waits = sorted(chain(*pool.map(_store_all, sessions, range(SESSIONS))))
    print(f"waited: median {waits[len(waits) // 2]:.3f} s, p99 {waits[-len(waits) // 100]:.3f} s")
    count, uids, numbers, contents, highest, live = rows(
        tmp_path / "home",
        "SELECT count(*), count(DISTINCT uid), count(DISTINCT local_no), count(DISTINCT content), "
        "max(local_no), sum(live) FROM memories",
    )[0]
    assert (count, uids, numbers, contents, highest, live) == (SESSIONS * STORES,) * 6
    assert_sound(tmp_path / "home")


@promise("store.many-sessions-at-once")
@pytest.mark.once
def test_who_waits_while_others_take_turns_is_not_refused(tmp_path: Path) -> None:
    """On a busy machine a turn may come late; only a lock that nobody lets go of is a refusal."""
    with Session(tmp_path) as session:
        session.store("Stored first.")
        with stranger(tmp_path) as others:
            others.execute("BEGIN IMMEDIATE")
            session.peer.call("slow", "memory_store", content="Stored late.")
            for number in range(3):
                time.sleep(BUSY_SECONDS * 0.45)
                others.execute("INSERT INTO sync_state (k, v) VALUES (?, '')", (f"turn {number}",))
                others.execute("COMMIT")
                others.execute("BEGIN IMMEDIATE")
            others.execute("ROLLBACK")
            assert not session.peer.hear()["result"]["isError"]


def test_sessions_number_their_own_memories(tmp_path: Path) -> None:
    """Positions within a session have no gap, whoever else stores in between."""
    environs = [{"CLAUDE_CODE_SESSION_ID": f"session-{name}"} for name in "ab"]
    with ExitStack() as stack:
        pair = [stack.enter_context(Session(tmp_path, environ=one)) for one in environs]
        for number in range(10):
            for name, session in zip("ab", pair):
                session.store(f"Drawer {number} of cupboard {name} holds paper.")
    found = rows(tmp_path, "SELECT session, session_seq FROM memories ORDER BY 1, 2")
    assert found == [(f"session-{name}", seq) for name in "ab" for seq in range(1, 11)]


def test_same_text_from_many_sessions_is_one_memory(tmp_path: Path) -> None:
    """The same fact, stored by several sessions at the same moment, is kept once."""
    with ExitStack() as stack:
        sessions = [stack.enter_context(Session(tmp_path)) for _ in range(4)]
        with ThreadPoolExecutor(len(sessions)) as pool:
            for number in range(10):
                fact = f"The office key number {number} hangs in the kitchen."
                labels = set(pool.map(lambda one, fact=fact: one.store(fact), sessions))
                assert len(labels) == 1, labels
    assert rows(tmp_path, "SELECT count(*) FROM memories") == [(10,)]
