"""A place in the feed of an account, as a cursor that its client keeps, and what that proves.

A cursor names a place and grants nothing. It bears a mark of this database, so that nobody can make
up one that says the database has been further than it is.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from backend.errors import CursorExpired
from backend.fields import INT64
from backend.lives import Fallen, PutBack
from backend.repositories import epochs

if TYPE_CHECKING:
    from psycopg import AsyncConnection

CURSOR_FORM = 3
PARTS = struct.Struct(">B16s16sQQ")  # form, account, epoch, n, f; the mark follows
MARK_BYTES = 16


def word(content: bytes) -> str:
    """Write the content of a cursor as one word."""
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def content(text: str) -> bytes:
    """Read what `word` wrote.

    Raises:
        ValueError: it did not write that.
    """
    padded = text.encode("ascii") + b"=" * (-len(text) % 4)
    return base64.b64decode(padded, b"-_", validate=True)


@dataclass(frozen=True)
class Place:
    """A place in the feed of an account: after version `n`; `f` marks a full dump."""

    account: UUID
    epoch: UUID
    n: int
    f: int = 0
    mark: bytes = b""

    def text(self, key: bytes) -> str:
        """Write it as a cursor: short, since each cycle of a client carries it both ways."""
        return word(self._parts() + self._mark(key))

    @staticmethod
    def read(text: str) -> Place:
        """Read a cursor.

        Raises:
            CursorExpired: it is none of ours, or of a form that is no longer made.
        """
        try:
            read = content(text)
            form, account, epoch, n, f = PARTS.unpack(read[: PARTS.size])
        except (ValueError, struct.error) as error:
            raise CursorExpired("This is no cursor of this server.") from error
        if form != CURSOR_FORM or len(read) != PARTS.size + MARK_BYTES or max(n, f) > INT64:
            raise CursorExpired("This is no cursor of this server.")
        return Place(UUID(bytes=account), UUID(bytes=epoch), n, f, read[PARTS.size :])

    def is_marked(self, key: bytes) -> bool:
        """Tell whether the database with this key made it."""
        return hmac.compare_digest(self.mark, self._mark(key))

    def _parts(self) -> bytes:
        return PARTS.pack(CURSOR_FORM, self.account.bytes, self.epoch.bytes, self.n, self.f)

    def _mark(self, key: bytes) -> bytes:
        return hmac.digest(key, self._parts(), hashlib.sha256)[:MARK_BYTES]


@dataclass(frozen=True)
class Known:
    """What a client says it knows of the server: its epoch, and how far it has read there."""

    epoch: UUID | None = None
    place: Place | None = None


def place_or_none(cursor: str) -> Place | None:
    """Read a cursor that may be missing, or none at all."""
    try:
        return Place.read(cursor) if cursor else None
    except CursorExpired:
        return None


async def refuse_fallen(
    connection: AsyncConnection[Any], place: Place, epoch: UUID, version: int
) -> None:
    """Refuse to go on where the account is no longer as far as it was.

    In this very epoch, or in one that was lost with it: each new one begins above all before it, as
    long as the clock has not gone back.

    Raises:
        PutBack: the database was put back to an earlier state, and nobody began a new epoch.
    """
    reached = max(place.n, place.f)
    if reached <= version:
        return
    if place.epoch != epoch and reached >= await epochs.floor(connection):
        return  # another epoch would not come to lie above it
    if place.is_marked(await epochs.cursor_key(connection)):
        raise PutBack(Fallen(place.account, epoch, reached))
