"""The server was restored from a backup: gives back to it what this store still has. Hot."""

from __future__ import annotations

import json

from claude_memory.memory import new_op_id, stamp
from claude_memory.store import outbox, purge, replica, state

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime
    from typing import Any

    Fields = dict[str, Any]


def begin_new_life(
    connection: sqlite3.Connection, epoch: str, lost_after: int, now: datetime
) -> None:
    """Turn each state newer than `lost_after` into a `replay`.

    A replay goes before the memory's other changes, which are sent as new ones: the server's record
    of them may be lost as well.
    """
    _widen_earlier_replays(connection, lost_after)
    for version, uid, srv in _newer(connection, lost_after):
        waiting = outbox.of_memory(connection, uid)
        if srv:
            body = _body(srv, version, lost_after)
            outbox.put(connection, uid, "replay", body, base=None, at=stamp(now))
        outbox.renew(connection, waiting)
        replica.forget_state(connection, uid)
    state.put(connection, state.EPOCH, epoch)
    state.put(connection, state.CURSOR, "")


def _newer(connection: sqlite3.Connection, lost_after: int) -> list[tuple[int, str, Fields]]:
    """Return version, uid and state of what is newer, the oldest first.

    A state says itself which version it is; the number beside it may have been damaged.
    """
    rows = connection.execute("SELECT sv, uid, srv FROM memories WHERE sv > 0").fetchall()
    known = [(version, uid, json.loads(text or "{}")) for version, uid, text in rows]
    found = [(srv.get("version", version), uid, srv) for version, uid, srv in known]
    return sorted((one for one in found if one[0] > lost_after), key=lambda one: one[0])


def _body(srv: Fields, version: int, lost_after: int) -> Fields:
    lives = replica.is_live(srv)
    return {
        "was": version,
        "lost_after": lost_after,
        "deleted": not lives,
        "purge": bool(srv.get(purge.PURGED)),
        "fields": {name: srv[name] for name in outbox.MADE if name in srv} if lives else None,
    }


def _widen_earlier_replays(connection: sqlite3.Connection, lost_after: int) -> None:
    """Let replays of an earlier restore say what this one lost as well."""
    query = "SELECT op_id, body FROM pending_ops WHERE kind = 'replay'"
    for op_id, text in connection.execute(query).fetchall():
        body = json.loads(text)
        least = min(body["lost_after"], lost_after)
        connection.execute(
            "UPDATE pending_ops SET op_id = ?, body = ? WHERE op_id = ?",
            (new_op_id(), json.dumps({**body, "lost_after": least}), op_id),
        )
