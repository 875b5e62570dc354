"""The app on this worker's emptied database, as the login of a careful operator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.api import Api, running
from tests.support.postgres import LOGIN, Server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run the tests as uvicorn runs the app."""
    return "asyncio"


@pytest.fixture
def app_url(postgres: Server, database_name: str) -> str:
    """Return the URL of an emptied database for a login that may only take the app's role."""
    return postgres.url(database_name, LOGIN)


@pytest.fixture
async def api(app_url: str) -> AsyncIterator[Api]:
    """Run the app."""
    async with running(app_url) as found:
        yield found
