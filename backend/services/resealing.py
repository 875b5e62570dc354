"""Works on what is stored already: seals secrets that lie in clear, and re-wraps sealed ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from backend.errors import SecretLost
from backend.fields import TEXTS
from backend.repositories import changes, history, memories, seals
from backend.repositories.rows import EDITABLE
from backend.secrets import bundle
from backend.services import accounts, writing
from backend.services.applying import Ready
from backend.services.preparing import Preparer, separate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from backend.db import Database
    from backend.repositories.rows import Row
    from backend.secrets.keeper import Keeper

PAGE = 200  # rows
LOOKED_THROUGH = 1_000  # accounts, of which a secret is opened to see whether that can be done


async def migrate(database: Database, keeper: Keeper | None, account: UUID) -> int:
    """Seal every secret that lies in clear in an account, history included.

    Returns how many memories held one.

    Raises:
        NoKeeper, KeeperDown: secrets were found and cannot be kept now.
    """
    preparer = Preparer(account, keeper)
    found = await _migrate_rows(database, preparer, account)
    found |= await _migrate_history(database, preparer, account)
    return len(found)


@dataclass
class Rewrapped:
    """How far the wrapping anew of an account's secrets has come."""

    seen: int = 0
    changed: int = 0
    lost: set[UUID] = field(default_factory=set)  # memories with secrets that cannot be opened


async def rewrap(
    database: Database, keeper: Keeper, account: UUID, tell: Callable[[Rewrapped], None]
) -> Rewrapped:
    """Wrap an account's sealed secrets under the newest key, but for those that are under it.

    Each is changed by itself, so that it can be stopped and taken up again at any time, and all are
    gone through until none is found that had to be. One that cannot be opened is left as it is, and
    its memory is among the `lost`. `tell` hears of each page.

    Raises:
        KeeperDown: it cannot go on now.
    """
    total = Rewrapped()
    while await _rewrap_once(database, keeper, account, total, tell):
        total.seen = 0  # what was written meanwhile may still be under the key of before
    return total


async def _rewrap_once(
    database: Database,
    keeper: Keeper,
    account: UUID,
    total: Rewrapped,
    tell: Callable[[Rewrapped], None],
) -> bool:
    """Go once through an account's secrets; return whether one of them had to be wrapped anew."""
    is_any_old = False
    async for table, page in _pages(database, account):
        for one in page:
            try:
                fresh = await keeper.rewrap(account, one.bound, one.secret)
            except SecretLost:
                total.lost.add(one.place[0])
                continue
            if fresh != one.secret:
                is_any_old = True
                total.changed += await _replace(database, account, table, one, fresh)
        total.seen += len(page)
        tell(total)
    return is_any_old


async def _pages(
    database: Database, account: UUID
) -> AsyncIterator[tuple[str, list[seals.Sealed]]]:
    """Yield an account's sealed secrets, those of earlier texts too, each page with its table."""
    for table in seals.TABLES:
        after: seals.Place | None = None
        while True:
            async with database.transaction(account) as connection:
                page = await seals.page(connection, account, table, after, PAGE)
            if not page:
                break
            after = page[-1].place
            yield table, page


async def check(database: Database, keeper: Keeper) -> None:
    """Open a secret that each key has sealed, of all that the first thousand accounts hold.

    Raises:
        SecretLost: one does not open; the text names its account and its memory.
        KeeperDown: it cannot be told now.
    """
    known: set[str] = set()
    left = LOOKED_THROUGH
    async for account in accounts.every(database):
        async for _, page in _pages(database, account):
            for one in page:
                if keeper.key_id(one.secret) not in known:
                    await _open(keeper, account, one)
                    known.add(keeper.key_id(one.secret))
        left -= 1
        if not left:
            break


async def _open(keeper: Keeper, account: UUID, one: seals.Sealed) -> None:
    try:
        await keeper.open(account, one.bound, one.secret)
    except SecretLost as error:
        raise SecretLost(f"Memory {one.place[0]} of account {account}: {error}") from error


async def _replace(
    database: Database, account: UUID, table: str, one: seals.Sealed, fresh: bytes
) -> int:
    """Replace a secret under the lock: a write that has read it is over then, or reads it anew."""
    async with database.transaction(account) as connection:
        await changes.lock(connection, account)
        return await seals.replace(connection, account, table, one, fresh)


async def _migrate_rows(database: Database, preparer: Preparer, account: UUID) -> set[UUID]:
    found: set[UUID] = set()
    after: UUID | None = None
    while True:
        async with database.transaction(account) as connection:
            rows = await memories.page_by_uid(connection, account, after, PAGE)
        if not rows:
            return found
        after = rows[-1].uid
        ready = [await _sealed(preparer, row) for row in rows]
        fresh = [one for one in ready if one is not None]
        outcomes = await writing.apply(database, account, fresh)
        found |= {one.row.uid for one in outcomes if one.status == "applied" and one.row}


async def _sealed(preparer: Preparer, row: Row) -> Ready | None:
    """Make the operation that takes the secrets out of a row, if there are any."""
    texts = {name: getattr(row, name) for name in TEXTS if name in EDITABLE}
    safe = separate(texts)
    if not safe.clear:
        return None
    # What is clean stays out: somebody may be editing it just now.
    changed = {name: text for name, text in safe.fields.items() if text != texts[name]}
    return Ready(
        uuid4(),
        b"",
        row.uid,
        "update",
        row.version,
        changed,
        secret=await preparer.seal(row.uid, safe.clear),
        is_sensitive=True,
        keeps=frozenset(TEXTS),
        forever=True,
    )


async def _migrate_history(database: Database, preparer: Preparer, account: UUID) -> set[UUID]:
    found: set[UUID] = set()
    while fresh := await _migrate_history_once(database, preparer, account):
        found |= fresh  # a write that was under way may have put a clear text into the history
    return found


async def _migrate_history_once(database: Database, preparer: Preparer, account: UUID) -> set[UUID]:
    found: set[UUID] = set()
    after: tuple[UUID, int] | None = None
    while True:
        async with database.transaction(account) as connection:
            page = await history.page(connection, account, after, PAGE)
        if not page:
            return found
        after = page[-1]["uid"], page[-1]["id"]
        for entry in page:
            if await _seal_entry(database, preparer, account, entry):
                found.add(entry["uid"])


async def _seal_entry(
    database: Database, preparer: Preparer, account: UUID, entry: dict[str, Any]
) -> bool:
    payload = entry["payload"]
    safe = separate({name: payload.get(name) or "" for name in TEXTS if name in payload})
    if not safe.clear:
        return False
    bound = UUID(payload["bound"]) if payload.get("bound") else entry["uid"]
    sealed = await preparer.seal(bound, safe.clear)
    secret, _ = bundle.changed((entry["secret"], bound), (sealed, bound))
    fresh = {**payload, **safe.fields, "is_sensitive": True, "bound": str(bound)}
    async with database.transaction(account) as connection:
        await changes.lock(connection, account)
        await history.replace(connection, account, entry, fresh, secret)
    return True
