"""What a client brings back by an undo of its own: the server has the seals and the past of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from backend.db import Within
from backend.fields import CONTENT
from backend.repositories import history, memories
from backend.secrets import bundle

if TYPE_CHECKING:
    from collections.abc import Mapping

    from psycopg import AsyncConnection

    from backend.repositories.history import Entry
    from backend.repositories.rows import Kept, Row
    from backend.services.applying import Batch, Ready

    Connection = AsyncConnection[Any]

SEEN = (CONTENT, "tags", "expanded_keywords", "category")


async def sealed(connection: Connection, batch: Batch, op: Ready) -> Ready:
    """Return an operation with the seals of the state that comes back by it, if they are kept.

    Text and version have to be right: a secret must not come to a text that it never belonged to.
    """
    former, content = op.restores, op.fields.get(CONTENT)
    if former is None or not former.version or op.secret is not None or content is None:
        return op
    kept: Entry | Kept | None
    uids = former.uid, op.uid
    kept = await history.sealed(connection, batch.account.id, uids, former.version, content)
    for one in batch.kept if kept is None else ():  # by an operation of the same request
        if one.uid == former.uid and one.secret and one.payload.get(CONTENT) == content:
            kept = one
    if kept is None or kept.secret is None:
        return op
    pieces = bundle.split(kept.secret, UUID(kept.payload["bound"]))
    secret, bound = bundle.join(piece for piece in pieces if piece.text in op.fields)
    return replace(op, secret=secret, bound=bound, keeps=frozenset())


async def hand_over(connection: Connection, account: UUID, heirs: Mapping[UUID, Row]) -> None:
    """Give the past of deleted memories to those that a client has brought them back as."""
    taken: dict[UUID, UUID] = {}
    for uid, heir in heirs.items():
        row = await memories.by_uid(Within(connection), account, uid)
        if row is not None and not row.is_live:
            await _hand_over(connection, account, uid, heir)
            taken[uid] = heir.uid
    last = {uid: _last(uid, taken) for uid in taken}
    if last:
        await history.rename_superseded(connection, account, last)


def _last(uid: UUID, taken: Mapping[UUID, UUID]) -> UUID:
    """Return as what a memory is there in the end: its heir may have come back as another."""
    seen = set()
    while uid in taken and uid not in seen:
        seen.add(uid)
        uid = taken[uid]
    return uid


async def _hand_over(connection: Connection, account: UUID, uid: UUID, heir: Row) -> None:
    """Give the past of a memory over; what was deleted is part of it where it was not all seen."""
    entry = await history.earlier(connection, account, uid)
    if entry is not None and entry.kind == "deleted":
        if all(entry.payload.get(name, "") == getattr(heir, name) for name in SEEN):
            await history.remove(connection, account, uid, [entry])
        else:
            await history.keep_as(connection, account, entry, "superseded")
    await history.hand_over(connection, account, uid, heir.uid)
