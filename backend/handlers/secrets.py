"""The clear text of sensitive memories, and the sealing of what was stored in clear before."""

from __future__ import annotations

from fastapi import APIRouter

from backend.dependencies import ApiRoute, SecretDesk, WriteDesk
from backend.documents import problems
from backend.errors import KeeperDown, NoKeeper, NotFound, SecretLost
from backend.schemas import Migrated, SecretAnswer
from backend.services import resealing

router = APIRouter(prefix="/api/memories", tags=["secrets"], route_class=ApiRoute)


@router.post("/migrate-secrets", responses=problems(NoKeeper, KeeperDown))
async def migrate_secrets(desk: WriteDesk) -> Migrated:
    """Find secrets in memories and their history, and seal them."""
    return Migrated(migrated=await resealing.migrate(desk.database, desk.keeper, desk.account))


@router.post("/{memory_id}/secret", responses=problems(NotFound, NoKeeper, SecretLost, KeeperDown))
async def open_secret(desk: SecretDesk, memory_id: str) -> SecretAnswer:
    """Return the clear text of a sensitive memory; the access is recorded."""
    return await desk.open_secret(memory_id)
