"""The outbox: what was changed here and the server has not settled yet. Hot.

Every change of a memory in a store that belongs to an account is recorded in the transaction that
makes it. Bodies are in the form of the wire, redacted; a secret's clear text stays sealed beside
them. An operation that was sent once may have been applied, and is never changed again.
"""

from __future__ import annotations

import json
from collections import namedtuple
from datetime import timedelta

from claude_memory.memory import new_op_id, stamp
from claude_memory.store import shelf, state

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime
    from typing import Any, NamedTuple

    from claude_memory.memory import Memory

    Fields = dict[str, Any]

    class Pending(NamedTuple):
        """One operation of the outbox; `sealed` is what its secret was sealed as, or None.

        `seen` is what its author saw in the fields that an update changes.
        """

        seq: int
        op_id: str
        uid: str
        kind: str
        base: int | None
        body: Fields
        sealed: bytes | None
        attempts: int
        state: str
        error: str
        created_at: str
        seen: Fields

else:
    Pending = namedtuple(
        "Pending",
        "seq op_id uid kind base body sealed attempts state error created_at seen",
    )

LONGEST = timedelta(hours=1)  # an operation is never put off for as long
COLUMNS = ", ".join(Pending._fields)
STUCK = "state = 'queued' AND sealed IS NOT NULL AND error <> ''"
EDITABLE = (
    *("content", "category", "tags", "expanded_keywords", "importance"),
    *("scope", "project", "supersedes", "expires_at"),
)
MADE = (*EDITABLE, "is_sensitive", "session", "session_seq", "source", "created_at")
RESTORES = "restores"
NULLED = ("supersedes", "expires_at")  # empty here, null on the wire


def is_bound(connection: sqlite3.Connection) -> bool:
    """Tell whether this store belongs to an account, so that its changes are to be sent."""
    return bool(state.get(connection, state.ACCOUNT))


def made(connection: sqlite3.Connection, memory: Memory, now: str) -> None:
    """Record that a memory was made."""
    if is_bound(connection):
        _record(connection, memory.uid, "create", body_of(memory, MADE), now=now)


def changed(
    connection: sqlite3.Connection,
    before: Memory,
    after: Memory,
    now: str,
    also: tuple[str, ...],
) -> None:
    """Record which fields of a memory were changed; some are `also` sent, whatever they say."""
    names = [
        name for name in EDITABLE if name in also or getattr(after, name) != getattr(before, name)
    ]
    if "content" in names or after.is_sensitive != before.is_sensitive:
        names.append("is_sensitive")
    if names and is_bound(connection):
        shelf.forget(connection, after.uid)
        seen = body_of(before, names)
        _record(connection, after.uid, "update", body_of(after, names), now=now, seen=seen)


def deleted(connection: sqlite3.Connection, uid: str, now: str, *, forever: bool) -> None:
    """Record a delete; `forever` erases the server's history too, and lets nothing else be sent."""
    if is_bound(connection) and not forever:
        _record(connection, uid, "delete", {}, now=now)
    elif is_bound(connection):
        base, waiting = _version(connection, uid), drop(connection, uid)
        if base or not waiting or any(op.attempts or op.kind != "create" for op in waiting):
            put(connection, uid, "delete", {"purge": True}, base=base, at=now)


def seal(connection: sqlite3.Connection, uid: str, sealed: bytes) -> None:
    """Attach a seal to the latest change of a memory, unless that was sent already."""
    connection.execute(
        "UPDATE pending_ops SET sealed = ? WHERE attempts = 0 AND seq = "
        "(SELECT max(seq) FROM pending_ops WHERE uid = ?)",
        (sealed, uid),
    )


def restores(connection: sqlite3.Connection, uid: str, former: Fields) -> None:
    """Note which state the latest change of a memory brings back, unless that was sent already.

    The server keeps the secret of that state and finds it by the uid and version of `former`.
    """
    last = newest(connection, uid)
    if last is not None and not last.attempts and last.kind in {"create", "update"}:
        body = _text({**last.body, RESTORES: former})
        connection.execute("UPDATE pending_ops SET body = ? WHERE seq = ?", (body, last.seq))


def body_of(memory: Memory, names: tuple[str, ...] | list[str]) -> Fields:
    """Return the named fields of a memory in the form of the wire."""
    body = {name: getattr(memory, name) for name in names}
    for name in NULLED:
        if name in body:
            body[name] = body[name] or None
    return body


