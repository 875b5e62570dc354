"""The record of every call of the judge: when, for which session, what it used, what came of it.

A call is written down before it is made, so that the daily cap holds even when it ends badly.
Every write runs inside the caller's transaction.
"""

from __future__ import annotations

from collections import namedtuple
from datetime import timedelta

from claude_memory.memory import stamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime
    from typing import NamedTuple

KEPT_DAYS = 90
CUT_OFF = "stopped"  # the outcome of a call that ended with its session

if TYPE_CHECKING:

    class Usage(NamedTuple):
        """Calls and tokens of one day (UTC)."""

        calls: int
        input_tokens: int
        output_tokens: int

else:
    Usage = namedtuple("Usage", "calls input_tokens output_tokens")


def begin(connection: sqlite3.Connection, session: str, now: datetime) -> int:
    """Write down that a call is about to be made; return its number."""
    connection.execute("DELETE FROM judge_calls WHERE at < ?", (stamp(now - timedelta(KEPT_DAYS)),))
    row = connection.execute(
        "INSERT INTO judge_calls (at, session, input_tokens, output_tokens, outcome) "
        "VALUES (?, ?, 0, 0, 'begun')",
        (stamp(now), session),
    )
    return int(row.lastrowid or 0)


def end(
    connection: sqlite3.Connection,
    number: int,
    *,
    input_tokens: int,
    output_tokens: int,
    outcome: str,
) -> None:
    """Write down what a call used and what came of it."""
    connection.execute(
        "UPDATE judge_calls SET input_tokens = ?, output_tokens = ?, outcome = ? WHERE id = ?",
        (input_tokens, output_tokens, outcome, number),
    )


def is_cut_off(connection: sqlite3.Connection) -> bool:
    """Tell whether the last call ended with its session, before it was answered."""
    query = "SELECT outcome FROM judge_calls ORDER BY id DESC LIMIT 1"
    row = connection.execute(query).fetchone()
    return row is not None and row[0] == CUT_OFF


def today(connection: sqlite3.Connection, now: datetime) -> Usage:
    """Return the usage of this day (UTC), over all sessions of this store."""
    row = connection.execute(
        "SELECT count(*), coalesce(sum(input_tokens), 0), coalesce(sum(output_tokens), 0) "
        "FROM judge_calls WHERE substr(at, 1, 10) = ?",
        (stamp(now)[:10],),
    ).fetchone()
    return Usage._make(row)
