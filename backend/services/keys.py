"""Makes, lists and revokes the named keys of an account; each of it is audited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.auth import make_key
from backend.errors import Malformed, NoKey
from backend.repositories import accounts, changes
from backend.schemas import KeyRow, NewKey
from backend.services import expiring

if TYPE_CHECKING:
    from uuid import UUID

    from backend.db import Database
    from backend.schemas import KeyBody

LONGEST_ID = 64


async def create(database: Database, account: UUID, body: KeyBody, *, by: str) -> NewKey:
    """Make a key; its text is returned this once.

    Raises:
        Malformed: it would have expired already.
        Unavailable: the account was erased a moment ago, or the database does not answer.
    """
    if expiring.is_past(body.expires_at):
        errors = [{"where": "body.expires_at", "message": "is past"}]
        message = "expires_at is past: this key would open nothing."
        raise Malformed(message, fix="Give a later time, or none.", errors=errors)
    made = make_key()
    async with database.transaction(account) as connection:
        await changes.lock(connection, account)  # it may be erased at this moment
        row = await accounts.add_key(
            connection,
            account,
            key_id=made.id,
            name=body.name,
            hashed=made.hash,
            scopes=list(dict.fromkeys(body.scopes)),
            expires_at=body.expires_at,
        )
        await accounts.audit(connection, account, "key.created", made.id, by)
    return NewKey(**row, key=made.text)


async def every(database: Database, account: UUID) -> list[KeyRow]:
    """Return the keys of an account, newest first."""
    async with database.transaction(account) as connection:
        return [KeyRow(**row) for row in await accounts.keys(connection, account)]


async def revoke(database: Database, account: UUID, key_id: str, *, by: str) -> KeyRow:
    """Revoke a key; repeating it is no error.

    Raises:
        NoKey: the account has none with this id.
    """
    if len(key_id) > LONGEST_ID or not key_id.isalnum() or not key_id.isascii():
        raise NoKey
    async with database.transaction(account) as connection:
        row = await accounts.revoke(connection, account, key_id)
        if row is None:
            raise NoKey
        await accounts.audit(connection, account, "key.revoked", key_id, by)
    return KeyRow(**row)
