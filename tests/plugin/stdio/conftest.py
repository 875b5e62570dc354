"""One server process a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.stdio_peer import Peer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def peer() -> Iterator[Peer]:
    """Start the server with the made-up tools."""
    with Peer() as peer:
        yield peer
