"""A connection that is lost while it commits: nobody is told that nothing was stored."""

from __future__ import annotations

import pytest

from tests.support.api import running
from tests.support.severed import SeveredWay

pytestmark = pytest.mark.anyio


async def test_lost_commit_is_told_as_unknown_and_can_be_repeated(app_url: str) -> None:
    """It was stored, as it happens; the same Idempotency-Key then stores nothing twice."""
    with SeveredWay(app_url) as way:
        async with running(way.url) as api:
            await api.alice.get("/api/memories")  # its account and its lease are there from now on
            body, named = {"content": "stored just once"}, {"Idempotency-Key": "one"}
            way.is_armed = True
            answer = await api.alice.post("/api/memories", json=body, headers=named)
            way.is_armed = False
            assert (answer.status_code, answer.json()["code"]) == (503, "outcome_unknown")
            assert "Nothing was stored" not in answer.text
            assert "not known" in answer.json()["fix"]
            assert way.cut == 1
            (row,) = (await api.alice.get("/api/memories")).json()["memories"]
            again = await api.alice.post("/api/memories", json=body, headers=named)
            assert (again.status_code, again.json()["uid"]) == (200, row["uid"])
            assert len((await api.alice.get("/api/memories")).json()["memories"]) == 1
