"""The databases of the backend's tests, for what is deployed."""

from __future__ import annotations

from tests.backend.conftest import (  # noqa: F401  (fixtures)
    database_name,
    database_url,
    empty_database,
    postgres,
    superuser,
    worker,
    worker_database,
)
