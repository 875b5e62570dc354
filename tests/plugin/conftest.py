"""What holds for every test of the plugin: its stores are closed when it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import stores

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _close_stores() -> Iterator[None]:
    """Close the stores that a test has opened."""
    yield
    stores.close_all()
