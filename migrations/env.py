"""Runs Alembic's commands on a direct connection and under the lock that all migrators share."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, cast

from alembic import context
from alembic.util import CommandError
from sqlalchemy import create_engine, pool
from sqlmodel import SQLModel

from backend import models  # noqa: F401  (fills the metadata that is compared with)
from backend.db import connect_directly
from backend.migrate import get_ready, hold_the_lock, is_ahead, let_serve, refuse_pooler
from backend.settings import Settings

if TYPE_CHECKING:
    import psycopg
    from sqlalchemy import Connection


def run() -> None:
    """Upgrade, or compare, over one connection."""
    if context.is_offline_mode():
        raise CommandError("Migrations look at the database as they run: there is no offline mode.")
    url = context.config.attributes.get("url") or Settings.from_env(os.environ).migration_url
    if not url:
        raise CommandError("Set DATABASE_URL, or MEMORY_MIGRATION_URL, to the database to migrate.")
    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: connect_directly(url), poolclass=pool.NullPool
    )
    with engine.connect() as connection:
        direct = cast("psycopg.Connection[Any]", connection.connection.driver_connection)
        refuse_pooler(direct, url)
        get_ready(direct)
        hold_the_lock(direct)
        if not is_ahead(direct, context.script.get_current_head()):
            _run_on(connection)
        if login := context.config.attributes.get("login"):
            let_serve(direct, login)
    engine.dispose()


def _run_on(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        transaction_per_migration=True,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()


run()
