"""The one road by which memories change: prepare outside, then lock, apply and save inside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg

from backend.repositories import changes, epochs
from backend.schemas import OpResult
from backend.services import meanings
from backend.services.applying import REFUSED, Batch, Outcome, Ready
from backend.services.preparing import Preparer, Refusal, change_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from psycopg import AsyncConnection

    from backend.db import Database
    from backend.schemas import Op
    from backend.secrets.keeper import Keeper


TRIES = 3  # requests


async def push(
    database: Database,
    keeper: Keeper | None,
    account: UUID,
    ops: Sequence[Op],
    epoch: UUID | None = None,
) -> list[OpResult]:
    """Apply a client's operations; one result for each, in the same order.

    Raises:
        EpochChanged: the server is no longer in the epoch that was meant.
        Unavailable: the database does not answer; nothing was applied.
    """
    preparer = Preparer(account, keeper)
    found = [await preparer.op(op) for op in ops]
    refusals = {one.op_id: one for one in found if isinstance(one, Refusal)}
    # A refused one may have been applied before, when it was not refused: that answer stands.
    ready = [
        Ready(op.op_id, b"", op.uid, REFUSED) if isinstance(one, Refusal) else one
        for op, one in zip(ops, found, strict=True)
    ]
    outcomes = {one.op_id: one for one in await _apply_all(database, account, ready, epoch)}
    return [
        refusals[op.op_id].result()
        if outcomes[op.op_id].status == REFUSED
        else _result(outcomes[op.op_id])
        for op in ops
    ]


async def apply(
    database: Database, account: UUID, ready: Sequence[Ready], epoch: UUID | None = None
) -> list[Outcome]:
    """Apply prepared operations in one transaction: all of them, or none on an error."""
    if not ready and epoch is None:
        return []
    read = meanings.understood(ready)
    async with database.transaction(account) as connection:
        outcomes = await apply_in(connection, account, read, epoch)
    numbers = [outcome.row.no for outcome in outcomes if outcome.row]
    if numbers and (len(ready) > meanings.AT_ONCE or database.notes_all):
        database.note(account, min(numbers))
    return outcomes


async def apply_in(
    connection: AsyncConnection[Any],
    account: UUID,
    ready: Sequence[Ready],
    epoch: UUID | None = None,
) -> list[Outcome]:
    """Apply prepared operations inside the caller's transaction."""
    locked = await changes.lock(connection, account)
    if epoch is not None and locked.epoch != epoch:  # only here can it no longer change
        raise await epochs.changed(connection, account, locked.epoch, epoch)
    rows = await changes.load(connection, account, [one.uid for one in ready])
    known = await changes.known(connection, account, [one.op_id for one in ready])
    replaced = [one.fields["supersedes"] for one in ready if one.fields.get("supersedes")]
    chains = await changes.superseded(connection, account, replaced) if replaced else {}
    if any(one.replay for one in ready):
        await changes.look_back(connection, locked)
    batch = Batch(locked, rows, known, chains)
    outcomes = [batch.apply(one) for one in ready]
    await changes.save(connection, batch)
    return outcomes


async def _apply_all(
    database: Database, account: UUID, ready: Sequence[Ready], epoch: UUID | None
) -> list[Outcome]:
    """Apply a batch; where the database refuses it, find the operation that is at fault."""
    try:
        return await apply(database, account, ready, epoch)
    except psycopg.Error:
        if len(ready) <= 1:
            return [await _failed(database, account, one) for one in ready]
        singly = [await _apply_all(database, account, [one], epoch) for one in ready]
        return [outcome for found in singly for outcome in found]


async def _failed(database: Database, account: UUID, one: Ready) -> Outcome:
    """Say that an operation failed: for now, or for good if it has in several requests."""
    async with database.transaction(account) as connection:
        tries = await changes.count_failure(connection, account, one.op_id)
    if tries < TRIES:
        return Outcome(one.op_id, "retry", "internal")
    return Outcome(one.op_id, "rejected", "internal_rejected")


def _result(outcome: Outcome) -> OpResult:
    return OpResult.model_construct(
        op_id=outcome.op_id,
        status=outcome.status,
        code=outcome.code or None,
        detail=None,
        current=None if outcome.row is None else change_of(outcome.row),
    )
