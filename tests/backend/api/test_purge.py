"""What a purge leaves on the server: nothing of its memory, and all of any other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from tests.support.promises import promise
from tests.support.pushing import created, op, push
from tests.support.replica import FEED

if TYPE_CHECKING:
    import psycopg

    from tests.support.api import Api

pytestmark = pytest.mark.anyio


@promise("sync.a-purge-goes-everywhere")
async def test_purge_behind_an_edit_of_the_same_request_leaves_nothing(api: Api) -> None:
    """What the edit kept goes with the rest."""
    row = await created(api.alice, "the earlier text")
    edit = op("update", row["uid"], row["version"], content="the later text")
    await push(api.alice, edit, op("delete", row["uid"], purge=True))
    assert (await api.alice.get(f"/api/memories/{row['id']}/history")).json()["versions"] == []


@promise("sync.a-purge-goes-everywhere")
async def test_purge_leaves_the_past_of_a_live_memory_alone(api: Api) -> None:
    """Whose delete never came: nobody purged it, whatever says to have come back from it."""
    row = await created(api.alice, "the earlier text")
    await push(api.alice, op("update", row["uid"], row["version"], content="the later text"))
    heir = op("create", str(uuid4()), 0, content="the later text", restores={"uid": row["uid"]})
    await push(api.alice, heir, op("delete", heir["uid"], purge=True))
    kept = (await api.alice.get(f"/api/memories/{row['id']}/history")).json()["versions"]
    assert [one["fields"]["content"] for one in kept] == ["the earlier text"]


@promise("sync.a-purge-goes-everywhere")
async def test_memory_is_purged_although_nothing_is_left_of_the_one_it_was(
    api: Api, superuser: psycopg.Connection[Any]
) -> None:
    """An operator may have purged the tombstone of the deleted memory that it came back from."""
    row = await created(api.alice)
    await push(api.alice, op("delete", row["uid"]))
    back = (await api.alice.post(f"/api/memories/{row['id']}/restore")).json()
    superuser.execute("DELETE FROM memories WHERE uid = %s", (row["uid"],))
    place = f"/api/memories/{back['id']}"
    assert (await api.alice.delete(place, params={"purge": "now"})).status_code == 200
    assert (await api.alice.get(f"{place}/history")).json()["versions"] == []


@promise("sync.a-purge-goes-everywhere")
async def test_memory_that_came_back_a_thousand_times_is_purged(
    api: Api, superuser: psycopg.Connection[Any]
) -> None:
    """However long its past is."""
    uids = [str(uuid4()) for _ in range(1_100)]
    for begin in range(0, len(uids), 100):
        some = uids[begin : begin + 100]
        made = [op("create", uid, 0, content="text") for uid in some]
        await push(api.alice, *made, *(op("delete", uid) for uid in some))
    superuser.execute(
        "UPDATE memories m SET restored_from = (SELECT b.uid FROM memories b WHERE b.no = m.no - 1)"
    )
    (result,) = await push(api.alice, op("delete", uids[-1], purge=True))
    assert result["status"] == "applied"
    feed = (await api.alice.get(FEED, params={"since": "2000-01-01T00:00:00Z"})).json()
    assert {row["purged"] for row in feed["memories"]} == {True}
    assert len(feed["memories"]) == len(uids)
