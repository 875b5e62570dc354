"""A real PostgreSQL for every test of the backend: a database a worker, emptied for each test."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.postgres import LOGIN, Server

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

numbers = itertools.count(1)


@pytest.fixture(scope="session")
def worker(request: pytest.FixtureRequest) -> str:
    """Return what tells this worker of a parallel run from the others."""
    found: str = getattr(request.config, "workerinput", {}).get("workerid", "main")
    return found


@pytest.fixture(scope="session")
def postgres(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, worker: str
) -> Iterator[Server]:
    """Start the server of this run, or join the one that another worker started."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker == "main" else base.parent) / "postgres"
    with Server(folder, plans=request.config.getoption("--partitioned") or "") as server:
        yield server


@pytest.fixture(scope="session")
def worker_database(postgres: Server, worker: str) -> Iterator[str]:
    """Make this worker's database, with the schema in it."""
    name = f"worker_{worker}"
    postgres.create(name)
    yield name
    postgres.drop(name)


@pytest.fixture
def database_name(postgres: Server, worker_database: str) -> str:
    """Return the name of a database whose tables are empty."""
    postgres.clear(worker_database)
    return worker_database


@pytest.fixture
def database_url(postgres: Server, database_name: str) -> str:
    """Return the URL of a database whose tables are empty, for the owner of the schema."""
    return postgres.url(database_name)


@pytest.fixture
def app_url(postgres: Server, database_name: str) -> str:
    """Return the URL of an emptied database for a login that may only take the app's role."""
    return postgres.url(database_name, LOGIN)


@pytest.fixture
def superuser(postgres: Server, database_name: str) -> Iterator[psycopg.Connection[Any]]:
    """Look at the emptied database as one whom no policy binds; each statement commits."""
    with postgres.superuser(database_name) as connection:
        yield connection


@pytest.fixture
def empty_database(postgres: Server, worker: str) -> Iterator[str]:
    """Make a database without any schema, which is gone after the test; return its name."""
    name = f"empty_{worker}_{next(numbers)}"
    postgres.create(name, "template0")
    yield name
    postgres.drop(name)
