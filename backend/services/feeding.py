"""The change feed: pages of what changed after a place, all of a page from one moment.

The account is that of the key, always.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from backend.errors import AccountMismatch, CursorExpired, UpgradeNeeded
from backend.fields import CONTENT_LIMIT, INT64
from backend.repositories import changes, epochs
from backend.repositories.rows import digest_text
from backend.schemas import BODY_LIMIT, OPS_LIMIT, Check, FeedAnswer, Hello
from backend.services.places import Known, Place, place_or_none, refuse_fallen
from backend.services.preparing import change_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from psycopg import AsyncConnection

    from backend.db import Database
    from backend.repositories.rows import Row

PROTOCOL = {"min": 1, "max": 1}
LIMITS = {"ops": OPS_LIMIT, "bytes": BODY_LIMIT, "content": CONTENT_LIMIT}
FEATURES = ["replay", "since", "restore", "history", "secrets"]
PAGE_BYTES = 2 * 1_048_576
ROW_BYTES = 600  # of a row besides its texts
SINCE_ROWS = 10_000
NO_EPOCH = UUID(int=0)  # what is no epoch at all differs from every one


@dataclass(frozen=True)
class Feed:
    """An account's feed, asked for by a client that says what it knows of the server."""

    database: Database
    account: UUID
    since_bytes: int
    protocol: str = ""
    named_account: str = ""
    epoch: str = ""
    cursor: str = ""

    async def hello(self, scopes: Sequence[str]) -> Hello:
        """Tell a client what it has to know before it syncs.

        Raises:
            UpgradeNeeded: it speaks no protocol that is spoken here.
        """
        self._check_protocol()
        async with self.database.transaction(self.account) as connection:
            server_id, epoch, _ = await epochs.first_and_present(connection)
            (_, live, *_), _ = await changes.feed(
                connection, self.account, after=INT64, full=0, limit=1
            )
        return Hello(
            server_id=server_id,
            account_id=self.account,
            epoch=epoch,
            scopes=list(scopes),
            protocol=PROTOCOL,
            limits=LIMITS,
            features=FEATURES,
            live=live,
        )

    def known(self) -> Known:
        """Return what a client that pushes knows of the server; it is compared under the lock.

        Raises:
            UpgradeNeeded, AccountMismatch: it means another server or account.
        """
        epoch = self._expected_epoch()
        place = place_or_none(self.cursor)
        is_of_account = place is not None and place.account == self.account
        return Known(epoch, place if is_of_account else None)

    async def page(self, cursor: str, limit: int) -> FeedAnswer:
        """Return what changed after a cursor; without one, the first page of all live rows.

        Raises:
            UpgradeNeeded, AccountMismatch, EpochChanged: the client means another server or life.
            CursorExpired: changes after that place are no longer known.
        """
        place = place_or_none(cursor) or Place(self.account, NO_EPOCH, 0, INT64)
        async with self.database.transaction(self.account) as connection:
            (version, live, digest, changed_at, horizon), rows = await changes.feed(
                connection, self.account, after=place.n, full=place.f, limit=limit + 1
            )
            # Asked after the rows: then they are of this epoch, and of none that began meanwhile.
            epoch, key = await self._check(connection, place_or_none(cursor), version)
            if cursor:
                await self._check_place(connection, Place.read(cursor), epoch)
        if cursor and not horizon <= max(place.n, place.f) <= version:
            raise CursorExpired
        shown = _cut(rows, limit)
        has_more = len(shown) < len(rows)
        mark = min(place.f, version)
        after = Place(
            self.account,
            epoch,
            shown[-1].version if has_more else version,
            mark if has_more else 0,
        )
        return FeedAnswer.model_construct(
            memories=[change_of(row) for row in shown],
            cursor=after.text(key),
            version=version,
            has_more=has_more,
            server_time=changed_at,
            check=None if has_more else Check(live=live, digest=digest_text(digest)),
        )

    async def since(self, moment: datetime) -> FeedAnswer:
        """Return what changed after a time, deleted memories too: the feed of simple clients.

        Raises:
            UpgradeNeeded, AccountMismatch, EpochChanged: the client means another server or life.
        """
        cut = changes.Cut(rows=SINCE_ROWS, bytes=self.since_bytes, row=ROW_BYTES)
        async with self.database.transaction(self.account) as connection:
            (version, live, digest, changed_at, _), shown, has_more = await changes.since(
                connection, self.account, moment, cut
            )
            epoch, key = await self._check(connection)
        after = Place(self.account, epoch, shown[-1].version if has_more else version)
        return FeedAnswer.model_construct(
            memories=[change_of(row) for row in shown],
            cursor=after.text(key),
            version=version,
            has_more=has_more,
            server_time=shown[-1].updated_at if has_more else changed_at,
            check=None if has_more else Check(live=live, digest=digest_text(digest)),
        )

    async def _check(
        self, connection: AsyncConnection[Any], place: Place | None = None, version: int = 0
    ) -> tuple[UUID, bytes]:
        """Return the epoch, which is the one that the client means, and the key of cursors.

        The account is at `version`, and has to be as far as the client's place is.
        """
        expected = self._expected_epoch()
        _, epoch, key = await epochs.first_and_present(connection)
        if place is not None and place.account == self.account:
            await refuse_fallen(connection, place, epoch, version)
        if expected is not None and expected != epoch:
            raise await epochs.changed(connection, self.account, epoch, expected)
        return epoch, key or await epochs.cursor_key(connection)

    def _expected_epoch(self) -> UUID | None:
        """Return the epoch that a client means, if it names one."""
        self._check_protocol()
        if self.named_account and _uuid(self.named_account) != self.account:
            raise AccountMismatch
        return (_uuid(self.epoch) or NO_EPOCH) if self.epoch else None

    async def _check_place(
        self, connection: AsyncConnection[Any], place: Place, epoch: UUID
    ) -> None:
        if place.account != self.account:
            raise AccountMismatch("This cursor belongs to another account.")
        if place.epoch != epoch:
            raise await epochs.changed(connection, self.account, epoch, place.epoch)

    def _check_protocol(self) -> None:
        spoken = range(PROTOCOL["min"], PROTOCOL["max"] + 1)
        if self.protocol and self.protocol.strip() not in map(str, spoken):
            raise UpgradeNeeded(protocol=PROTOCOL)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text.strip())
    except ValueError:
        return None


def _cut(rows: list[Row], limit: int) -> list[Row]:
    """Return the rows that fit into one page; at least one, so that it goes on."""
    size = 0
    for count, row in enumerate(rows[:limit]):
        texts = (row.content or "", row.tags, row.expanded_keywords)
        size += ROW_BYTES + sum(len(text.encode()) for text in texts)
        if size > PAGE_BYTES and count:
            return rows[:count]
    return rows[:limit]
