"""Erases what has outlived its keeping time: history, rates, and tombstones if so asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from backend.db import Database
from backend.repositories import epochs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from typing_extensions import TypeIs

    from backend.settings import Settings

HISTORY_DAYS = 30
KEEP = 0  # days: tombstones stay for ever
LONGEST = 36_500  # days
PATIENCE = 120  # seconds for one account
NEVER = datetime(1, 1, 2, tzinfo=UTC)


@dataclass
class Purged:
    """What was erased."""

    accounts: int = 0  # looked at
    skipped: int = 0  # of these, since somebody worked on them just then
    tombstones: int = 0
    histories: int = 0
    operations: int = 0
    rates: int = 0


async def purge(
    database: Database,
    now: datetime,
    *,
    history_days: int = HISTORY_DAYS,
    tombstone_days: int = KEEP,
    tell: Callable[[Purged], None] = lambda _purged: None,
) -> Purged:
    """Erase old history and rates, and with an age above 0 tombstones and their operations.

    It goes from account to account and can be stopped and begun again at any time. One that is
    locked is passed over: the next purge will find it.

    Raises:
        Unavailable: the database does not answer.
    """
    before = now - timedelta(days=tombstone_days) if tombstone_days else NEVER
    total, after = Purged(), None
    while True:
        async with database.transaction(None, seconds=PATIENCE) as connection:
            counts, after = await epochs.purge(
                connection, before, now - timedelta(days=history_days), after
            )
        if not counts["accounts"]:
            return total
        total = Purged(**{name: count + counts[name] for name, count in vars(total).items()})
        tell(total)


async def purge_once(settings: Settings, given: Mapping[str, Any]) -> dict[str, int]:
    """Purge with a connection of its own; `given` may name `history_days` and `tombstone_days`.

    Raises:
        Unavailable: the database does not answer.
    """
    history, tombstones = given.get("history_days"), given.get("tombstone_days")
    database = Database(settings.database_url, pool_size=1)
    await database.open()
    try:
        purged = await purge(
            database,
            datetime.now(UTC),
            history_days=history if _is_days(history) else HISTORY_DAYS,
            tombstone_days=tombstones if _is_days(tombstones) else KEEP,
        )
        return vars(purged)
    finally:
        await database.close()


def _is_days(value: object) -> TypeIs[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LONGEST
