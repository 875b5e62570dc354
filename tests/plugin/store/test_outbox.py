"""What waits to be sent: changes are folded together as long as none of them was sent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from claude_memory.memory import stamp
from claude_memory.store import memories, outbox, restored, state

from tests.support.promises import promise
from tests.support.stores import NOW, opened, put

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path


@pytest.fixture
def bound(tmp_path: Path) -> sqlite3.Connection:
    """An empty store that belongs to an account."""
    connection = opened(tmp_path)
    state.put(connection, "account_id", "an account")
    return connection


def queued(connection: sqlite3.Connection) -> list[tuple[str, object]]:
    """Return kind and text of what waits."""
    rows = connection.execute("SELECT kind, body FROM pending_ops ORDER BY seq").fetchall()
    return [(kind, json.loads(body).get("content")) for kind, body in rows]


def mark_all(connection: sqlite3.Connection) -> None:
    """Note that all of it is about to be sent."""
    outbox.mark(connection, outbox.due(connection, NOW, 100))


@promise("sync.deletes-are-final")
def test_store_and_delete_that_were_not_sent_cancel_out(bound: sqlite3.Connection) -> None:
    """The server never hears of the memory."""
    memory = put(bound, "Gone before anybody knew.")
    memories.change(bound, memory._replace(content="Edited meanwhile."))
    memories.bury(bound, memory.uid, stamp(NOW))
    assert queued(bound) == []


def test_store_and_purge_that_were_not_sent_cancel_out(bound: sqlite3.Connection) -> None:
    """Not even the uid of the memory leaves the machine; once it was sent, the purge has to."""
    memory = put(bound, "Purged before anybody knew.")
    memories.bury(bound, memory.uid, stamp(NOW), forever=True)
    assert queued(bound) == []
    memory = put(bound, "Perhaps there already.")
    mark_all(bound)
    memories.bury(bound, memory.uid, stamp(NOW), forever=True)
    assert queued(bound) == [("delete", None)]


def test_edits_that_were_not_sent_are_one(bound: sqlite3.Connection) -> None:
    """They join the store, which then has the last text."""
    memory = put(bound, "First words.")
    memories.change(bound, memory._replace(content="Last words."))
    assert queued(bound) == [("create", "Last words.")]


@promise("sync.lost-answers-double-nothing")
def test_what_was_sent_once_is_never_changed(bound: sqlite3.Connection) -> None:
    """It may have been applied: what comes later waits behind it as a change of its own."""
    memory = put(bound, "Sent, and not answered.")
    mark_all(bound)
    sent = outbox.newest(bound, memory.uid)
    memories.change(bound, memory._replace(content="Edited meanwhile."))
    memories.bury(bound, memory.uid, stamp(NOW))
    assert outbox.oldest(bound, memory.uid) == sent
    kinds = [kind for kind, _ in queued(bound)]
    assert (kinds[0], kinds[-1]) == ("create", "delete")
    assert len(outbox.due(bound, NOW, 100)) == 1


@promise("sync.nothing-is-lost")
def test_refusal_of_what_was_sent_anew_keeps_both_texts(bound: sqlite3.Connection) -> None:
    """Before the refusal was heard, another session had begun the restored server's new life."""
    memory = put(bound, "What the server lost.")
    mark_all(bound)
    outbox.remove(bound, outbox.due(bound, NOW, 1)[0].op_id)
    srv = {**outbox.body_of(memory, outbox.MADE), "uid": memory.uid, "version": 7}
    bound.execute("UPDATE memories SET sv = 7, srv = ?", (json.dumps(srv),))
    memories.change(bound, memory._replace(content="What its author made of it."))
    mark_all(bound)
    in_hand = outbox.due(bound, NOW, 1)[0]
    restored.begin_new_life(bound, "another epoch", 3, NOW)
    outbox.reject(bound, in_hand, "too_large")
    kinds = [kind for kind, _ in queued(bound)]
    assert kinds == ["replay", "update"]
    replay = outbox.due(bound, NOW, 1)[0]
    assert replay.body["fields"]["content"] == "What the server lost."