def _record(
    connection: sqlite3.Connection,
    uid: str,
    kind: str,
    body: Fields,
    *,
    now: str,
    seen: Fields | None = None,
) -> None:
    last = newest(connection, uid)
    if last is None:
        put(connection, uid, kind, body, base=_version(connection, uid), at=now, seen=seen)
    elif last.state == "queued" and (last.attempts or last.kind == "replay"):
        # What it builds on is known once that is settled.
        put(connection, uid, kind, body, base=None, at=now, seen=seen)
    else:
        _fold(connection, last, kind, body, now=now, seen=seen or {})


def _version(connection: sqlite3.Connection, uid: str) -> int:
    row = connection.execute("SELECT sv FROM memories WHERE uid = ?", (uid,)).fetchone()
    return int(row[0]) if row else 0


def put(
    connection: sqlite3.Connection,
    uid: str,
    kind: str,
    body: Fields,
    *,
    base: int | None,
    at: str,
    sealed: bytes | None = None,
    seen: Fields | None = None,
) -> None:
    """Append an operation; without a base, what it builds on is filled in when it is sent."""
    connection.execute(
        "INSERT INTO pending_ops (op_id, uid, kind, base, body, sealed, created_at, seen) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (new_op_id(), uid, kind, base, _text(body), sealed, at, _text(seen or {})),
    )


def _fold(
    connection: sqlite3.Connection,
    last: Pending,
    kind: str,
    body: Fields,
    *,
    now: str,
    seen: Fields,
) -> None:
    """Fold a change into an operation that was never sent, or was rejected."""
    if kind == "delete" and last.kind == "create" and not _version(connection, last.uid):
        remove(connection, last.op_id)  # the server never hears of it
        return
    keeps_seal = kind != "delete" and "content" not in body
    connection.execute(
        "UPDATE pending_ops SET op_id = ?, kind = ?, body = ?, seen = ?, sealed = ?, attempts = 0, "
        "state = 'queued', error = '', next_at = '', created_at = ? WHERE seq = ?",
        (
            new_op_id(),
            "delete" if kind == "delete" and last.kind != "replay" else last.kind,
            _text(_merged(last, kind, body)),
            _text({**seen, **last.seen}),
            last.sealed if keeps_seal else None,
            now,
            last.seq,
        ),
    )


def _merged(last: Pending, kind: str, body: Fields) -> Fields:
    """Return the body of an operation that another change is folded into."""
    if last.kind != "replay":
        return body if kind == "delete" != last.kind else {**last.body, **body}
    if kind == "delete":
        return {**last.body, "deleted": True, "fields": None}
    fields, changed = last.body["fields"], {*last.body.get("changed", ()), *body}
    if not fields:
        return last.body
    return {**last.body, "fields": {**fields, **body}, "changed": sorted(changed)}


def newest(connection: sqlite3.Connection, uid: str) -> Pending | None:
    """Return the latest operation of a memory, or None."""
    return _one(connection, "uid = ? ORDER BY seq DESC LIMIT 1", uid)


def oldest(connection: sqlite3.Connection, uid: str) -> Pending | None:
    """Return the first operation of a memory, or None."""
    return _one(connection, "uid = ? ORDER BY seq LIMIT 1", uid)


def get(connection: sqlite3.Connection, op_id: str) -> Pending | None:
    """Return an operation, or None when it was settled meanwhile."""
    return _one(connection, "op_id = ?", op_id)


def of_memory(connection: sqlite3.Connection, uid: str) -> list[Pending]:
    """Return the operations of a memory in their order."""
    return _all(connection, "uid = ? ORDER BY seq", uid)


def due(connection: sqlite3.Connection, now: datetime, most: int) -> list[Pending]:
    """Return what may be sent now: the first operation of each memory, oldest first.

    What would have to wait for more than LONGEST is due: a wrong clock has put it off.
    """
    return _all(
        connection,
        "state = 'queued' AND (next_at <= ? OR next_at > ?) "
        "AND NOT EXISTS (SELECT 1 FROM pending_ops earlier "
        "WHERE earlier.uid = pending_ops.uid AND earlier.seq < pending_ops.seq) "
        "ORDER BY seq LIMIT ?",
        stamp(now),
        stamp(now + LONGEST),
        most,
    )


def mark(connection: sqlite3.Connection, ops: list[Pending]) -> list[Pending]:
    """Note that operations are about to be sent; return those that are still as they were.

    What they build on is filled in where it was left open.
    """
    marked = []
    for op in ops:
        found = get(connection, op.op_id)
        if found is None or found.state != "queued":
            continue
        base = _version(connection, op.uid) if found.base is None else found.base
        connection.execute(
            "UPDATE pending_ops SET attempts = attempts + 1, base = ? WHERE seq = ?",
            (base, op.seq),
        )
        marked.append(found._replace(base=base, attempts=found.attempts + 1))
    return marked


