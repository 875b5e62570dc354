"""A real server for the tests of hybrid mode, and a cable to it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.support.cable import Cable
from tests.support.hybrid import USERS, a_key, key_of
from tests.support.serving import Serving

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a server with its own PostgreSQL for all tests here; return its address."""
    keys = {user: key_of(user) for user in USERS}
    folder = tmp_path_factory.mktemp("server")
    serving = Serving({"MEMORY_DATA": str(folder), "API_KEYS": json.dumps(keys)})
    try:
        yield serving.address()
    finally:
        serving.stop()


@pytest.fixture
def cable(server: str) -> Iterator[Cable]:
    """Return a cable to the server."""
    parts = urlsplit(server)
    with Cable(str(parts.hostname), int(parts.port or 0)) as plugged:
        yield plugged


@pytest.fixture
def key() -> str:
    """Return the key of a user whom no other test has."""
    return a_key()
