"""What a person should know of syncing: how it stands, what waits, what was refused or lost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from claude_memory import paths
from claude_memory.memory import moment, numbered
from claude_memory.store import bindings, memories, outbox, state, waiting
from claude_memory.store.lines import counted, plain
from claude_memory.sync import standing

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from claude_memory.settings import Settings
    from claude_memory.sync.standing import Standing

SHOWN = 5  # rejected changes and conflicts listed at most
STATES = {
    "local": "waiting for the server's first answer",
    "backoff": "interrupted, and tried again by itself",
    "key": "stopped, the key is not accepted",
    "upgrade": "stopped, server and plugin speak no common version",
    "setting": "stopped until a setting is corrected",
}
SUCCESS_NOTED_WITHIN = 60.0  # seconds
VERBS = {"create": "store", "update": "change", "delete": "delete", "replay": "take back"}
ELSEWHERE = {
    waiting.NEW: "{what} stored under another key or server address, which no server has accepted "
    "yet, {wait} in {path}. That may be another person's, so it does not come here by itself; it "
    "is sent when those are set again. If they were mistyped, `server.py import '{file}'` "
    "(/memory:setup runs it) brings it here.",
    waiting.FORMER: "{what} that this key's former account had on this machine {wait} in {path}. "
    "The key opens another account now: the former one was erased, or the server was restored to "
    "a time before it. `server.py import '{file}'` (/memory:setup runs it) brings all of it here "
    "and to the server; to be rid of it, delete that file.",
    waiting.SYNCED: "{what} synced under another key or server address {wait} in {path}. As soon "
    "as the server has said that this key opens the same account, all of it is shown; another "
    "account's stays there.",
    waiting.COPY: "{what} that this store lacks {wait} in {path}, a copy made by another program, "
    "perhaps because two machines share the folder. `server.py import '{file}'` "
    "(/memory:setup runs it) brings all of it here; to be rid of it, delete that file.",
}
OF_SESSIONS = "as set in Claude Code; this shell has no MEMORY_API_KEY, and does not ask it"
UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))


def lines(
    connection: sqlite3.Connection, settings: Settings, now: datetime
) -> list[tuple[str, str]]:
    """Return where to and how far it is synced."""
    if not settings.is_synced:
        return [("Queue", left(connection, settings) or "nothing to send: this store is local")]
    found = standing.read(connection)
    how = _state(connection, found, settings, now)
    return [
        ("Server", plain(settings.api_url) if settings.syncs else OF_SESSIONS),
        ("Sync", f"{how}; {_last_success(found, now)}"),
        ("Queue", _queue(connection, found)),
    ]


def _state(
    connection: sqlite3.Connection, found: Standing, settings: Settings, now: datetime
) -> str:
    if found.state in STATES and (found.state == "local" or _is_ours(found, settings)):
        seconds = standing.seconds_to_wait(connection, now) if found.state == "backoff" else 0
        return STATES[found.state] + (f" within {_span(seconds)}" if seconds else "")
    if state.get(connection, state.IN_FULL_DUMP) == "1":
        query = "SELECT count(*) FROM memories WHERE gen = ? AND srv_live = 1"
        got = connection.execute(query, (int(state.get(connection, state.GEN, "0")),)).fetchone()[0]
        return f"receiving: {got} of {max(got, found.expected)} memories are here"
    if found.queued > found.stuck and not found.is_read_only:
        return "sending"
    if not found.last_ok:
        return "not synced yet, the first exchange is under way"
    if not state.get(connection, state.CURSOR):
        return "asking for everything anew"
    return _in_step(found, settings.sync_interval, now)


def _in_step(found: Standing, interval: float, now: datetime) -> str:
    """Say since when that is not known any more: a session begins before the server is asked."""
    is_fresh = _seconds_since_success(found, now) < 2 * interval + SUCCESS_NOTED_WITHIN
    return "in step" if is_fresh else "in step when the server was last asked"


def _last_success(found: Standing, now: datetime) -> str:
    if not found.last_ok:
        return "no success yet"
    seconds = _seconds_since_success(found, now)
    ago = "" if seconds < 0 else f" ({_span(seconds)} ago)"
    return f"last success {found.last_ok[:16]}Z{ago}"


def _seconds_since_success(found: Standing, now: datetime) -> float:
    return (now - moment(found.last_ok)).total_seconds()


def _span(seconds: float) -> str:
    """Write a length of time as a person says it."""
    for length, name in UNITS:
        if seconds >= length:
            return counted(int(seconds // length), name)
    return counted(max(1, int(seconds)), "second")


def to_send(connection: sqlite3.Connection, found: Standing) -> int:
    """Return how many changes wait; before its first answer a server has none of the memories."""
    if outbox.is_bound(connection):
        return found.queued
    return memories.count(connection)


def left(connection: sqlite3.Connection, settings: Settings) -> str:
    """Say what waits in a store that is synced no more, or that never was under its key."""
    is_for_a_server = outbox.is_bound(connection) or bindings.is_kept_for_a_key(
        paths.database(settings.home)
    )
    queued = to_send(connection, standing.read(connection)) if is_for_a_server else 0
    return (
        f"{counted(queued, 'change')} to send, once a server and its key are set again"
        if queued
        else ""
    )


def _queue(connection: sqlite3.Connection, found: Standing) -> str:
    there, live = connection.execute(
        "SELECT total(sv > 0), count(*) FROM memories WHERE live = 1"
    ).fetchone()
    if not outbox.is_bound(connection):  # what the first answer of a server will queue
        return f"{counted(live, 'change')} to send" if live else "nothing to send yet"
    if not found.queued:
        return "everything is sent"
    queued = counted(found.queued, "change")
    return f"{queued} to send; {there:.0f} of {live} memories are on the server"


def attention(connection: sqlite3.Connection, settings: Settings) -> list[str]:
    """Return what needs a person, each with its fix."""
    now = standing.read(connection)
    found = _troubles(now, settings) if settings.is_synced else []
    found += [_stuck(connection, op) for op in outbox.stuck(connection, SHOWN)]
    if now.stuck > SHOWN:
        found.append(
            f"{counted(now.stuck - SHOWN, 'change')} more cannot be sent for want of a secret."
        )
    found += [_refused(connection, op) for op in outbox.rejected(connection, SHOWN)]
    if now.rejected > SHOWN:
        found.append(f"{counted(now.rejected - SHOWN, 'change')} more refused by the server.")
    found += _conflicts(connection)
    if now.conflicts > SHOWN:
        more = now.conflicts - SHOWN
        found.append(f"{more} more conflict{'s' * (more != 1)} with changes made elsewhere.")
    return found + [elsewhere(one) for one in waiting.files(connection)]


def error(now: Standing, settings: Settings) -> str:
    """Return why the last exchange ended early, unless it was with another server or key."""
    return now.last_error if _is_ours(now, settings) else ""


def _is_ours(now: Standing, settings: Settings) -> bool:
    """Tell whether trouble came with the server and the key of these settings."""
    mine = bindings.used(settings.api_url, settings.api_key, settings.session_key)
    return now.error_by == mine


def _troubles(now: Standing, settings: Settings) -> list[str]:
    found = []
    if said := error(now, settings):
        found.append(f"Sync: {said}")
    if now.is_read_only:
        found.append(
            "Sync: this key may only read. What is stored here stays here until a key with the "
            "scope 'write' is set."
        )
    if now.clock_off:
        found.append(f"Sync: {clock(now.clock_off)}")
    return found


def clock(off: float) -> str:
    """Say that this machine's clock is wrong, and what follows from it."""
    side = "ahead of" if off > 0 else "behind"
    return (
        f"This computer's clock is {_span(abs(off))} {side} the server's: set it, because the "
        "dates of memories and what expires follow it."
    )


