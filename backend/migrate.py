"""Brings the schema up to date, one migrator at a time, and tells whether it fits this server."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from backend.db import connect_directly
from backend.demands import refuse_encoding
from backend.errors import ConfigurationError

if TYPE_CHECKING:
    from backend.db import Database
    from backend.settings import Settings

NEEDED = "0008"  # the oldest schema that this server can work with: four digits, as they are named
LOCK = 4_831_604_127_716_309  # any number that nobody else is likely to lock
LOCK_PATIENCE = 900.0  # seconds to wait for another migrator
PAUSE = 0.2
ROOT = Path(__file__).resolve().parent.parent
VERSION = re.compile(r"[0-9]{4}")
PRESENT = "SELECT max(version_num) FROM alembic_version"
GRANT = "GRANT memory_app TO {login}"
# Since PostgreSQL 16 who makes a role is a member that may give it on, but not take it.
MAY_TAKE = """SELECT pg_has_role({login}, 'memory_app', CASE
    WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END)"""
FOREIGN = (
    "The table alembic_version in this schema is that of another program. Give the server a "
    "database of its own, or a schema: the first that is named in the login's search_path."
)
# What an operator limits for requests would break off a long migration, each time anew.
WITHOUT_LIMITS = """SELECT set_config(name, '0', false) FROM pg_settings WHERE name IN
    ('statement_timeout', 'transaction_timeout', 'idle_in_transaction_session_timeout')"""
# As the files of the migrations are written, and as whoever owns the tables sees them.
AS_WRITTEN = """SELECT set_config('standard_conforming_strings', 'on', false),
    set_config('row_security', 'on', false)"""
POOLED = (
    "The way to the database leads through a pooler that lends connections by the transaction, "
    "which would keep the lock of a migration. Set MEMORY_MIGRATION_URL to the database itself."
)
LOCKED = "Somebody has held a table for too long; nothing was changed. Migrate again."


def upgrade(settings: Settings) -> None:
    """Apply every migration that is missing; others that try at the same time wait.

    A schema of a later version stays as it is: it fits, and whoever goes back migrates first too.

    Raises:
        ConfigurationError: the database cannot be reached, or the login may not do it.
    """
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError
    from sqlalchemy.exc import DBAPIError

    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations").replace("%", "%%"))
    config.attributes["url"] = settings.migration_url
    config.attributes["login"] = conninfo_to_dict(settings.database_url).get("user")
    try:
        command.upgrade(config, "head")
    except (psycopg.Error, DBAPIError) as error:
        cause = getattr(error, "orig", error)  # what SQLAlchemy wraps is psycopg's own
        raise _told(cause) from cause
    except CommandError as error:  # a revision that none of our files has
        raise ConfigurationError(FOREIGN) from error


async def fits(database: Database) -> bool:
    """Tell whether the schema has all that this server needs; a newer one does too.

    Raises:
        Unavailable: the database does not answer.
    """
    try:
        async with database.transaction(None, seconds=2) as connection:
            row = await (await connection.execute(PRESENT)).fetchone()
    except (psycopg.ProgrammingError, psycopg.DataError):  # no table, no right to read it, no role
        return False
    return bool(row and row[0] and row[0] >= NEEDED)


def refuse_pooler(connection: psycopg.Connection[Any], url: str) -> None:
    """Let pass a way to the database where what a session holds is given to nobody else.

    Raises:
        ConfigurationError: a pooler lends its sessions to one transaction after the other.
    """
    first = _session_of(connection)
    connection.commit()
    if first == connection.info.backend_pid:  # no pooler, which would have given another number
        return
    again = _session_of(connection)  # another one by now, where a pooler lends them in turns
    connection.commit()
    with connect_directly(url) as other:
        between = _session_of(other)  # in a transaction that goes on
        if between == first or {again, _session_of(connection)} != {first}:
            raise ConfigurationError(POOLED)
    connection.commit()


def get_ready(connection: psycopg.Connection[Any]) -> None:
    """Refuse a database that cannot hold every text; set our session as migrations need it.

    Raises:
        ConfigurationError: the database has another encoding.
    """
    refuse_encoding(connection)
    connection.execute(WITHOUT_LIMITS)
    connection.execute(AS_WRITTEN)
    connection.commit()


def hold_the_lock(connection: psycopg.Connection[Any]) -> None:
    """Take the lock of the migrators and keep it until the connection ends, also by a kill.

    Raises:
        ConfigurationError: another migrator holds it for too long.
    """
    deadline = time.monotonic() + LOCK_PATIENCE
    while True:
        row = connection.execute("SELECT pg_try_advisory_lock(%s)", (LOCK,)).fetchone()
        connection.commit()  # waiting must not hold back the cleaning of the whole database
        if row and row[0]:
            return
        if time.monotonic() > deadline:
            raise ConfigurationError(
                "Another migrator has held its lock for 15 minutes. See pg_stat_activity for it."
            )
        time.sleep(PAUSE)


def is_ahead(connection: psycopg.Connection[Any], head: str | None) -> bool:
    """Tell whether the schema is that of a later version, whose migrations are not known here."""
    try:
        row = connection.execute(PRESENT).fetchone()
    except psycopg.ProgrammingError:  # no table yet, or no right to read it
        return False
    finally:
        connection.rollback()
    present = str(row[0] or "") if row else ""
    return bool(head and VERSION.fullmatch(present) and present > head)


def let_serve(connection: psycopg.Connection[Any], login: str) -> None:
    """Let the login that serves take the role, where another one migrates.

    Raises:
        ConfigurationError: the login that migrates may not grant it.
    """
    may_take = f"{MAY_TAKE.format(login='rolname')} FROM pg_roles WHERE rolname = %s"
    row = connection.execute(may_take, (login,)).fetchone()
    if row is None or row[0]:
        return
    grant = psycopg.sql.SQL(GRANT).format(login=psycopg.sql.Identifier(login))
    try:
        connection.execute(grant)
    except psycopg.errors.InsufficientPrivilege as error:
        raise ConfigurationError(
            f"The login {login} must be allowed to take the role memory_app. Let an operator "
            f"run: {grant.as_string(connection)};"
        ) from error
    connection.commit()


def _session_of(connection: psycopg.Connection[Any]) -> int:
    row = connection.execute("SELECT pg_backend_pid()").fetchone()
    return int(row[0]) if row else 0


def _told(error: BaseException) -> ConfigurationError:
    if isinstance(error, psycopg.errors.LockNotAvailable):
        return ConfigurationError(LOCKED)
    first = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
    return ConfigurationError(
        f"The database cannot be migrated: {first}. Check MEMORY_MIGRATION_URL or "
        "DATABASE_URL, that the database runs, and that this login may use and create in the "
        "schema."
    )
