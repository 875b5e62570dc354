"""Everything in and everything out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from backend.dependencies import LINES, LINES_TYPE, ApiRoute, ImportRoute, ReadDesk, WriteDesk
from backend.documents import problems
from backend.errors import Conflict, IdempotencyReused, KeeperDown, NoKeeper
from backend.handlers.memories import IdempotencyKey  # noqa: TC001  (read at run time)
from backend.schemas import Imported  # noqa: TC001  (FastAPI reads it at run time)
from backend.services import exporting, importing

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.types import Receive, Scope, Send

router = APIRouter(tags=["transfer"], route_class=ApiRoute)
imports = APIRouter(tags=["transfer"], route_class=ImportRoute)
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"type": "array", "items": {"$ref": "#/components/schemas/ImportRow"}}
            },
            LINES_TYPE: {"schema": {"type": "string"}},
        },
    }
}


@imports.post(
    "/api/memories/import",
    openapi_extra=BODY,
    response_model_exclude_defaults=True,
    responses=problems(Conflict, IdempotencyReused, NoKeeper, KeeperDown),
)
async def import_all(
    desk: WriteDesk, request: Request, idempotency_key: IdempotencyKey = ""
) -> list[Imported]:
    """Store a list of memories, or the lines of an export: all of them or none."""
    is_list = not LINES.fullmatch(request.headers.get("content-type", "").strip())
    rows = await importing.read(await request.body(), is_list=is_list)
    return await importing.store(
        desk.database, desk.keeper, desk.account, rows, idempotency_key=idempotency_key
    )


class Lines(StreamingResponse):
    """An export on its way; it lets go of its connection however the way ends."""

    media_type = LINES_TYPE

    def __init__(self, lines: AsyncGenerator[bytes]) -> None:
        """Take the lines that are to be sent."""
        super().__init__(lines)
        self._lines = lines

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send them."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._lines.aclose()


@router.get(
    "/api/export",
    response_class=Lines,
    status_code=200,
    responses={200: {"content": {LINES_TYPE: {"schema": {"type": "string"}}}}},
)
async def export(desk: ReadDesk) -> Lines:
    """Return every live memory as a line of JSON; an import of it gives the same lines again."""
    return Lines(await exporting.begin(desk.database, desk.account, by=desk.key_id))


router.include_router(imports)
