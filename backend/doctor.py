"""Checks all that serving needs and changes none of it; what is wrong comes with its fix."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

import psycopg
from anyio import to_thread

from backend import folders, migrate, programs
from backend.commands import opened
from backend.db import Database, connect_directly, refusal
from backend.errors import ApiError, ConfigurationError
from backend.repositories import accounts
from backend.secrets.choice import choose
from backend.services import resealing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from backend.secrets.aes import Keep
    from backend.secrets.keeper import Keeper
    from backend.settings import Settings

    Check = Callable[[Database], Awaitable[None]]


def doctor(settings: Settings, out: Callable[[str], None]) -> bool:
    """Check everything that serving needs, without changing any of it; return if all is well."""
    if not settings.database_url:
        return _doctor_of_embedded(settings, out)
    return asyncio.run(_diagnose(settings, out))


def _doctor_of_embedded(settings: Settings, out: Callable[[str], None]) -> bool:
    try:
        out(f"ok      PostgreSQL's programs: {programs.find_binaries(settings.pg_bin)}")
    except ConfigurationError as error:
        out(f"WRONG   {error}")
        return False
    folder = folders.default_folder(settings.data)
    if problem := folders.problem_of(folder):
        out(f"WRONG   {problem}")
        return False
    state = "is there" if folder.exists() else "will be made by `python -m backend serve`"
    out(f"ok      the private database in {folder} {state}")
    return True


def _looking(database: Database) -> Keep:
    """Return what gives keepers their settings as they would be, and stores nothing."""

    async def look(name: str, value: bytes) -> bytes:
        async with database.transaction(None) as connection:
            found = await accounts.keep(connection, name, value)
            await connection.rollback()
        return found

    return look


def _keeper(settings: Settings, database: Database) -> Keeper | None:
    """Return the keeper that would serve; nothing where it would be made by the first start."""
    keeper = choose(settings, _looking(database), may_make=False)
    if keeper is None and not settings.key_file:
        raise ConfigurationError(
            "No keeper: memories with secrets are refused. Set MEMORY_ENCRYPTION_KEY, "
            "VAULT_ADDR or MEMORY_KMS_KEY_ID."
        )
    return keeper


async def _ask_keeper(settings: Settings, database: Database) -> None:
    keeper = _keeper(settings, database)
    if keeper and (problem := await keeper.check()):
        raise ConfigurationError(problem)


async def _open_secrets(settings: Settings, database: Database) -> None:
    if keeper := _keeper(settings, database):
        await resealing.check(database, keeper)


async def _check_schema(database: Database) -> None:
    if not await migrate.fits(database):
        raise ConfigurationError(
            "It is missing or old, or may not be read. Run `python -m backend migrate`."
        )


async def _check_writes(database: Database) -> None:
    async with database.transaction(None) as connection:
        row = await (await connection.execute("SHOW transaction_read_only")).fetchone()
    if row != ("off",):
        raise ConfigurationError("It is a replica, or was made read-only. See DATABASE_URL.")


async def _check_answers(settings: Settings, _: Database) -> None:
    """Ask over a connection of our own: it says what the pool does not."""
    error = await to_thread.run_sync(refusal, settings.database_url)
    if error is not None:
        raise ConfigurationError(str(error) or type(error).__name__)


async def _check_way(settings: Settings, _: Database) -> None:
    def look(url: str) -> None:
        with connect_directly(url) as connection:
            migrate.refuse_pooler(connection, url)

    await to_thread.run_sync(look, settings.migration_url)


def _checks(settings: Settings) -> dict[str, Check]:
    """Return what is looked at; the way of migrations where they are made with these settings."""
    way: dict[str, Check] = {"a migration has a session of its own": partial(_check_way, settings)}
    migrates = settings.migrate == "auto" or settings.migration_url != settings.database_url
    return (way if migrates else {}) | {
        "the schema fits": _check_schema,
        "row-level security holds": Database.guard,
        "the database takes writes": _check_writes,
        "the keeper of secrets answers": partial(_ask_keeper, settings),
        "stored secrets open": partial(_open_secrets, settings),
    }


async def _diagnose(settings: Settings, out: Callable[[str], None]) -> bool:
    async with opened(settings) as database:
        answers = partial(_check_answers, settings)
        if not await _is_well("the database answers", answers, database, out):
            return False
        checks = _checks(settings).items()
        found = [await _is_well(what, check, database, out) for what, check in checks]
    return all(found)


async def _is_well(
    what: str,
    check: Check,
    database: Database,
    out: Callable[[str], None],
) -> bool:
    """Make one check and tell what came of it."""
    try:
        await check(database)
    except (ConfigurationError, ApiError, psycopg.OperationalError) as error:
        out(f"WRONG   {what}: {' '.join(str(error).split())}{_cause(error)}")
        return False
    # No table, no right to it, or no role yet: the first checks say so.
    except (psycopg.ProgrammingError, psycopg.errors.InvalidParameterValue):
        out(f"later   {what}: not known before the schema fits")
        return False
    out(f"ok      {what}")
    return True


def _cause(error: Exception) -> str:
    """Return what the database itself said, where our own text is of a caller's kind."""
    said = isinstance(error, ApiError) and isinstance(error.__cause__, psycopg.Error)
    return f" It said: {' '.join(str(error.__cause__).split())}" if said else ""
