"""Whether requests can be served now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend import migrate
from backend.errors import Unavailable

if TYPE_CHECKING:
    from backend.db import Database


async def check(database: Database, problem: str) -> None:
    """Ask the database for a sign of life and for its schema.

    Raises:
        Unavailable: it gives none, the schema is older than this server, or `problem` says why.
    """
    if problem:
        raise Unavailable(problem)
    if not await migrate.fits(database):
        raise Unavailable("The schema of the database is not the one that this server needs.")
