"""A place in the feed of an account, as a cursor that its client keeps, and what that proves.

A cursor names a place and grants nothing. It bears a mark of this database, so that nobody can make
up one that says the database has been further than it is.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from backend.errors import CursorExpired
from backend.fields import INT64
from backend.lives import Fallen, PutBack
from backend.repositories import epochs

if TYPE_CHECKING:
    from psycopg import AsyncConnection

CURSOR_FORM = 2
MARK_BYTES = 16
# What reading a text that is no cursor raises.
NO_CURSOR = (ValueError, TypeError, AttributeError, RecursionError)


def packed(parts: list[Any]) -> str:
    """Write the parts of a cursor as one word."""
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def unpacked(text: str) -> Any:  # noqa: ANN401  (whatever a caller wrote)
    """Read what `packed` wrote; of anything else, one of NO_CURSOR is raised."""
    padded = text.encode("ascii") + b"=" * (-len(text) % 4)
    return json.loads(base64.b64decode(padded, b"-_", validate=True))


@dataclass(frozen=True)
class Place:
    """A place in the feed of an account: after version `n`; `f` marks a full dump."""

    account: UUID
    epoch: UUID
    n: int
    f: int = 0
    mark: str = ""

    def text(self, key: bytes) -> str:
        """Write it as a cursor."""
        return packed([*self._parts(), self._mark(key)])

    @staticmethod
    def read(text: str) -> Place:
        """Read a cursor.

        Raises:
            CursorExpired: it is none of ours, or of a form that is no longer made.
        """
        try:
            form, account, epoch, n, f, mark = unpacked(text)
            place = Place(UUID(account), UUID(epoch), n, f, str(mark))
        except NO_CURSOR as error:
            raise CursorExpired("This is no cursor of this server.") from error
        if form != CURSOR_FORM or any(type(at) is not int or not 0 <= at <= INT64 for at in (n, f)):
            raise CursorExpired("This is no cursor of this server.")
        return place

    def is_marked(self, key: bytes) -> bool:
        """Tell whether the database with this key made it."""
        return hmac.compare_digest(self.mark.encode(), self._mark(key).encode())

    def _parts(self) -> list[Any]:
        return [CURSOR_FORM, self.account.hex, self.epoch.hex, self.n, self.f]

    def _mark(self, key: bytes) -> str:
        said = json.dumps(self._parts()).encode()
        return hmac.new(key, said, hashlib.sha256).hexdigest()[: 2 * MARK_BYTES]


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
