"""The lives of a database: what shows that a new one began, and how its epoch begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID  # noqa: TC003  (a NamedTuple keeps it)

if TYPE_CHECKING:
    from psycopg import AsyncConnection

PATIENCE = 300  # seconds; every account is locked on the way
BEGIN = "SELECT memory_rotate_epoch(gen_random_uuid())"
BEGIN_IF_TOLD = "SELECT memory_rotate_epoch(gen_random_uuid(), true)"
# Asked behind the locks that the rotation takes: whether it followed on that epoch, and found the
# account behind that version.
HAD_FALLEN = (
    "SELECT (SELECT e.epoch FROM epochs e ORDER BY e.ordinal DESC OFFSET 1 LIMIT 1) = %(epoch)s "
    "AND (SELECT a.base_version FROM account_epochs a WHERE a.account_id = %(account)s "
    "ORDER BY a.ordinal DESC LIMIT 1) < %(version)s"
)


class Fallen(NamedTuple):
    """A version that an account had reached in an epoch, and is behind now."""

    account: UUID
    epoch: UUID
    version: int


class NewLife(Exception):
    """The database was promoted or restored, and its new life has no epoch yet."""

    fallen: Fallen | None = None


class PutBack(NewLife):
    """An earlier state was put back, and nobody ran `rotate-epoch`: a client had been further."""

    def __init__(self, fallen: Fallen) -> None:
        """Keep what shows it."""
        self.fallen = fallen


async def begin_epoch(connection: AsyncConnection[Any], fallen: Fallen | None) -> None:
    """Begin an epoch for a new life, if nobody else did so before."""
    if fallen is None:
        await connection.execute(BEGIN_IF_TOLD)
        return
    await connection.execute(BEGIN)
    cursor = await connection.execute(HAD_FALLEN, fallen._asdict())
    if await cursor.fetchone() != (True,):  # another server was quicker
        await connection.rollback()
