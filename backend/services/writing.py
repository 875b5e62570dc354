"""The one road by which memories change: prepare outside, then lock, apply and save inside."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import psycopg

from backend.repositories import changes, epochs
from backend.schemas import OpResult
from backend.services import meanings, returning
from backend.services.applying import REFUSED, Batch, Outcome, Ready
from backend.services.places import Known, refuse_fallen
from backend.services.preparing import Preparer, Refusal, change_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from psycopg import AsyncConnection

    from backend.db import Database
    from backend.repositories.rows import Account, Done, Row
    from backend.schemas import Op
    from backend.secrets.keeper import Keeper


TRIES = 3  # requests
NOTHING = Known()


@dataclass(frozen=True)
class Push:
    """Operations of a client, all of one request; `tell` hears why the database refused any."""

    database: Database
    keeper: Keeper | None
    account: UUID
    known: Known
    tell: Callable[[BaseException], None]
    may_read: bool  # results show what is there now

    async def apply(self, ops: Sequence[Op]) -> list[OpResult]:
        """Apply the operations; one result for each, in the same order.

        Raises:
            EpochChanged: the server is no longer in the epoch that was meant.
            OutcomeUnknown: the database was lost while it committed; a repetition does no harm.
            Unavailable: the database does not answer; nothing was applied.
        """
        preparer = Preparer(self.account, self.keeper)
        found = [await self._prepared(preparer, op) for op in ops]
        refusals = {one.op_id: one for one in found if isinstance(one, Refusal)}
        # A refused one may have been applied before, when it was not refused: that answer stands.
        ready = [
            Ready(op.op_id, b"", op.uid, REFUSED) if isinstance(one, Refusal) else one
            for op, one in zip(ops, found, strict=True)
        ]
        outcomes = {one.op_id: one for one in await self._apply_all(ready)}
        return [
            refusals[op.op_id].result()
            if outcomes[op.op_id].status == REFUSED
            else self._result(outcomes[op.op_id])
            for op in ops
        ]

    async def _prepared(self, preparer: Preparer, op: Op) -> Ready | Refusal:
        await asyncio.sleep(0)  # others have their turn: a batch is read for as long as a second
        return await preparer.op(op)

    async def _apply_all(self, ready: Sequence[Ready]) -> list[Outcome]:
        """Apply a batch; where the database refuses it, find the operation that is at fault."""
        try:
            return await apply(self.database, self.account, ready, self.known)
        except psycopg.Error as error:
            self.tell(error)
            if len(ready) <= 1:
                return [await self._failed(one) for one in ready]
            singly = [await self._apply_all([one]) for one in ready]
            return [outcome for found in singly for outcome in found]

    async def _failed(self, one: Ready) -> Outcome:
        """Say that an operation failed: for now, or for good if it has in several requests."""
        async with self.database.transaction(self.account) as connection:
            tries = await changes.count_failure(connection, self.account, one.op_id)
        if tries < TRIES:
            return Outcome(one.op_id, "retry", "internal")
        return Outcome(one.op_id, "rejected", "internal_rejected")

    def _result(self, outcome: Outcome) -> OpResult:
        row = outcome.row if self.may_read else None
        return OpResult(
            op_id=outcome.op_id,
            status=outcome.status,  # type: ignore[arg-type]
            code=outcome.code or None,
            detail=None,
            current=None if row is None else change_of(row),
        )


async def apply(
    database: Database, account: UUID, ready: Sequence[Ready], known: Known = NOTHING
) -> list[Outcome]:
    """Apply prepared operations in one transaction: all of them, or none on an error."""
    if not ready and known == NOTHING:
        return []
    read = meanings.understood(ready)
    async with database.transaction(account) as connection:
        outcomes = await apply_in(connection, account, read, known)
    numbers = [outcome.row.no for outcome in outcomes if outcome.row]
    if numbers and (len(ready) > meanings.AT_ONCE or database.notes_all):
        database.note(account, min(numbers))
    return outcomes


async def apply_in(
    connection: AsyncConnection[Any],
    account: UUID,
    ready: Sequence[Ready],
    known: Known = NOTHING,
) -> list[Outcome]:
    """Apply prepared operations inside the caller's transaction."""
    locked = await changes.lock(connection, account)
    await _compare(connection, locked, known)
    rows = await changes.load(connection, account, await _touched(connection, account, ready))
    done = await _done(connection, account, ready)
    replaced = [one.fields["supersedes"] for one in ready if one.fields.get("supersedes")]
    chains = await changes.superseded(connection, account, replaced) if replaced else {}
    if any(one.replay for one in ready):
        await changes.look_back(connection, locked)
    batch = Batch(locked, rows, done, chains)
    outcomes = [batch.apply(await returning.sealed(connection, batch, one)) for one in ready]
    await changes.save(connection, batch)
    heirs: dict[UUID, Row] = {}
    for one in ready:
        if one.restores is not None and one.kind == "create" and one.uid in batch.changed:
            heirs.setdefault(one.restores.uid, batch.changed[one.uid])
    await returning.hand_over(connection, account, heirs)
    return outcomes


async def _touched(
    connection: AsyncConnection[Any], account: UUID, ready: Sequence[Ready]
) -> list[UUID]:
    """Return the uids of the rows that operations touch: a purge reaches those of before, too."""
    uids = [one.uid for one in ready]
    if not any(one.forever for one in ready):
        return uids
    restored = (one.restores.uid for one in ready if one.restores)
    return await changes.formers(connection, account, [*uids, *restored])


async def _compare(connection: AsyncConnection[Any], locked: Account, known: Known) -> None:
    """Compare what the client knows with what holds; only under the lock can that no longer change.

    Raises:
        EpochChanged, PutBack: the server was put back to an earlier state since.
    """
    if known.place is not None:
        await refuse_fallen(connection, known.place, locked.epoch, locked.version)
    if known.epoch is not None and locked.epoch != known.epoch:
        raise await epochs.changed(connection, locked.id, locked.epoch, known.epoch)


async def _done(
    connection: AsyncConnection[Any], account: UUID, ready: Sequence[Ready]
) -> dict[UUID, Done]:
    """Read which operations were settled before; marks have changed their form since."""
    known = await changes.known(connection, account, [one.op_id for one in ready])
    for one in ready:
        seen = known.get(one.op_id)
        if seen is None or one.again is None or seen.request_hash == one.request_hash:
            continue
        if await one.again(seen.request_hash) == seen.request_hash:
            known[one.op_id] = replace(seen, request_hash=one.request_hash)
    return known
