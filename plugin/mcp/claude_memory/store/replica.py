"""The server's states as this store knows them, and the visible row that follows from them. Hot.

A visible row is `view(srv, ops)`: the server's last known state, then each change of the outbox in
its order. It is written anew in the transaction that changes either side. A state is taken only if
its version is not older than the one known.
"""

from __future__ import annotations

import json
from datetime import datetime, timezone

from claude_memory import paths
from claude_memory.errors import BadInput
from claude_memory.memory import CATEGORIES, SCOPES, SOURCES, Memory, moment, stamp
from claude_memory.store import failures, history, memories, outbox, purge, seals
from claude_memory.store.connection import StoreConnection
from claude_memory.store.rows import COLUMNS, FIELDS, to_memory

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from typing import Any

    from claude_memory.store.outbox import Pending

    Fields = dict[str, Any]

ENDED = "Memory #{} was purged on another machine, and with it a change made here but not sent yet."
TIMES = ("expires_at", "created_at", "updated_at")
DEFAULTS: Fields = {
    "content": "",
    "category": "facts",
    "tags": "",
    "expanded_keywords": "",
    "importance": 0.5,
    "is_sensitive": False,
    "scope": "global",
    "project": "",
    "session": "",
    "session_seq": 0,
    "source": "user",
    "supersedes": None,
    "expires_at": None,
    "created_at": "",
    "updated_at": "",
}


def view(srv: Fields | None, ops: Iterable[Pending]) -> Fields | None:
    """Return the fields that a person sees, or None where nothing is to be seen."""
    shown = dict(srv) if srv is not None and is_live(srv) else None
    for op in ops:
        if op.kind == "create":
            if srv is None:
                shown = {**op.body, "updated_at": op.created_at}
        elif op.kind == "update":
            if shown is not None:
                shown = {**shown, **op.body, "updated_at": op.created_at}
        elif op.kind == "replay":
            shown = None if op.body["deleted"] else dict(op.body["fields"])
        else:
            shown = None
    return shown


def is_live(srv: Fields) -> bool:
    """Tell a server's live row from a tombstone."""
    return not srv.get("deleted_at") and isinstance(srv.get("content"), str)


def take(
    connection: sqlite3.Connection,
    srv: Fields,
    gen: int | None = None,
    *,
    at: int = 0,
    keeps: bool = True,
) -> bool:
    """Take a state that the server gave, unless a newer one is known; tell whether it was taken.

    `gen` stamps the row as part of a full dump. `at` is the account's version when the state was
    read: a version known here between the state's and that one can only be damage. Where it
    `keeps` the state before, what it changes can be undone.
    """
    uid, version = srv["uid"], srv["version"]
    known = connection.execute("SELECT sv, srv FROM memories WHERE uid = ?", (uid,)).fetchone()
    if known is not None and gen is not None:
        connection.execute("UPDATE memories SET gen = ? WHERE uid = ?", (gen, uid))
    # An equal version is the same state; taking it again mends a row that was damaged here.
    if known is not None and known[0] > version and known[0] > at:
        return False
    text = json.dumps(srv, ensure_ascii=False)
    if srv.get(purge.PURGED) and not (known and _is_purged(known[1])):
        _follow_purge(connection, srv)
    if known is None:
        _bring(connection, srv, (version, text, is_live(srv), gen or 0))
        return True
    connection.execute(
        "UPDATE memories SET sv = ?, srv = ?, srv_live = ?, no = ?, gen = coalesce(?, gen) "
        "WHERE uid = ?",
        (version, text, is_live(srv), srv["id"], gen, uid),
    )
    show(connection, uid, known[0] if keeps and known[0] < version else 0)
    return True


def _is_purged(srv: str | None) -> bool:
    return bool(json.loads(srv or "{}").get(purge.PURGED))


def _follow_purge(connection: sqlite3.Connection, srv: Fields) -> None:
    """Erase what is left here of a memory that was purged elsewhere, sent or not.

    With it go those that it came back from: where that was before there was a server, that knows
    nothing of them.
    """
    for op in outbox.drop(connection, srv["uid"]):
        _tell_ended(connection, op, srv)
    for uid in history.lineage(connection, srv["uid"]):
        purge.forget_origin(connection, uid)
        purge.forget(connection, uid)


def _tell_ended(connection: sqlite3.Connection, op: Pending, srv: Fields) -> None:
    """Have the next greeting say that a change is gone, though nobody may see any more which."""
    if op.kind in {"create", "update"} and isinstance(connection, StoreConnection):
        home = paths.home_of(connection.path)
        failures.note(home, "sync", ENDED.format(srv["id"]), datetime.now(timezone.utc))


