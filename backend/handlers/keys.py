"""Named keys of an account: shown once, kept hashed, revoked at once."""

from __future__ import annotations

from fastapi import APIRouter

from backend.dependencies import AdminCaller, ApiRoute, Shared
from backend.documents import problems
from backend.errors import NoKey
from backend.schemas import KeyBody, KeyRow, KeysAnswer, NewKey
from backend.services import keys

router = APIRouter(prefix="/api/keys", tags=["keys"], route_class=ApiRoute)


@router.get("")
async def list_keys(caller: AdminCaller, shared: Shared) -> KeysAnswer:
    """List the keys of the account, revoked ones too."""
    return KeysAnswer(keys=await keys.every(shared.database, caller.account))


@router.post("")
async def create(caller: AdminCaller, shared: Shared, body: KeyBody) -> NewKey:
    """Make a key; its text is in this answer and nowhere else."""
    return await keys.create(shared.database, caller.account, body, by=caller.key_id)


@router.delete("/{key_id}", responses=problems(NoKey))
async def revoke(caller: AdminCaller, shared: Shared, key_id: str) -> KeyRow:
    """Revoke a key for good; every replica refuses it within five seconds."""
    revoked = await keys.revoke(shared.database, caller.account, key_id, by=caller.key_id)
    shared.authenticator.forget()
    return revoked