def _stuck(connection: sqlite3.Connection, op: outbox.Pending) -> str:
    return (
        f"{_name(connection, op.uid)} is not sent, because its secret cannot be opened: "
        f"{plain(op.error)} It is tried again by itself; memory_update with the whole text anew "
        "sends that, and memory_delete discards it."
    )


def _refused(connection: sqlite3.Connection, op: outbox.Pending) -> str:
    return (
        f"The server refused to {VERBS[op.kind]} {_name(connection, op.uid)} ({plain(op.error)}). "
        "It is kept here: change it with memory_update to try again, or discard it with "
        "memory_delete."
    )


def _conflicts(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute(
        "SELECT uid, body, at FROM shelf ORDER BY at DESC LIMIT ?", (SHOWN,)
    ).fetchall()
    return [_conflict(connection, *row) for row in rows]


def _conflict(connection: sqlite3.Connection, uid: str, text: str, at: str) -> str:
    body = json.loads(text)
    mine = body.get("fields") or body  # of what was given back to a restored server, or changed
    lost = json.dumps(mine.get("content", mine), ensure_ascii=False)
    present = memories.get(connection, uid)
    theirs = json.dumps(present.content, ensure_ascii=False) if present else "deleted"
    return (
        f"{_name(connection, uid)} was changed here and elsewhere ({at[:16]}Z). Kept: {theirs}. "
        f"Yours: {lost}; memory_update with id {_name(connection, uid)} and restore=true takes "
        "yours back."
    )


def _name(connection: sqlite3.Connection, uid: str) -> str:
    row = connection.execute("SELECT no, local_no FROM memories WHERE uid = ?", (uid,)).fetchone()
    return uid if row is None or row == (None, None) else numbered(*row)


def elsewhere(one: waiting.Waiting) -> str:
    """Say what a file beside the store holds, why that is not here, and how it comes here."""
    what, wait = counted(one.held, "memory"), "waits" if one.held == 1 else "wait"
    path = plain(one.path)
    quoted = path.replace("'", "'\\''")  # for a shell
    return ELSEWHERE[one.kind].format(what=what, wait=wait, path=path, file=quoted)
