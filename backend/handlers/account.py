"""The account as a whole."""

from __future__ import annotations

from fastapi import APIRouter

from backend.dependencies import AdminCaller, ApiRoute, Shared
from backend.schemas import Receipt  # noqa: TC001  (FastAPI reads it at run time)
from backend.services import erasing

router = APIRouter(prefix="/api/account", tags=["account"], route_class=ApiRoute)


@router.delete("")
async def erase(caller: AdminCaller, shared: Shared) -> Receipt:
    """Erase everything that the account has, its named keys too; the audit keeps that it was."""
    receipt = await erasing.erase(shared.database, caller.account, by=caller.key_id)
    shared.authenticator.forget()
    return receipt
