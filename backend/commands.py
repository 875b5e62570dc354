"""The operator's jobs, each on a database that the settings name or on the private one."""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import json
import os
import secrets
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from uuid import UUID, uuid4

from backend import meaning, migrate, serving
from backend.app import create_app, keeping
from backend.db import Database
from backend.documents import errors_page
from backend.errors import ConfigurationError
from backend.repositories import accounts, epochs
from backend.schemas import KeyBody
from backend.secrets.choice import choose
from backend.semantic import Semantic
from backend.services import accounts as each
from backend.services import exporting, importing, keys, meanings, purging, resealing
from backend.settings import Settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from backend.secrets.keeper import Keeper

BY = "operator"  # who did it, in the audit
LEFT_OUT = {
    "history": "earlier texts, which the file still holds.",
    "sealed": "the secret, which no server can read from an export. Store it again.",
}


@dataclass(frozen=True)
class Tools:
    """What a job works with."""

    database: Database
    keeper: Keeper | None
    settings: Settings
    out: Callable[[str], None]
    tell: Callable[[str], None]


@dataclass(frozen=True)
class Jobs:
    """The jobs; results go to `out`, everything else to `tell`."""

    settings: Settings
    out: Callable[[str], None]
    tell: Callable[[str], None]

    def migrate(self) -> None:
        """Bring the schema up to date."""
        with serving.database_of(self.settings, self.tell) as place:
            migrate.upgrade(place.settings)
        self.tell("The schema is up to date.")

    def run(self, job: Callable[[Tools], object]) -> None:
        """Run one job with an open database.

        Raises:
            ConfigurationError: the schema does not fit, or something is not set up.
            ApiError: the database or the keeper does not answer.
        """
        with serving.database_of(self.settings, self.tell) as place:
            asyncio.run(self._run(job, place))

    async def _run(self, job: Callable[[Tools], object], place: serving.Place) -> None:
        async with opened(place.settings) as database:
            if not await migrate.fits(database):
                raise ConfigurationError(
                    "The schema of the database does not fit. Run `python -m backend migrate`, or "
                    "`python -m backend doctor`, which says more."
                )
            await database.guard()
            keeper = choose(place.settings, keeping(database))
            tools = Tools(database, keeper, place.settings, self.out, self.tell)
            done = job(tools)
            if asyncio.iscoroutine(done):
                await done


@contextlib.asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Database]:
    """Open a small pool meanwhile."""
    database = Database(settings.database_url, pool_size=2)
    await database.open()
    try:
        yield database
    finally:
        await database.close()


async def create_key(
    tools: Tools, user: str, name: str, scopes: list[str], days: int | None
) -> None:
    """Make a key for a user, who is made too if there is none of that name."""
    expires_at = datetime.now(UTC) + timedelta(days=days) if days else None
    body = KeyBody.model_validate({"name": name, "scopes": scopes, "expires_at": expires_at})
    account = await _account(tools, user)
    made = await keys.create(tools.database, account, body, by=BY)
    tools.out(made.key)
    tools.tell(f"This is key {made.id} of {user}. It is shown this once.")


async def list_keys(tools: Tools, user: str) -> None:
    """List the keys of a user."""
    account = await _known(tools, user)
    async with tools.database.transaction(account) as connection:
        made = await accounts.keys(connection, account)
    if not made:
        tools.tell(f"{user} has no named key. Keys in API_KEY and API_KEYS are not listed.")
    for row in made:
        state = "revoked" if row["revoked_at"] else "valid"
        if row["is_expired"]:
            state = "expired"
        used = row["last_used_at"].isoformat(timespec="minutes") if row["last_used_at"] else "never"
        tools.out(f"{row['id']}  {state:8}{','.join(row['scopes']):25} used {used}  {row['name']}")


async def revoke_key(tools: Tools, user: str, key_id: str) -> None:
    """Revoke a key of a user."""
    account = await _known(tools, user)
    await keys.revoke(tools.database, account, key_id, by=BY)
    tools.tell(f"Key {key_id} is revoked; every server refuses it within five seconds.")


async def export(tools: Tools, user: str, path: str) -> None:
    """Write a user's memories as JSON lines to a file, or to the output for `-`."""
    account = await _known(tools, user)
    count = 0
    with contextlib.ExitStack() as stack:
        file = sys.stdout.buffer if path == "-" else stack.enter_context(_opened_file(path))
        async with contextlib.aclosing(
            await exporting.begin(tools.database, account, by=BY)
        ) as export:
            async for lines in export:
                file.write(lines)
                count += lines.count(b"\n")
        file.flush()
    tools.tell(f"{count} memories were exported.")


