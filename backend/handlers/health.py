"""How the server is: alive, started, ready. Nobody needs a key to ask."""

from __future__ import annotations

from fastapi import APIRouter

from backend.dependencies import Shared  # noqa: TC001  (FastAPI reads it at run time)
from backend.documents import problems
from backend.errors import Unavailable
from backend.schemas import Health
from backend.services import health
from backend.version import VERSION

router = APIRouter(tags=["health"])


@router.get("/livez")
async def tell_alive() -> Health:
    """Say that the process answers; the database is not asked."""
    return Health(status="ok", version=VERSION)


@router.get("/startupz", responses=problems(Unavailable))
async def tell_started(shared: Shared) -> Health:
    """Say whether the server has got ready once."""
    if shared.problem:
        raise Unavailable(shared.problem)
    return Health(status="ok", version=VERSION)


@router.get("/readyz", responses=problems(Unavailable))
@router.get("/health", responses=problems(Unavailable))
async def tell_ready(shared: Shared) -> Health:
    """Say whether the database answers and its schema fits."""
    await health.check(shared.database, shared.problem)
    return Health(status="ok", version=VERSION)