def remove(connection: sqlite3.Connection, op_id: str) -> None:
    """Forget a settled operation."""
    connection.execute("DELETE FROM pending_ops WHERE op_id = ?", (op_id,))


def build_on(
    connection: sqlite3.Connection, uid: str, before: int | None, present: Memory | None, after: int
) -> None:
    """Fill in the base of the next operation of a memory, if that was left open.

    It is version `after` where the `present` memory still has what the author saw in the fields
    that the operation changes; else it is `before`, so that nothing unseen is overwritten.
    """
    following = oldest(connection, uid)
    if following is None or following.base is not None:
        return
    is_seen = present is not None and following.seen == body_of(present, list(following.seen))
    connection.execute(
        "UPDATE pending_ops SET base = ? WHERE seq = ?",
        (after if is_seen else before, following.seq),
    )


def postpone(connection: sqlite3.Connection, op_id: str, until: str, error: str) -> None:
    """Try an operation again later, for the reason given."""
    connection.execute(
        "UPDATE pending_ops SET next_at = ?, error = ? WHERE op_id = ?", (until, error, op_id)
    )


def reject(connection: sqlite3.Connection, op: Pending, error: str) -> None:
    """Keep an operation that the server refuses for good, for a person to mend.

    What was changed since is folded into it and tried again; a later delete takes its place. One
    that is gone was settled, or sent anew after a restore, by another session: nothing is kept.
    """
    if get(connection, op.op_id) is None:
        return
    connection.execute(
        "UPDATE pending_ops SET state = 'rejected', error = ? WHERE seq = ?", (error, op.seq)
    )
    for later in of_memory(connection, op.uid)[1:]:
        remove(connection, later.op_id)
        first = oldest(connection, op.uid)
        if first is None:  # a create that was never accepted, and its delete
            continue
        _fold(connection, first, later.kind, later.body, now=later.created_at, seen=later.seen)
        if later.sealed:
            seal(connection, op.uid, later.sealed)


def drop(connection: sqlite3.Connection, uid: str) -> list[Pending]:
    """Forget what was to be sent of a memory; return it."""
    waiting = of_memory(connection, uid)
    connection.execute("DELETE FROM pending_ops WHERE uid = ?", (uid,))
    return waiting


def count(connection: sqlite3.Connection, kind: str = "queued") -> int:
    """Count the operations that are queued, or rejected."""
    query = "SELECT count(*) FROM pending_ops WHERE state = ?"
    return int(connection.execute(query, (kind,)).fetchone()[0])


def rejected(connection: sqlite3.Connection, most: int) -> list[Pending]:
    """Return what the server refused, oldest first."""
    return _all(connection, "state = 'rejected' ORDER BY seq LIMIT ?", most)


def stuck(connection: sqlite3.Connection, most: int) -> list[Pending]:
    """Return what waits because its secret could not be opened, oldest first."""
    return _all(connection, f"{STUCK} ORDER BY seq LIMIT ?", most)


def count_stuck(connection: sqlite3.Connection) -> int:
    """Count what waits because its secret could not be opened."""
    query = f"SELECT count(*) FROM pending_ops WHERE {STUCK}"  # noqa: S608  (a fixed condition)
    return int(connection.execute(query).fetchone()[0])


def is_pending(connection: sqlite3.Connection, uid: str) -> bool:
    """Tell whether changes of a memory wait to be sent or settled."""
    query = "SELECT 1 FROM pending_ops WHERE uid = ? AND state = 'queued' LIMIT 1"
    return connection.execute(query, (uid,)).fetchone() is not None


def renew(connection: sqlite3.Connection, ops: list[Pending]) -> None:
    """Queue operations anew, behind all others and as new ones: no server knows them."""
    for op in ops:
        remove(connection, op.op_id)
        put(
            connection,
            op.uid,
            op.kind,
            op.body,
            base=None,
            at=op.created_at,
            sealed=op.sealed,
            seen=op.seen,
        )
        if op.state == "rejected":
            connection.execute(
                "UPDATE pending_ops SET state = 'rejected', error = ? "
                "WHERE seq = last_insert_rowid()",
                (op.error,),
            )


def _one(connection: sqlite3.Connection, where: str, *values: object) -> Pending | None:
    found = _all(connection, where, *values)
    return found[0] if found else None


def _all(connection: sqlite3.Connection, where: str, *values: object) -> list[Pending]:
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM pending_ops WHERE {where}",  # noqa: S608  (fixed conditions)
        values,
    )
    return [
        Pending._make((*row[:5], json.loads(row[5]), *row[6:-1], json.loads(row[-1])))
        for row in rows
    ]


def _text(body: Fields) -> str:
    return json.dumps(body, ensure_ascii=False)
