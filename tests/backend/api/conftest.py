"""The app on this worker's emptied database, as the login of a careful operator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.api import Api, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def api(app_url: str) -> AsyncIterator[Api]:
    """Run the app."""
    async with running(app_url) as found:
        yield found
