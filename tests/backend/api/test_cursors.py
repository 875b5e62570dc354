"""Cursors of the feed that no server gave out, or another one did: they grant and break nothing."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from tests.support.pushing import created, op, push
from tests.support.replica import FEED, Replica

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.api import Api

pytestmark = pytest.mark.anyio


async def test_cursor_that_nobody_was_given_proves_nothing(api: Api) -> None:
    """Who makes up a place ahead of the server begins no epoch for everybody: it is expired."""
    await created(api.alice)
    replica = Replica(api.alice)
    await replica.catch_up()
    hello = (await api.alice.get("/api/sync/hello")).json()
    parts = _parts(replica.cursor)
    made_up = _word(parts[:39] + b"\x01" + parts[40:])  # a version 256 further on
    answer = await api.alice.get(FEED, params={"cursor": made_up})
    assert (answer.status_code, answer.json()["code"]) == (410, "cursor_expired")
    one = op("create", str(uuid4()), 0, content="pushed with it")
    results = await push(api.alice, one, **{"X-Memory-Cursor": made_up})
    assert [one["status"] for one in results] == ["applied"]
    assert (await api.alice.get("/api/sync/hello")).json()["epoch"] == hello["epoch"]


@pytest.mark.parametrize(
    "change",
    [
        lambda parts: parts[:-1],
        lambda parts: parts + b"x",
        lambda parts: parts[:20],
        lambda parts: b"\x09" + parts[1:],
        lambda parts: parts[:17] + b"\x01" * 16 + b"\xff" * 8 + parts[41:],
        lambda parts: json.dumps(
            [2, parts[1:17].hex(), parts[17:33].hex(), 1, 0, "0" * 32]
        ).encode(),
    ],
    ids=["short", "long", "cut off", "of a later form", "beyond all versions", "of a former form"],
)
async def test_cursor_of_another_form_leads_to_a_full_dump(
    api: Api, change: Callable[[bytes], bytes]
) -> None:
    """Whichever server made it, or none: its client begins anew."""
    await created(api.alice)
    replica = Replica(api.alice)
    await replica.catch_up()
    answer = await api.alice.get(FEED, params={"cursor": _word(change(_parts(replica.cursor)))})
    assert (answer.status_code, answer.json()["code"]) == (410, "cursor_expired")


def _parts(cursor: str) -> bytes:
    return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))


def _word(parts: bytes) -> str:
    return base64.urlsafe_b64encode(parts).decode().rstrip("=")