def _bring(connection: sqlite3.Connection, srv: Fields, kept: tuple[int, str, bool, int]) -> None:
    """Insert a memory that was made elsewhere, as it is shown."""
    bare = memories.BARE._replace(uid=srv["uid"], no=srv["id"])
    shown = view(srv, outbox.of_memory(connection, bare.uid))
    if shown is None:
        bare = bare._replace(updated_at=stamp_of(srv, bare))
    memory = bare if shown is None else memory_of(shown, bare)
    memories.lay_down(connection, memory, live=shown is not None, srv=kept)


def show(connection: sqlite3.Connection, uid: str, before_it: int = 0) -> None:
    """Write the visible row of a memory as it follows from the server's state and the outbox.

    `before_it` is the server's version before: if it is given, what changes can be undone here.
    """
    row = connection.execute(
        f"SELECT {COLUMNS}, live, srv FROM memories WHERE uid = ?",  # noqa: S608  (fixed names)
        (uid,),
    ).fetchone()
    if row is None:
        return
    before, was_live = to_memory(row), bool(row[len(FIELDS)])
    srv = json.loads(row[-1]) if row[-1] else None
    waiting = outbox.of_memory(connection, uid)
    shown = view(srv, waiting)
    if shown is None:
        if was_live:
            memories.lay_out(connection, uid, stamp_of(srv, before))
        return
    after = memory_of(shown, before)
    if before_it and was_live and not waiting and _differ(before, after):
        history.go_on(connection, uid)
        known = {history.FORMER: {"uid": uid, "version": before_it}}
        history.keep(connection, before, "edited", after.updated_at, known)
    if not was_live or _texts(after) != _texts(before):
        memories.lay_in(connection, after)
    elif after != before:
        memories.lay_beside(connection, after)


def _differ(before: Memory, after: Memory) -> bool:
    return any(getattr(before, name) != getattr(after, name) for name in outbox.EDITABLE)


def _texts(memory: Memory) -> tuple[str, str, str]:
    return memory.content, memory.tags, memory.expanded_keywords


def stamp_of(srv: Fields | None, before: Memory) -> str:
    """Return when a memory was deleted, as far as that is known."""
    return _time((srv or {}).get("deleted_at")) or before.updated_at


def memory_of(shown: Fields, before: Memory) -> Memory:
    """Build the Memory of a view; its uid and numbers are those of the row.

    A field that a newer server fills with what this version does not know becomes the default.
    """
    found: Fields = {name: _of_kind(shown.get(name), usual) for name, usual in DEFAULTS.items()}
    for name in TIMES:
        found[name] = _time(shown.get(name))
    for name, known in (("category", CATEGORIES), ("scope", SCOPES), ("source", SOURCES)):
        found[name] = found[name] if found[name] in known else known[0]
    return before._replace(**found)


def _of_kind(value: object, usual: object) -> object:
    if usual is None:
        return value if isinstance(value, str) else ""
    if isinstance(usual, float):
        return float(value) if isinstance(value, (int, float)) else usual
    return value if isinstance(value, type(usual)) else usual


def _time(value: object) -> str:
    if not isinstance(value, str) or not value:
        return ""
    try:
        return stamp(moment(value))
    except BadInput:
        return ""


def settle(
    connection: sqlite3.Connection, op: Pending, status: str, current: Fields | None, now: datetime
) -> None:
    """Take an operation that was applied, or lost a conflict, out of the outbox.

    A seal that is not needed any more, because the server keeps the secret now, becomes loose.
    """
    if _has_it(current, op):
        status = "applied"
    is_lost = status == "conflict" and not (current or {}).get(purge.PURGED)
    mine = _mine(connection, op) if is_lost else None
    outbox.remove(connection, op.op_id)
    if status == "applied":
        _send_rest(connection, op, current, now)
    if op.sealed and not is_lost:
        later = outbox.of_memory(connection, op.uid)
        if not any(one.sealed for one in later):  # else it brings its own
            seals.give_up(connection, op.uid)
    present = _present(connection, current) if status == "applied" else None
    outbox.build_on(connection, op.uid, op.base, present, current["version"] if current else 0)
    if current is None or not take(connection, current, keeps=not is_lost):
        show(connection, op.uid)
    if is_lost:
        _shelve(connection, op, mine, current, now)
    elif current is not None and status == "conflict":
        _tell_ended(connection, op, current)


def _has_it(current: Fields | None, op: Pending) -> bool:
    """Tell whether the server's state is what an operation says, whoever else has said it.

    So it is where one that was restored twice had been given back the same by another machine.
    """
    said = op.body["fields"] if op.kind == "replay" else op.body
    if current is None or op.sealed or not said:
        return False
    if op.kind == "update" and outbox.RESTORES in said:
        return False  # the secret that it brings back may be another than the one there
    names = [name for name in outbox.EDITABLE if name in said]
    return is_live(current) and all(current.get(name) == said[name] for name in names)


