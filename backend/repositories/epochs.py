"""Statements on the database as a whole: its lives, its end of keeping time, its accounts."""

from __future__ import annotations

from secrets import token_bytes
from typing import TYPE_CHECKING, Any

from psycopg.rows import dict_row, tuple_row

from backend.errors import EpochChanged
from backend.lives import NewLife
from backend.repositories.accounts import keep

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from psycopg import AsyncConnection

    Connection = AsyncConnection[Any]

CURSOR_KEY = "cursor"
KEY_BYTES = 32
FIRST_AND_PRESENT = (
    "(SELECT epoch FROM epochs ORDER BY ordinal LIMIT 1)",
    "(SELECT epoch FROM epochs ORDER BY ordinal DESC LIMIT 1)",
    "memory_in_known_life()",
    f"(SELECT v FROM keeper_state WHERE k = '{CURSOR_KEY}')",
)
# As `memory_rotate_epoch` says it, by the same clock.
FLOOR = "SELECT floor(extract(epoch FROM clock_timestamp()))::bigint << 20"
# The smallest version that any restore since the client's epoch began from. An epoch that is not
# known was itself lost by a restore: any but the one in which the account was made may be that one.
LOST_AFTER = (
    "SELECT coalesce(min(e.base_version), 0) FROM account_epochs e "
    "WHERE e.account_id = %(account)s AND e.ordinal > coalesce("
    "(SELECT k.ordinal FROM epochs k WHERE k.epoch = %(epoch)s), "
    "(SELECT min(f.ordinal) FROM account_epochs f WHERE f.account_id = %(account)s))"
)


async def first_and_present(connection: Connection) -> tuple[UUID, UUID, bytes | None]:
    """Return the first epoch, which names the server for ever, the present one, and the cursor key.

    Raises:
        NewLife: the present one was begun for an earlier life of the database.
    """
    cursor = connection.cursor(row_factory=tuple_row)
    await cursor.execute(f"SELECT {', '.join(FIRST_AND_PRESENT)}")
    found = await cursor.fetchone()
    assert found is not None  # noqa: S101  (the first migration begins the first epoch)
    first, present, is_known_life, key = found
    if not is_known_life:
        raise NewLife
    return first, present, key


async def cursor_key(connection: Connection) -> bytes:
    """Return the key by which this database knows its own cursors; it is made once."""
    return await keep(connection, CURSOR_KEY, token_bytes(KEY_BYTES))


async def floor(connection: Connection) -> int:
    """Return the version at which an account would begin in an epoch that begins now."""
    cursor = connection.cursor(row_factory=tuple_row)
    found = await (await cursor.execute(FLOOR)).fetchone()
    assert found is not None  # noqa: S101  (it reads a clock)
    return int(found[0])


async def changed(
    connection: Connection, account: UUID, present: UUID, theirs: UUID | None
) -> EpochChanged:
    """Return what a client is told that knows of another epoch than the present one."""
    known = await lost_after(connection, account, theirs)
    return EpochChanged(epoch=str(present), lost_after=known)


async def lost_after(connection: Connection, account: UUID, epoch: UUID | None) -> int:
    """Return up to which version everything an account had in an epoch is still there."""
    cursor = connection.cursor(row_factory=tuple_row)
    await cursor.execute(LOST_AFTER, {"account": account, "epoch": epoch})
    found = await cursor.fetchone()
    return int(found[0]) if found else 0


async def rotate(connection: Connection, epoch: UUID) -> int:
    """Begin a new epoch, whatever the database says; return its ordinal."""
    cursor = connection.cursor(row_factory=tuple_row)
    await cursor.execute("SELECT memory_rotate_epoch(%s)", (epoch,))
    found = await cursor.fetchone()
    assert found is not None  # noqa: S101  (the function returns one value)
    return int(found[0])


async def purge(
    connection: Connection,
    before_tombstones: datetime,
    before_history: datetime,
    after: UUID | None,
) -> tuple[dict[str, int], UUID | None]:
    """Purge the next account, if there is one; return counts by their names, and which it was."""
    cursor = connection.cursor(row_factory=dict_row)
    query = "SELECT * FROM memory_purge(%s, %s, %s, 1)"
    await cursor.execute(query, (before_tombstones, before_history, after))
    counts = await cursor.fetchone()
    assert counts is not None  # noqa: S101  (the function returns one row)
    account = counts.pop("last_account")
    return counts, account
