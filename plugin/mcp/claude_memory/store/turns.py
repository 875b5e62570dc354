"""The queue of turns that auto-learn has still to look at. Hot: the Stop hook writes here.

A turn is queued, claimed by the one worker that holds the learn lock, and done; its text is deleted
with that. What stays of it is its number, a digest, so that the same turn is never queued twice.
The lock dies with its holder: a turn that the next holder finds claimed has lost its worker, and is
claimed again at once; after three such deaths it is kept as failed. `claimed_at` is the start of a
claim, and on a queued row the time before which none begins.

Every write runs inside the caller's transaction.
"""

from __future__ import annotations

from collections import namedtuple
from datetime import timedelta
from math import inf

from claude_memory.memory import moment, stamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime
    from typing import NamedTuple

QUEUE_LIMIT = 200  # turns; the oldest makes room
BODY_LIMIT = 16_384  # bytes
DONE_LIMIT = 1_000  # digests of turns that need not be seen again
TRIES = 3
NO_REST = timedelta(0)
LONGEST = timedelta(hours=1)  # no turn rests for as long, unless the clock was wrong

if TYPE_CHECKING:

    class Turn(NamedTuple):
        """What a user said in one turn, and where; `body` is JSON, `tries` counts this claim."""

        id: int
        session: str
        project: str
        at: str
        body: str
        tries: int

    class Counts(NamedTuple):
        """How many turns wait, and how many were given up."""

        queued: int
        failed: int

else:
    Turn = namedtuple("Turn", "id session project at body tries")
    Counts = namedtuple("Counts", "queued failed")

FIELDS = ", ".join(Turn._fields)
READY = "(state = 'claimed' OR (state = 'queued' AND (claimed_at <= ? OR claimed_at > ?)))"


def enqueue(
    connection: sqlite3.Connection,
    *,
    session: str,
    project: str,
    words: str,
    body: str,
    now: datetime,
    rest: timedelta = NO_REST,
) -> bool:
    """Queue a turn known by its session and the user's words; False when it was seen before.

    It is not claimed before its `rest` is over.
    """
    added = connection.execute(
        "INSERT OR IGNORE INTO turns (id, session, project, at, body, claimed_at)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (_digest(session, words), session, project, stamp(now), body, stamp(now + rest)),
    ).rowcount
    if added:
        _trim(connection, "state <> 'done'", QUEUE_LIMIT)
    return bool(added)


def claim(connection: sqlite3.Connection, now: datetime) -> Turn | None:
    """Take the oldest turn that is ready; turns that killed their worker thrice become failed.

    Only the holder of the learn lock may ask.
    """
    connection.execute(
        "UPDATE turns SET state = 'failed' WHERE state = 'claimed' AND tries >= ?", (TRIES,)
    )
    row = connection.execute(
        f"SELECT {FIELDS} FROM turns WHERE {READY} ORDER BY at, id LIMIT 1",  # noqa: S608
        (stamp(now), stamp(now + LONGEST)),
    ).fetchone()
    if row is None:
        return None
    turn = Turn._make(row)
    turn = turn._replace(tries=turn.tries + 1)
    connection.execute(
        "UPDATE turns SET state = 'claimed', claimed_at = ?, tries = ? WHERE id = ?",
        (stamp(now), turn.tries, turn.id),
    )
    return turn


def ready_in(connection: sqlite3.Connection, now: datetime) -> float:
    """Tell in how many seconds `claim` has something to do: 0 is now, infinity is not at all."""
    (at,) = connection.execute(
        "SELECT min(CASE state WHEN 'claimed' THEN '' ELSE claimed_at END) FROM turns"
        " WHERE state IN ('queued', 'claimed')"
    ).fetchone()
    if at is None:
        return inf
    rest = moment(at) - now if at else NO_REST
    return max(0.0, rest.total_seconds()) if rest <= LONGEST else 0.0


def finish(connection: sqlite3.Connection, turn: Turn) -> None:
    """Mark a turn as done and delete what was said."""
    connection.execute(
        "UPDATE turns SET state = 'done', body = '', project = '', session = '' WHERE id = ?",
        (turn.id,),
    )
    _trim(connection, "state = 'done'", DONE_LIMIT)


def forget(connection: sqlite3.Connection, session: str) -> None:
    """Drop what a session said that is not learned from yet, or was given up."""
    connection.execute(
        "UPDATE turns SET state = 'done', body = '', project = '', session = '' "
        "WHERE session = ? AND session <> '' AND state <> 'done'",
        (session,),
    )


def is_claimed(connection: sqlite3.Connection, turn: Turn) -> bool:
    """Tell whether a claimed turn was not forgotten meanwhile."""
    query = "SELECT 1 FROM turns WHERE id = ? AND state = 'claimed'"
    return connection.execute(query, (turn.id,)).fetchone() is not None


def postpone(connection: sqlite3.Connection, turn: Turn, until: datetime) -> None:
    """Give a turn back after a try that failed; it is not claimed before `until`."""
    _give_back(connection, turn, tries=turn.tries, at=stamp(until))


def release(connection: sqlite3.Connection, turn: Turn) -> None:
    """Give a turn back as if it had not been claimed."""
    _give_back(connection, turn, tries=turn.tries - 1, at="")


def fail(connection: sqlite3.Connection, turn: Turn) -> None:
    """Give a turn up; it is kept and shown."""
    connection.execute("UPDATE turns SET state = 'failed' WHERE id = ?", (turn.id,))


def count(connection: sqlite3.Connection) -> Counts:
    """Count the turns that wait (a claimed one among them) and those given up."""
    row = connection.execute(
        "SELECT coalesce(sum(state <> 'failed'), 0), coalesce(sum(state = 'failed'), 0) "
        "FROM turns WHERE state <> 'done'"
    ).fetchone()
    return Counts._make(row)


def learned(connection: sqlite3.Connection, session: str, source: str) -> int:
    """Count the live memories that `source` has stored from a session."""
    query = "SELECT count(*) FROM memories WHERE session = ? AND source = ? AND live = 1"
    return int(connection.execute(query, (session, source)).fetchone()[0])


def _give_back(connection: sqlite3.Connection, turn: Turn, *, tries: int, at: str) -> None:
    connection.execute(
        "UPDATE turns SET state = 'queued', claimed_at = ?, tries = ? "
        "WHERE id = ? AND state = 'claimed'",
        (at, tries, turn.id),
    )


def _trim(connection: sqlite3.Connection, which: str, limit: int) -> None:
    connection.execute(
        f"DELETE FROM turns WHERE id IN (SELECT id FROM turns WHERE {which} "  # noqa: S608
        "ORDER BY at DESC, id DESC LIMIT -1 OFFSET ?)",
        (limit,),
    )


def _digest(session: str, words: str) -> int:
    """Return 63 bits that stand for what was said in a session."""
    import hashlib  # 3 ms that no reading hook should pay

    text = f"{session}\0{words}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big") >> 1