def _send_rest(
    connection: sqlite3.Connection, op: Pending, current: Fields | None, now: datetime
) -> None:
    """Send what was changed since a replay was refused, where the server took it for done.

    It does where it has not lost the memory, and knows nothing of the changes folded into it.
    """
    if op.kind != "replay" or current is None or not is_live(current):
        return
    waiting, mine, base = outbox.of_memory(connection, op.uid), op.body["fields"], op.body["was"]
    changed = op.body.get("changed", ())
    rest = {name: mine[name] for name in changed if mine and mine[name] != current.get(name)}
    if rest or not mine:
        kind = "update" if mine else "delete"
        at, sealed = stamp(now), op.sealed
        outbox.put(connection, op.uid, kind, rest, base=base, at=at, sealed=sealed)
        outbox.renew(connection, waiting)


def _present(connection: sqlite3.Connection, current: Fields | None) -> Memory | None:
    """Return the memory as the server has it now, in the form of this store."""
    if current is None or not is_live(current):
        return None
    row = connection.execute(
        f"SELECT {COLUMNS} FROM memories WHERE uid = ?",  # noqa: S608  (fixed names)
        (current["uid"],),
    ).fetchone()
    return memory_of(current, to_memory(row)) if row else None


def _shelve(
    connection: sqlite3.Connection,
    op: Pending,
    mine: Memory | None,
    current: Fields | None,
    now: datetime,
) -> None:
    """Keep an edit that lost: on the shelf, and where memory_update with restore finds it."""
    connection.execute(
        "INSERT INTO shelf (op_id, uid, body, reason, at) VALUES (?, ?, ?, 'conflict', ?) "
        "ON CONFLICT (op_id) DO NOTHING",
        (op.op_id, op.uid, json.dumps(op.body, ensure_ascii=False), stamp(now)),
    )
    if mine is not None:
        is_gone = current is None or not is_live(current)
        entry = history.keep(connection, mine, "deleted" if is_gone else "edited", stamp(now), {})
        if op.sealed:
            seals.hand_over(connection, op.uid, seals.unpacked(op.sealed), entry)


def _mine(connection: sqlite3.Connection, op: Pending) -> Memory | None:
    """Return the memory as the author of an operation left it.

    A page may have told already that it was deleted elsewhere: then it is what the edit says of it.
    """
    row = connection.execute(
        f"SELECT {COLUMNS}, srv FROM memories WHERE uid = ?",  # noqa: S608  (fixed names)
        (op.uid,),
    ).fetchone()
    if row is None:
        return None
    srv = json.loads(row[-1]) if row[-1] else None
    if srv is not None and op.kind == "update" and "content" in op.body:
        srv = {**srv, "content": op.body["content"], "deleted_at": None}
    shown = view(srv, [op])
    return memory_of(shown, to_memory(row)) if shown is not None else None


def give_way(connection: sqlite3.Connection, op: Pending) -> bool:
    """Drop a create if the server has the memory in the same words; tell whether it has.

    The seal goes too: the server, which another machine gave the secret, is asked for it.
    """
    row = connection.execute(
        "SELECT srv FROM memories WHERE uid = ? AND srv_live = 1", (op.uid,)
    ).fetchone()
    if row is None or op.kind != "create":
        return False
    srv = json.loads(row[0])
    if not srv.get("is_sensitive") or srv.get("content") != op.body["content"]:
        return False
    outbox.remove(connection, op.op_id)
    seals.give_up(connection, op.uid)
    show(connection, op.uid)
    return True


def forget_state(connection: sqlite3.Connection, uid: str) -> None:
    """Forget what the server said of a memory; it stays visible only by what the outbox holds."""
    connection.execute("UPDATE memories SET sv = 0, srv = NULL, srv_live = 0 WHERE uid = ?", (uid,))
    show(connection, uid)


def mend(connection: sqlite3.Connection, after: int, most: int, now: datetime) -> int | None:
    """Compare the next rows with their views and put right what differs.

    A memory of which neither the server nor the outbox knows is sent rather than hidden.

    Returns:
        Where to go on, or None at the end.
    """
    rows = connection.execute(
        f"SELECT {COLUMNS}, live, srv, rid FROM memories WHERE rid > ? "  # noqa: S608
        "ORDER BY rid LIMIT ?",
        (after, most),
    ).fetchall()
    for row in rows:
        memory, lives, srv = to_memory(row), row[-3], row[-2]
        if lives and not srv and outbox.newest(connection, memory.uid) is None:
            query = "UPDATE memories SET sv = 0, srv_live = 0 WHERE uid = ?"
            connection.execute(query, (memory.uid,))
            outbox.made(connection, memory, stamp(now))
        else:
            show(connection, memory.uid)
    return rows[-1][-1] if len(rows) == most else None
