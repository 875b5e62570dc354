"""How a store stands with its server: kept in the store, so that every session knows it.

States: `local` (no server has answered yet), `ready`, and what stops the exchange for a time:
`backoff` (no answer), `key` (refused), `upgrade` (no common protocol), `setting` (leads to no
server).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from claude_memory import errors
from claude_memory.errors import BadInput
from claude_memory.memory import moment, stamp
from claude_memory.store import outbox, shelf, state
from claude_memory.store.connection import write

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from claude_memory.store.connection import StoreConnection
    from claude_memory.sync.chance import Chance
    from claude_memory.sync.wire import Hello

LONGEST = 900.0  # seconds between two tries where nothing answers
BLOCKED = 900.0  # seconds after which a refused key is shown again
LONGEST_GATE = 4_500.0  # whatever lies further ahead, the clock was wrong
NOTED_APART = timedelta(seconds=30)
GATE, FAILURES, CLOCK, EXPECTED = "not_before", "failures", "clock_off", "expected"
CLOCK_MAY_DIFFER = 300.0  # seconds from the server's


class Standing(NamedTuple):
    """How it stands; times are stamps, empty where there is none."""

    state: str
    last_ok: str
    last_error: str
    error_by: str  # the fingerprint of the server and the key that it came with
    queued: int
    stuck: int  # of these, what cannot be sent since its secret does not open
    rejected: int
    conflicts: int
    is_read_only: bool
    clock_off: float  # seconds by which this machine's clock is ahead, 0 where that is no trouble
    expected: int  # memories that the server had when it was asked last


def read(connection: sqlite3.Connection) -> Standing:
    """Return how this store stands with its server."""
    why = state.get(connection, state.BLOCKED)
    bound = outbox.is_bound(connection)
    return Standing(
        state=why or ("ready" if bound else "local"),
        last_ok=state.get(connection, state.LAST_OK),
        last_error=state.get(connection, state.LAST_ERROR),
        error_by=state.get(connection, state.ERROR_BY),
        queued=outbox.count(connection),
        stuck=outbox.count_stuck(connection),
        rejected=outbox.count(connection, "rejected"),
        conflicts=shelf.count(connection),
        is_read_only=bool(state.get(connection, state.READ_ONLY)),
        clock_off=float(state.get(connection, CLOCK) or 0),
        expected=int(state.get(connection, EXPECTED) or 0),
    )


def seconds_to_wait(connection: sqlite3.Connection, now: datetime) -> float:
    """Return for how long the server is to be left alone."""
    gate = state.get(connection, GATE)
    if not gate:
        return 0.0
    try:
        left = (moment(gate) - now).total_seconds()
    except BadInput:
        return 0.0
    return left if 0 < left <= LONGEST_GATE else 0.0


def is_silent(connection: sqlite3.Connection) -> bool:
    """Tell whether the server is left alone only because it did not answer."""
    return state.get(connection, state.BLOCKED) == "backoff"


def later(now: datetime, tries: int, chance: Chance) -> str:
    """Return when to try again after so many tries."""
    return stamp(now + timedelta(seconds=_pause(tries, chance)))


def _pause(tries: int, chance: Chance) -> float:
    """Return a random pause, longer after each try ("full jitter")."""
    return chance.uniform(0, min(LONGEST, 2.0 * 2 ** min(tries, 12)))


def failed(
    connection: StoreConnection,
    error: errors.RemoteError,
    now: datetime,
    chance: Chance,
    by: str,
) -> None:
    """Note why a pass ended early, with which server and key, and when to try again."""
    failures = _failures(connection) + 1
    why, seconds = "backoff", _pause(failures, chance)
    if isinstance(error, errors.RemoteBusy):
        seconds = error.retry_after * chance.uniform(1.0, 1.2)
    elif isinstance(error, (errors.KeyRefused, errors.ScopeMissing)):
        why, seconds = "key", BLOCKED
    elif isinstance(error, errors.UpgradeNeeded):
        why, seconds = "upgrade", BLOCKED
    elif isinstance(error, errors.SettingWrong):
        why, seconds = "setting", 0.0
    elif isinstance(error, errors.AccountMismatch):
        seconds = 0.0
    with write(connection, durable=False):
        state.put(connection, FAILURES, str(failures))
        state.put(connection, state.BLOCKED, why)
        state.put(connection, GATE, stamp(now + timedelta(seconds=seconds)))
        state.put(connection, state.LAST_ERROR, error.sentence())
        state.put(connection, state.ERROR_BY, by)


def _failures(connection: sqlite3.Connection) -> int:
    return int(state.get(connection, FAILURES) or 0)


def succeeded(connection: StoreConnection, now: datetime) -> None:
    """Note that a pass went through; seldom written while nothing else changes."""
    last, had_trouble = state.get(connection, state.LAST_OK), state.get(connection, state.BLOCKED)
    if not had_trouble and stamp(now - NOTED_APART) < last <= stamp(now):
        return
    with write(connection, durable=False):
        state.put(connection, state.LAST_OK, stamp(now))
        for key in (FAILURES, state.BLOCKED, GATE, state.LAST_ERROR):
            state.put(connection, key, "")


def greeted(connection: StoreConnection, hello: Hello, now: datetime) -> None:
    """Note what a server said of itself and of the key."""
    may_write(connection, is_allowed="write" in hello.scopes)
    _note(connection, EXPECTED, str(hello.live))
    off = clock_off(hello, now)
    _note(connection, CLOCK, f"{off:.0f}" if off else "")


def is_clock_confirmed(connection: sqlite3.Connection) -> bool:
    """Tell whether a server was asked, and its clock and this machine's say the same."""
    return bool(state.get(connection, state.LAST_OK)) and not state.get(connection, CLOCK)


def clock_off(hello: Hello, now: datetime) -> float:
    """Return by how many seconds this machine's clock is ahead; 0 where that is no trouble."""
    off = now.timestamp() - hello.clock if hello.clock else 0.0
    return off if abs(off) > CLOCK_MAY_DIFFER else 0.0


def may_write(connection: StoreConnection, *, is_allowed: bool) -> None:
    """Note whether the key may write; without that, what is queued waits for one that may."""
    _note(connection, state.READ_ONLY, "" if is_allowed else "1")


def _note(connection: StoreConnection, key: str, value: str) -> None:
    if state.get(connection, key) != value:
        with write(connection, durable=False):
            state.put(connection, key, value)
