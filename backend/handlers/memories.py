"""Single memories, the list of them, and recall."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query, Response

from backend.dependencies import ApiRoute, ReadDesk, WriteDesk
from backend.documents import problems
from backend.errors import (
    Conflict,
    IdempotencyReused,
    KeeperDown,
    NoKeeper,
    NotFound,
    StaleVersion,
)
from backend.fields import INT64, Category, Name, SearchScope, Tag
from backend.schemas import (
    Deleted,
    HistoryAnswer,
    ListAnswer,
    MemoryRow,
    PatchBody,
    RecallAnswer,
    RecallBody,
    RestoredAlone,
    RestoredRow,
    StoreBody,
    Stored,
    Written,
)
from backend.services import listing
from backend.services.single import written

router = APIRouter(prefix="/api/memories", tags=["memories"], route_class=ApiRoute)
IfMatch = Annotated[
    str, Header(pattern=r'^(\*|(W/)?"[0-9]{1,19}"|[0-9]{1,19})$', description='Such as "12"')
]
IdempotencyKey = Annotated[
    str, Header(max_length=200, description="Requests with the same key are done once")
]
KEEPING = (NoKeeper, KeeperDown)
CHANGING = problems(NotFound, StaleVersion, IdempotencyReused, *KEEPING)


@router.post("", responses=problems(NotFound, Conflict, IdempotencyReused, *KEEPING))
async def store(desk: WriteDesk, body: StoreBody, idempotency_key: IdempotencyKey = "") -> Stored:
    """Store a memory; what is secret in it goes to the keeper."""
    return await desk.store(body, idempotency_key)


@router.post("/recall")
async def recall(desk: ReadDesk, body: RecallBody) -> RecallAnswer:
    """Find the memories that fit a context, best first."""
    return await desk.recall(body)


@router.get("")
async def list_newest(
    desk: ReadDesk,
    *,
    category: Category | None = None,
    tag: Tag | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: Annotated[str, Query(max_length=500)] = "",
    scope: SearchScope = "all",
    project: Name = "",
) -> ListAnswer:
    """List live memories, newest first; `next` is the cursor of the next page."""
    wanted = listing.Wanted(
        category=category, tag=tag, limit=limit, cursor=cursor, scope=scope, project=project
    )
    return await listing.page(desk.database, desk.account, wanted)


@router.get("/{memory_id}", responses=problems(NotFound))
async def get(desk: ReadDesk, memory_id: str, response: Response) -> MemoryRow:
    """Return one memory; its version is the ETag."""
    return _tagged(await desk.get(memory_id), response)


@router.put("/{memory_id}", responses=CHANGING)
@router.patch("/{memory_id}", responses=CHANGING)
async def change(
    desk: WriteDesk,
    memory_id: str,
    body: PatchBody,
    response: Response,
    *,
    if_match: IfMatch = "*",
    idempotency_key: IdempotencyKey = "",
) -> MemoryRow | Written:
    """Change the given fields; the earlier text stays in the history."""
    row = await desk.change(memory_id, body, _version(if_match), idempotency_key)
    return _shown(desk, row, response)


@router.delete("/{memory_id}", responses=problems(NotFound))
async def delete(desk: WriteDesk, memory_id: str, purge: Literal["now", ""] = "") -> Deleted:
    """Delete a memory; a repetition is no error, and `purge=now` leaves no history."""
    return await desk.delete(memory_id, forever=purge == "now")


@router.get("/{memory_id}/history", responses=problems(NotFound))
async def history(desk: ReadDesk, memory_id: str) -> HistoryAnswer:
    """Return the 200 newest of a memory's earlier texts and of those that lost a conflict."""
    return HistoryAnswer(versions=await desk.history(memory_id))


@router.post("/{memory_id}/restore", responses=problems(NotFound, StaleVersion, IdempotencyReused))
async def restore(
    desk: WriteDesk,
    memory_id: str,
    response: Response,
    *,
    if_match: IfMatch = "*",
    idempotency_key: IdempotencyKey = "",
) -> RestoredRow | RestoredAlone:
    """Undo the last edit that is not undone yet, or a delete: then the memory has a new uid.

    When nothing is earlier, the latest state comes back, and all can be undone again.
    """
    row = await desk.restore(memory_id, _version(if_match), idempotency_key)
    _tagged(row, response)
    if desk.may_read:
        return row
    return RestoredAlone(**vars(written(row)), restored=row.restored)


def _shown(desk: WriteDesk, row: MemoryRow, response: Response) -> MemoryRow | Written:
    """Answer a change; a key that may only write learns nothing of what was there."""
    return _tagged(row, response) if desk.may_read else written(_tagged(row, response))


def _tagged(row: MemoryRow, response: Response) -> MemoryRow:
    response.headers["ETag"] = f'"{row.version}"'
    return row


def _version(if_match: str) -> int | None:
    """Return the version that is named; none is so high that the database could not hold it."""
    return None if if_match == "*" else min(int(if_match.removeprefix("W/").strip('"')), INT64)