async def import_all(tools: Tools, user: str, path: str) -> None:
    """Import the lines of an export, or a JSON list: all of them or none."""
    content = _read(path)
    is_list = content.lstrip()[:1] == b"["
    rows = importing.read_list(content) if is_list else importing.read_lines(content)
    tools.tell(f"{len(rows)} rows were read; checking them for secrets...")
    account = await _account(tools, user)
    stored = await importing.store(
        tools.database,
        tools.keeper,
        account,
        rows,
        tell=lambda done: tools.tell(f"{done} of {len(rows)} written"),
    )
    tools.tell(f"{len(stored)} memories are there now.")
    for name, told in LEFT_OUT.items():
        count = sum(name in one.left_out for one in stored)
        if count:
            tools.tell(f"Left out of {count} of them: {told}")


async def rotate(tools: Tools) -> None:
    """Wrap every sealed secret under the newest key; begun again, it passes over what is done.

    Raises:
        ConfigurationError: no keeper is set, or secrets were passed over that cannot be opened.
    """
    if tools.keeper is None:
        raise ConfigurationError("No keeper is set, so there is nothing to rotate.")
    seen = changed = lost = number = 0
    async for account in each.every(tools.database):
        number += 1

        def tell(far: resealing.Rewrapped, at: str = f"account {number}") -> None:
            tools.tell(f"{at}: {far.changed} of its first {far.seen} secrets wrapped anew")

        done = await resealing.rewrap(tools.database, tools.keeper, account, tell)
        seen, changed = seen + done.seen, changed + done.changed
        for uid in sorted(done.lost):
            lost += 1
            tools.tell(f"Memory {uid} of account {account}: its secret cannot be opened.")
    if lost:
        raise ConfigurationError(
            f"{changed} secrets were wrapped anew, {lost} memories hold some that were passed "
            "over: the key that sealed them is not set, or gone. If it is gone, delete "
            "those memories or store them again."
        )
    tools.tell(f"All {seen} secrets are under the newest key; {changed} were wrapped anew.")


async def rotate_epoch(tools: Tools) -> None:
    """Begin a new epoch, after the database was restored from a backup."""
    async with tools.database.transaction(None, seconds=300) as connection:
        ordinal = await epochs.rotate(connection, uuid4())
    tools.tell(f"Epoch {ordinal} has begun: clients will bring back what the backup did not have.")


async def embed(tools: Tools) -> None:
    """Write what memories mean that lack it; begun again, it passes over what is done."""
    if meaning.table() is None:
        raise ConfigurationError(meaning.MISSING)

    def tell(far: meanings.Filled) -> None:
        tools.tell(f"account {far.accounts + 1}: {far.memories} memories read")

    semantic = None
    if tools.settings.semantic == "on":
        semantic = Semantic(tools.settings.semantic_model)
        if problem := await semantic.load():
            raise ConfigurationError(problem)
    done = await meanings.fill(tools.database, semantic=semantic, tell=tell)
    tools.tell(f"{done.accounts} accounts: {done.memories} memories were read, the others before.")


async def purge(tools: Tools, history_days: int, tombstone_days: int) -> None:
    """Erase old history, and old tombstones if their age is given and not 0."""
    purged = await purging.purge(
        tools.database,
        datetime.now(UTC),
        history_days=history_days,
        tombstone_days=tombstone_days,
        tell=lambda total: tools.tell(f"{total.accounts} accounts..."),
    )
    tools.out(json.dumps(vars(purged)))


def openapi() -> str:
    """Return the OpenAPI document, as docs/api/openapi.json holds it."""
    app = create_app(Settings(database_url="postgresql://"))
    return json.dumps(app.openapi(), indent=2, ensure_ascii=False, sort_keys=True)


def errors() -> str:
    """Return the page of all errors, as docs/api/errors.md holds it."""
    return errors_page().rstrip("\n")


@contextlib.contextmanager
def _opened_file(path: str) -> Iterator[BinaryIO]:
    """Write a file for its user alone; it has its name when all is in it, or never."""
    target = Path(path)
    try:
        if target.exists() and not target.is_file():  # a pipe, a device
            with target.open("wb") as file:
                yield file
            return
        target = target.resolve()
        draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
        try:
            handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                yield file
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}.") from error


def _read(path: str) -> bytes:
    try:
        content = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.") from error
    return content.removeprefix(codecs.BOM_UTF8)  # as editors of Windows begin a file


async def _known(tools: Tools, user: str) -> UUID:
    """Return the account of a user who has one; a mistyped name must not make another.

    Raises:
        ConfigurationError: there is no such user.
    """
    fresh = uuid4()
    async with tools.database.transaction(None) as connection:
        account = await accounts.account_for(connection, user, fresh)
        if account == fresh:  # the error also takes it back
            raise ConfigurationError(f"There is no user {user!r} here; name another with --user.")
    return account


async def _account(tools: Tools, user: str) -> UUID:
    async with tools.database.transaction(None) as connection:
        return await accounts.account_for(connection, user, uuid4())
