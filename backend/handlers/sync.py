"""The sync protocol: hello, the change feed, and the push of operations."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query

from backend.dependencies import ApiRoute, CurrentFeed, ReadCaller, Tell, WriteDesk
from backend.documents import problems
from backend.errors import AccountMismatch, CursorExpired, EpochChanged, Malformed, UpgradeNeeded
from backend.schemas import FeedAnswer, Hello, PushAnswer, PushBody
from backend.services import writing

router = APIRouter(tags=["sync"], route_class=ApiRoute)
REFUSED = (AccountMismatch, CursorExpired, EpochChanged, UpgradeNeeded)
DATE_FIRST = re.compile(r"\d{4}-\d\d-\d\d(?:[T ].*)?")
LOST_PLUS = re.compile(r"(T\S+) (\d\d:?\d\d)")  # a `+` that was decoded as a space


@router.get("/api/sync/hello", responses=problems(UpgradeNeeded))
async def hello(caller: ReadCaller, feed: CurrentFeed) -> Hello:
    """Tell a client what it has to know before it syncs."""
    return await feed.hello(sorted(caller.scopes))


@router.get("/api/memories/sync", responses=problems(*REFUSED))
async def pull(
    _caller: ReadCaller,
    feed: CurrentFeed,
    cursor: Annotated[str, Query(max_length=1_000)] = "",
    since: Annotated[str, Query(max_length=100)] = "",
    limit: Annotated[int, Query(ge=1, le=1_000)] = 500,
) -> FeedAnswer:
    """Return what changed after a cursor or a time; without either, all live memories."""
    if since and not cursor:
        return await feed.since(_moment(since))
    return await feed.page(cursor, limit)


@router.post("/api/memories/sync", responses=problems(*REFUSED))
async def push(desk: WriteDesk, feed: CurrentFeed, tell: Tell, body: PushBody) -> PushAnswer:
    """Apply a client's operations, each at most once; one result for each, in the same order."""
    known = feed.known()
    one = writing.Push(
        desk.database, desk.keeper, desk.account, known, tell, may_read=desk.may_read
    )
    return PushAnswer.model_construct(results=await one.apply(body.ops))


def _moment(text: str) -> datetime:
    """Read a time: ISO 8601, in UTC if it names no zone."""
    given = LOST_PLUS.sub(r"\1+\2", text.strip())
    try:
        if not DATE_FIRST.fullmatch(given):
            raise ValueError(given)
        moment = datetime.fromisoformat(given)
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        errors = [{"where": "query.since", "message": "is no time"}]
        fix = "Write it as 2026-03-14T10:00:00Z, or leave it out."
        raise Malformed("query.since: is no time", fix=fix, errors=errors) from None
