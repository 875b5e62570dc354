"""Statements on accounts, keys, the audit and the rates. No key itself is ever in one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg.rows import class_row, dict_row, tuple_row
from psycopg.types.json import Jsonb

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from psycopg import AsyncConnection

    from backend.db import Reader

    Connection = AsyncConnection[Any]

SHARES = 16  # of a burst of 200, fifty processes can give one each before it is used up
SHOWN = "id, name, scopes, created_at, expires_at, last_used_at, revoked_at"
# By the clock of the database, which is one for all replicas and commands.
IS_EXPIRED = "coalesce(expires_at <= clock_timestamp(), false)"
# One statement fills the bucket for the time since, takes what it gives and says what it was. A
# clock that was set back takes nothing out of it. Nobody is given more than a part of what is
# there: where many processes serve a key, each of them holds some in advance.
LEASE = """
WITH clock AS (SELECT clock_timestamp() AS now),
     old AS (SELECT r.at, least(%(burst)s::real,
                    r.tokens + greatest(0, extract(epoch FROM c.now - r.at))::real
                    * %(rate)s::real) AS tokens
             FROM rate_limits r, clock c
             WHERE r.account_id = %(account)s AND r.key_id = %(key_id)s FOR UPDATE OF r),
     filled AS (SELECT coalesce((SELECT o.tokens FROM old o), %(burst)s::real) AS tokens),
     given AS (SELECT least(%(block)s::real, floor(f.tokens),
                            greatest(1, floor(f.tokens / %(shares)s::real))) AS tokens
               FROM filled f),
     kept AS (INSERT INTO rate_limits (account_id, key_id, tokens, at)
              SELECT %(account)s, %(key_id)s, f.tokens - g.tokens, c.now
              FROM filled f, given g, clock c
              ON CONFLICT (account_id, key_id)
              DO UPDATE SET tokens = EXCLUDED.tokens, at = EXCLUDED.at)
SELECT g.tokens::int, f.tokens - g.tokens, coalesce(
    (o.at AT TIME ZONE 'UTC')::date < (c.now AT TIME ZONE 'UTC')::date, true)
FROM given g CROSS JOIN filled f CROSS JOIN clock c LEFT JOIN old o ON true
"""


@dataclass(frozen=True, repr=False)
class Key:
    """What is known of a named key before anybody is let in."""

    account_id: UUID
    id: str
    name: str
    hash: bytes
    scopes: list[str]
    is_over: bool


@dataclass(frozen=True)
class Lease:
    """How many requests a key may make now, what stays in its bucket, and if the day is new."""

    granted: int
    left: float
    is_first_of_day: bool


async def account_for(connection: Connection, name: str, new_id: UUID) -> UUID:
    """Return the account of that name; it is made with `new_id` if there is none."""
    cursor = connection.cursor(row_factory=tuple_row)
    await cursor.execute("SELECT memory_account_for(%s, %s)", (name, new_id))
    found = await cursor.fetchone()
    assert found is not None  # noqa: S101  (the function returns one row)
    account: UUID = found[0]
    return account


async def keys_by_id(reader: Reader, key_ids: Sequence[str]) -> list[Key]:
    """Return the keys with these ids, of whichever accounts."""
    query = (
        "SELECT k.account_id, k.id, k.name, k.hash, k.scopes, "
        f"k.revoked_at IS NOT NULL OR {IS_EXPIRED} AS is_over "
        "FROM unnest(%s::text[]) AS asked (id), memory_key(asked.id) AS k"
    )
    return await reader.read(None, query, (list(key_ids),), class_row(Key))


async def keys(connection: Connection, account: UUID) -> list[dict[str, Any]]:
    """Return an account's keys, newest first, without their hashes, and which of them ended."""
    cursor = connection.cursor(row_factory=dict_row)
    await cursor.execute(
        f"SELECT {SHOWN}, {IS_EXPIRED} AS is_expired FROM api_keys WHERE account_id = %s "
        "ORDER BY created_at DESC, id",
        (account,),
    )
    return await cursor.fetchall()


async def add_key(
    connection: Connection,
    account: UUID,
    *,
    key_id: str,
    name: str,
    hashed: bytes,
    scopes: Sequence[str],
    expires_at: datetime | None,
) -> dict[str, Any]:
    """Keep a new key and return what may be shown of it."""
    cursor = connection.cursor(row_factory=dict_row)
    await cursor.execute(
        "INSERT INTO api_keys (account_id, id, name, hash, scopes, expires_at) "
        f"VALUES (%s, %s, %s, %s, %s, %s) RETURNING {SHOWN}",
        (account, key_id, name, hashed, Jsonb(list(scopes)), expires_at),
    )
    row = await cursor.fetchone()
    assert row is not None  # noqa: S101  (it was inserted)
    return row


async def revoke(connection: Connection, account: UUID, key_id: str) -> dict[str, Any] | None:
    """Revoke a key of the account, for good; return it, or None if there is none."""
    cursor = connection.cursor(row_factory=dict_row)
    await cursor.execute(
        "UPDATE api_keys SET revoked_at = coalesce(revoked_at, clock_timestamp()) "
        f"WHERE account_id = %s AND id = %s RETURNING {SHOWN}",
        (account, key_id),
    )
    return await cursor.fetchone()


async def note_use(connection: Connection, account: UUID, key_id: str) -> None:
    """Write down that a key was used, at most once a minute."""
    await connection.execute(
        "UPDATE api_keys SET last_used_at = clock_timestamp() WHERE account_id = %s AND id = %s "
        "AND (last_used_at IS NULL OR last_used_at < clock_timestamp() - interval '1 minute')",
        (account, key_id),
    )


async def lease(
    connection: Connection, account: UUID, key_id: str, *, block: int, rate: float, burst: int
) -> Lease:
    """Take up to `block` requests, and no large part, out of a key's bucket.

    It refills by `rate` a second.
    """
    cursor = connection.cursor(row_factory=tuple_row)
    named = {
        "account": account,
        "key_id": key_id,
        "block": block,
        "shares": SHARES,
        "rate": rate,
        "burst": burst,
    }
    found = await (await cursor.execute(LEASE, named)).fetchone()
    assert found is not None  # noqa: S101  (the statement returns one row)
    return Lease(*found)


async def audit(
    connection: Connection, account: UUID, action: str, subject: str, key_id: str
) -> None:
    """Write down what someone may ask about later."""
    await connection.execute(
        "INSERT INTO audit (account_id, action, subject, key_id) VALUES (%s, %s, %s, %s)",
        (account, action, subject, key_id),
    )


async def keep(connection: Connection, name: str, value: bytes) -> bytes:
    """Keep bytes under a name for ever; return what was kept first."""
    cursor = connection.cursor(row_factory=tuple_row)
    await cursor.execute(
        "INSERT INTO keeper_state (k, v) VALUES (%s, %s) ON CONFLICT (k) DO NOTHING", (name, value)
    )
    await cursor.execute("SELECT v FROM keeper_state WHERE k = %s", (name,))
    found = await cursor.fetchone()
    assert found is not None  # noqa: S101  (it is there now)
    return bytes(found[0])


async def page(connection: Connection, after: UUID | None, limit: int) -> list[UUID]:
    """Return the next accounts, in a fixed order."""
    cursor = connection.cursor(row_factory=tuple_row)
    await cursor.execute("SELECT * FROM memory_accounts(%s, %s)", (after, limit))
    return [account for (account,) in await cursor.fetchall()]
