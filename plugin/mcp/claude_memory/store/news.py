"""What the greeting says of syncing: only what a person has to do something about. Hot."""

from __future__ import annotations

import os
from datetime import timedelta

from claude_memory.memory import stamp
from claude_memory.store import outbox, shelf, state, waiting
from claude_memory.store.lines import counted

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

SILENT_FOR = timedelta(days=1)
BLOCKS = ("key", "upgrade", "setting")  # what time alone does not mend
NEW_KEY = (
    "claude-memory: this key or server address is new on this machine. Its memories are here as "
    "soon as the server has answered."
)
ELSEWHERE = {
    waiting.NEW: "stored under another key or server address: /memory:status says how to bring "
    "{them} here.",
    waiting.FORMER: "synced with another account than the one that this key opens now: "
    "/memory:status says how to bring {them} here.",
    waiting.SYNCED: "synced under another key or server address: shown as soon as the server has "
    "said that this key opens the same account.",
    waiting.COPY: "a copy made by another program: /memory:status says how to bring {them} here.",
}


def trouble(connection: sqlite3.Connection, now: datetime, server: str) -> list[str]:
    """Return sentences on what keeps memories from being synced, mostly none.

    `server` is the fingerprint of the server and the key that are set, or empty.
    """
    stopped = _interrupted(connection, now, server) if server else ""
    new = NEW_KEY if server and waiting.is_for_a_new_key(connection) else ""
    told = new, stopped, _refused(connection), _conflicts(connection)
    return [sentence for sentence in told if sentence] + elsewhere(waiting.files(connection))


def _interrupted(connection: sqlite3.Connection, now: datetime, server: str) -> str:
    is_ours = state.get(connection, state.ERROR_BY) == server
    error = state.get(connection, state.LAST_ERROR) if is_ours else ""
    if not outbox.is_bound(connection):
        return f"claude-memory does not sync yet: {error}" if error else ""
    queued = outbox.count(connection)
    is_silent = state.get(connection, state.LAST_OK) < stamp(now - SILENT_FOR)
    if error and (state.get(connection, state.BLOCKED) in BLOCKS or (queued and is_silent)):
        return f"claude-memory does not sync ({_waiting(queued)}): {error}"
    if queued and state.get(connection, state.READ_ONLY):
        return f"claude-memory only receives ({_waiting(queued)}): its key may only read."
    return ""


def _waiting(queued: int) -> str:
    return f"{counted(queued, 'change')} {'waits' if queued == 1 else 'wait'}"


def _refused(connection: sqlite3.Connection) -> str:
    count = outbox.count(connection, "rejected")
    return (
        f"The server refused {counted(count, 'change')}: /memory:status shows why." if count else ""
    )


def _conflicts(connection: sqlite3.Connection) -> str:
    count = shelf.count(connection)
    if not count:
        return ""
    lost = counted(count, "change")
    return f"{lost} lost against another machine's: /memory:status shows both texts."


def elsewhere(files: list[waiting.Waiting]) -> list[str]:
    """Return a sentence on each file beside the store that holds memories which are not in it."""
    return [_held(one) for one in files]


def _held(one: waiting.Waiting) -> str:
    wait, them = ("waits", "it") if one.held == 1 else ("wait", "them")
    how = ELSEWHERE[one.kind].format(them=them)
    return f"{counted(one.held, 'memory')} {wait} in {os.path.basename(one.path)}, {how}"
