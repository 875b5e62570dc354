"""How the memory is doing: counts, learning, injections, and everything that needs a person."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from typing import TYPE_CHECKING

from claude_memory import paths
from claude_memory.memory import moment, numbered, stamp
from claude_memory.service import secrets, syncing
from claude_memory.service.interface import Status
from claude_memory.store import (
    failures,
    history,
    judge_calls,
    memories,
    network,
    proposals,
    purge,
    sessions,
    turns,
    weighings,
)
from claude_memory.store.lines import counted, plain
from claude_memory.store.rows import REPLACED
from claude_memory.sync import standing

if TYPE_CHECKING:
    import sqlite3

    from claude_memory.service.place import Place
    from claude_memory.settings import Settings
    from claude_memory.store.connection import StoreConnection

EXPIRED = "(expires_at <> '' AND expires_at <= ?)"
SHOWN = 10  # proposals and failures listed at most


def status(place: Place, settings: Settings) -> Status:
    """Return mode, counts and everything that needs a person."""
    connection = place.connection()
    lines = [
        ("Mode", settings.mode),
        ("Store", f"{plain(place.database)} ({_megabytes(place.database)})"),
        ("Project", plain(place.project) or "none (this folder belongs to no project)"),
        ("Memories", _counts(connection, place)),
        *syncing.lines(connection, settings, place.now()),
        ("Learning", _learning(connection, settings, place)),
        ("Injected today", _injected(connection, place)),
    ]
    reasons = weighings.last(connection)
    if reasons:
        lines.append(("Given to the last prompts", "\n  ".join(["", *reasons]).lstrip(" ")))
    waiting = _waiting(connection)
    if waiting:
        lines.append(("To review", waiting))
    return Status(tuple(lines), tuple(_attention(connection, place, settings)))


def _megabytes(path: str) -> str:
    size = sum(os.path.getsize(path + end) for end in ("", "-wal") if os.path.exists(path + end))
    return f"{size / 1_048_576:.1f} MB"


def _counts(connection: sqlite3.Connection, place: Place) -> str:
    total, everywhere, here, sensitive = connection.execute(
        "SELECT count(*), total(scope = 'global'), total(scope = 'project' AND project = ?), "  # noqa: S608
        f"total(is_sensitive) FROM memories WHERE +live = 1 AND NOT {EXPIRED}",  # (row by row)
        (place.project, stamp(place.now())),
    ).fetchone()
    deleted = history.count(connection, "deleted")
    return (
        f"{total} ({everywhere:.0f} global, {here:.0f} for this project only), "
        f"{sensitive:.0f} sensitive, {deleted} deleted that can still be restored"
        + _superseded(connection, place)
        + _expired(connection, place)
    )


def _superseded(connection: sqlite3.Connection, place: Place) -> str:
    """Say how many of those that are counted no list shows."""
    query = (
        f"SELECT count(*) FROM memories m WHERE live = 1 AND NOT {EXPIRED} "  # noqa: S608
        "AND uid IN (SELECT supersedes FROM memories INDEXED BY memories_by_successor "
        "WHERE live = 1 AND supersedes <> '') "
        f"AND EXISTS (SELECT 1 FROM memories s WHERE {REPLACED})"
    )
    count = connection.execute(query, (stamp(place.now()),)).fetchone()[0]
    return f", {count} superseded, so not shown" if count else ""


def _expired(connection: sqlite3.Connection, place: Place) -> str:
    rows = connection.execute(
        f"SELECT no, local_no FROM memories WHERE live = 1 AND {EXPIRED} "  # noqa: S608
        "ORDER BY expires_at DESC",
        (stamp(place.now()),),
    ).fetchall()
    if not rows:
        return ""
    named = [numbered(*row) for row in rows[:SHOWN]]
    more = " and others" if len(rows) > SHOWN else ""
    fix = "memory_update with a later expires_at shows it again"
    return f", {len(rows)} expired ({', '.join(named)}{more}; {fix})"


def _learning(connection: sqlite3.Connection, settings: Settings, place: Place) -> str:
    calls, tokens_in, tokens_out = judge_calls.today(connection, place.now())
    learned = connection.execute(
        "SELECT count(*) FROM memories WHERE +live = 1 AND source = 'auto-learn'"
    ).fetchone()[0]
    return (
        f"{settings.learn}, judge {_judge(settings)}; {learned} learned in all; today {calls} of "
        f"{settings.learn_daily} judge calls, {tokens_in} tokens in, {tokens_out} out; "
        f"{counted(turns.count(connection).queued, 'turn')} waiting"
    )


def _judge(settings: Settings) -> str:
    is_missing = settings.judge == "claude" and not paths.find_claude()
    return "none, as there is no program `claude`" if is_missing else settings.judge


def _injected(connection: sqlite3.Connection, place: Place) -> str:
    midnight = place.now().replace(hour=0, minute=0, second=0, microsecond=0)
    return f"{sessions.tokens_injected_since(connection, stamp(midnight))} tokens"


def _waiting(connection: sqlite3.Connection) -> str:
    found = proposals.listed(connection, SHOWN)
    if not found:
        return ""
    shown = (
        f"L{one.local_no} [{one.fields.get('category', 'facts')}] "
        f"{json.dumps(one.fields['content'])} ({one.reason})"
        for one in found
    )
    total = proposals.count(connection)
    head = f"{total} proposed; memory_update with review=accept or reject:"
    return "\n  ".join([head, *shown])


def _attention(connection: StoreConnection, place: Place, settings: Settings) -> list[str]:
    found = list(settings.complaints)
    if connection.refusal is not None:
        found.append(connection.refusal.sentence())
    found += syncing.attention(connection, settings)
    found += filter(None, [paths.without_room(place.home), secrets.lost(connection, place.home)])
    found += failures.latest(place.home, SHOWN)
    failed = turns.count(connection).failed
    if failed:
        found.append(f"{counted(failed, 'turn')} could not be judged after {turns.TRIES} tries.")
    kind = network.file_system(place.database)
    if kind:
        found.append(
            f"The database is on a network file system ({kind}): slower, and unsafe on some "
            "servers. Set MEMORY_HOME to a folder on a local disk."
        )
    if purge.is_due(connection):
        found.append("A purge is not complete until all other sessions let go of the database.")
    ahead = _ahead(connection, place, settings)
    if ahead:
        found.append(ahead)
    return found


def _ahead(connection: sqlite3.Connection, place: Place, settings: Settings) -> str:
    """Say that a clock is wrong, unless the server's says that it is not this machine's."""
    if settings.is_synced and standing.is_clock_confirmed(connection):
        return ""
    newest = memories.newest_time(connection)
    if not newest or moment(newest) <= place.now() + timedelta(days=1):
        return ""
    return (
        f"The newest memory is dated {newest[:10]}: the clock of the machine that stored it "
        "was or is wrong."
    )
