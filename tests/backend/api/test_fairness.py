"""One user at full speed, and what is left for the others."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from backend.secrets.detect import Redacted, redact
from backend.services import preparing, recalling
from tests.support.api import running, stored, until

if TYPE_CHECKING:
    import psycopg

    from tests.support.api import Api

pytestmark = pytest.mark.anyio

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = %s"
HELD = "SELECT FROM accounts FOR NO KEY UPDATE"


async def test_account_that_is_busy_takes_no_more_than_half_of_the_connections(
    app_url: str, superuser: psycopg.Connection[Any]
) -> None:
    """Its writes wait for each other, and nobody else waits for them."""
    async with running(app_url, pool_size=4) as api:
        await stored(api.alice, "This is the account that is busy.")
        with superuser.transaction():
            superuser.execute(HELD)
            posts = (stored_or_not(api, number) for number in range(20))
            waiting = [asyncio.create_task(one) for one in posts]
            await until(lambda: has_waiting(superuser))
            assert (await api.bob.get("/api/memories")).status_code == 200
        assert {await one for one in waiting} <= {200, 503}
        assert (await api.alice.get("/api/memories")).status_code == 200


async def stored_or_not(api: Api, number: int) -> int:
    """Store something for one user; return the status."""
    return (await api.alice.post("/api/memories", json={"content": f"Note {number}"})).status_code


def has_waiting(superuser: psycopg.Connection[Any]) -> bool:
    """Tell whether somebody waits for a lock in this database."""
    superuser.execute("SELECT pg_stat_clear_snapshot()")  # which a transaction keeps
    row = superuser.execute(WAITING, (superuser.info.dbname,)).fetchone()
    return row is not None and row[0] > 1


async def test_batch_leaves_room_between_its_operations(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two hundred long texts take long to be searched for secrets: others have turns meanwhile."""
    turns, seen, search = 0, [], preparing.separate

    def searched(*given: Any, **named: Any) -> preparing.Safe:
        seen.append(turns)
        return search(*given, **named)

    monkeypatch.setattr(preparing, "separate", searched)
    ops = [
        {
            "op_id": str(uuid4()),
            "uid": str(uuid4()),
            "kind": "create",
            "base": 0,
            "body": {"content": f"Note {number}"},
        }
        for number in range(20)
    ]
    push = asyncio.create_task(api.alice.post("/api/memories/sync", json={"ops": ops}))
    while not push.done():
        turns += 1
        await asyncio.sleep(0)
    assert (await push).status_code == 200
    assert len(set(seen)) == len(ops)


async def test_long_question_leaves_room_while_it_is_searched_for_secrets(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 100,000 characters that takes a second or two."""
    begun, others_had_a_turn = threading.Event(), threading.Event()
    waited = []

    def searched(text: str) -> Redacted:
        begun.set()
        waited.append(others_had_a_turn.wait(5))
        return redact(text)

    monkeypatch.setattr(recalling, "redact", searched)
    asked = {"context": "Which okapi? " * 400, "expanded_query": "okapi " * 1_000}
    recall = asyncio.create_task(api.alice.post("/api/memories/recall", json=asked))
    await until(begun.is_set)
    assert (await api.bob.get("/api/memories")).status_code == 200
    others_had_a_turn.set()
    assert (await recall).status_code == 200
    assert waited == [True, True]
