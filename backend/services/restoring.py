"""Undo, a step at a time: an earlier state takes the place of the present one, which is kept.

What a restore leaves is kept as undone: it came after what is present then. When nothing earlier is
left, all of that is taken back, the last first, and can be undone again. So it is in the plugin.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from backend.db import Within
from backend.errors import IdempotencyReused, NotFound
from backend.repositories import history, memories
from backend.repositories.rows import EDITABLE, Kept
from backend.services import meanings, writing
from backend.services.applying import Former, Ready, Undo
from backend.services.uids import heir_uid, new_uid

if TYPE_CHECKING:
    from psycopg import AsyncConnection

    from backend.fields import Step
    from backend.repositories.history import Entry
    from backend.repositories.rows import Done, Row

    Connection = AsyncConnection[Any]

STEPS: dict[str | None, Step] = {history.UNDONE: "earlier", "superseded": "latest"}
GONE = (
    "Nothing is kept here that it could be brought back from: earlier texts are kept 30 days, and "
    "none after a purge."
)


@dataclass(frozen=True)
class Back:
    """A memory as a restore left it, and what came back; None where that is not known any more."""

    row: Row
    step: Step | None


async def restore(connection: Connection, account: UUID, asked: Row, op_id: UUID) -> Back:
    """Undo the last edit that is not undone yet, or the delete; the account is locked.

    Raises:
        NotFound: there is nothing to go back to.
    """
    row, entry = await _place(connection, account, asked)
    if row.is_live and row.uid != asked.uid:
        return Back(row, "deleted")  # asked again: the answer was lost
    mark = op_id, asked.uid.bytes
    if entry is not None and not row.is_live:
        return Back(await _revive(connection, account, row, entry, mark), "deleted")
    if entry is not None:
        return Back(await _step(connection, account, row, [entry], mark), "earlier")
    undone = await history.undone(connection, account, row.uid) if row.is_live else []
    if not undone:
        raise NotFound(f"Memory #{asked.no} has no earlier state.", fix=GONE)
    return Back(await _step(connection, account, row, undone, mark), "latest")


async def again(connection: Connection, account: UUID, asked: Row, done: Done) -> Back:
    """Answer a restore that was made before: with the memory as it is now.

    Raises:
        IdempotencyReused: something else was done under its key.
        NotFound: the memory was deleted since.
    """
    if done.request_hash != asked.uid.bytes:
        raise IdempotencyReused
    row = await memories.by_uid(Within(connection), account, done.uid)
    if row is None or not row.is_live:
        raise NotFound
    if row.uid != asked.uid:
        return Back(row, "deleted")
    kept = await history.kept_by(connection, account, row.uid, done.op_id)
    return Back(row, STEPS.get(kept))


async def _place(connection: Connection, account: UUID, row: Row) -> tuple[Row, Entry | None]:
    """Return the row that a restore is about, and the state before it.

    Of a deleted memory that came back since, the former is what it came back as.
    """
    within = Within(connection)
    while True:
        entry = await history.earlier(connection, account, row.uid)
        if entry is not None or row.is_live:
            return row, entry
        heir = await memories.by_uid(within, account, heir_uid(account, row.uid))
        if heir is None:
            return row, None
        row = heir


async def _step(
    connection: Connection,
    account: UUID,
    row: Row,
    taken: list[Entry],
    mark: tuple[UUID, bytes],
) -> Row:
    """Take the state of the last of these entries; those before it were passed on the way."""
    *passed, state = taken
    await history.remove(connection, account, row.uid, taken)
    undo = Undo(
        kept_as=history.UNDONE if state.kind != history.UNDONE else "superseded",
        passed=tuple(
            Kept(row.uid, mark[0], "superseded", one.payload, one.secret) for one in passed
        ),
    )
    op = Ready(*mark, row.uid, "update", undo=undo, **_state(state))
    return await _applied(connection, account, [op])


async def _revive(
    connection: Connection, account: UUID, row: Row, entry: Entry, mark: tuple[UUID, bytes]
) -> Row:
    """Bring a deleted memory back under a new uid, with its past, behind what superseded it."""
    for name in (f"{row.uid}:{entry.id}", row.uid):  # by the former, servers before this one did
        uid = heir_uid(account, name)
        taken = await memories.by_uid(Within(connection), account, uid)
        if taken is not None and taken.is_live:  # it is back, or a client has given it back
            return taken
    uid = uid if taken is None else new_uid()
    await history.remove(connection, account, row.uid, [entry])
    successors = await memories.successors(connection, account, row.uid)
    state = _state(entry)
    state["fields"] |= {
        "supersedes": state["fields"]["supersedes"] or row.uid,
        "session": row.session,
        "session_seq": row.session_seq,
        "source": row.source,
    }
    was = Former(row.uid, 0)
    back = Ready(*mark, uid, "create", created_at=row.created_at, restores=was, **state)
    return await _applied(connection, account, [back, *(_behind(one, uid) for one in successors)])


def _behind(successor: UUID, uid: UUID) -> Ready:
    """Make the operation that lets a memory supersede what came back; no edit of anybody's."""
    fields = {"supersedes": uid}
    return Ready(uuid4(), b"", successor, "update", fields=fields, forever=True)


def _state(entry: Entry) -> dict[str, Any]:
    """Return what an entry says of a memory, its seals as they were, as an operation brings it."""
    payload = entry.payload
    expires, supersedes = payload.get("expires_at"), payload.get("supersedes")
    times_and_ids = {
        "expires_at": datetime.fromisoformat(expires) if expires else None,
        "supersedes": UUID(supersedes) if supersedes else None,
    }
    return {
        "fields": {name: payload.get(name) for name in EDITABLE} | times_and_ids,
        "secret": entry.secret,
        "bound": UUID(payload["bound"]) if entry.secret else None,
        "is_sensitive": bool(payload.get("is_sensitive")),
    }


async def _applied(connection: Connection, account: UUID, ready: list[Ready]) -> Row:
    """Apply operations on an account that is locked; return the row of the first."""
    outcomes = await writing.apply_in(connection, account, meanings.understood(ready))
    row = outcomes[0].row
    assert row is not None  # noqa: S101  (it was applied just now)
    return row
