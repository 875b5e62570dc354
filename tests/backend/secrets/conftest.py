"""What the tests of keepers share."""

from __future__ import annotations

import pytest


@pytest.fixture
def anyio_backend() -> str:
    """Run asynchronous tests on the loop that the server uses."""
    return "asyncio"
