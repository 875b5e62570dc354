"""A session starts: how many memories there are, what failed, and what always matters here. Hot."""

from __future__ import annotations

import os

from claude_memory import errors, paths
from claude_memory.hooks import injection, opening
from claude_memory.store import (
    bindings,
    failures,
    lines,
    news,
    overview,
    ownership,
    proposals,
    sessions,
    state,
    waiting,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from typing import Any

    from claude_memory.hooks.context import Context

WEIGHTIEST = 5  # memories
WEIGHTIEST_ROOM = 1_200  # characters, header included
FAILURES_TOLD = 5
WELCOME = (
    "claude-memory is ready. Say 'remember that ...' and Claude keeps it for every later session, "
    "in every project. /memory:status shows what it holds, /memory:setup what can be set."
)
NONE = "claude-memory: no memories yet."
FETCHING = (
    "claude-memory: no memories here yet. Those on the server are fetched as soon as it answers."
)
READ_ONLY = (
    "claude-memory can keep nothing new and gives no memory by itself now; memory_recall finds "
    "those that are there"
)
DIRECT = (
    "claude-memory: HTTP-only mode. Memories are on the server and none is given to you by itself: "
    "call memory_recall when one may help."
)


def answer(event: dict[str, Any], context: Context) -> dict[str, Any] | None:
    """Greet a session; a resumed one hears only what is new."""
    if context.direct:
        failed = [*_half_set(context), *_failures(context.home)]
        return _said(event, "\n".join([DIRECT, *failed]), "\n".join(failed))
    to_user = ""
    try:
        connection = context.connection()
        if connection is None:
            told, to_user = _empty(context)
        else:
            told, to_user = _greet(event, context, connection)
    except errors.StoreBusy:
        raise  # it passes; the next greeting tells
    except errors.StoreError as error:
        # Told at once: where the folder is at fault, nothing can be noted for later.
        told = [f"{_still_able(context, error)}: {error.sentence()}"]
        to_user = told[0]
    failed = [*_half_set(context), *_failures(context.home)]
    text = "\n".join([*told[:1], *failed, *told[1:]])
    return _said(event, text, "\n".join(filter(None, [to_user, *failed])))


def _still_able(context: Context, error: errors.StoreError) -> str:
    """Say what a store that refuses to be written is good for, as far as it can be read."""
    is_kept_from_writing = isinstance(
        error, (errors.StoreFull, errors.StoreNewer, errors.StoreReadOnly)
    )
    if is_kept_from_writing and opening.can_be_read(bindings.of(context.home, context.server)):
        return READ_ONLY
    return "claude-memory cannot work"


def _empty(context: Context) -> tuple[list[str], str]:
    """Greet where no store can be read yet: the server makes it, or brings it up to date."""
    path = bindings.of(context.home, context.server)
    if opening.is_waiting(path):
        return ["claude-memory is bringing its memories up to date."], ""
    opening.try_out(context.home)
    if os.path.basename(path) == bindings.FIRST:
        head = FETCHING if context.server else NONE
        return [head], _welcome(head)
    told = [news.NEW_KEY, *news.elsewhere(waiting.beside(path))]
    return told, "\n".join(told)


def _greet(
    event: dict[str, Any], context: Context, connection: sqlite3.Connection
) -> tuple[list[str], str]:
    session = str(event["session_id"])
    everywhere, here = overview.counts(connection, context.project)
    is_first = not everywhere and not here and not sessions.any_known(connection)
    is_new = not session or sessions.begin(connection, session, context.project, context.now)
    if event.get("source") == "clear" and not is_new:
        sessions.compacted(connection, session, context.project, context.now)
        is_new = True
    weighty = overview.weightiest(connection, context.project, context.now, WEIGHTIEST)
    room = min(WEIGHTIEST_ROOM, injection.size(context))
    memories = injection.inject(
        event, context, connection, weighty, characters=room, most=WEIGHTIEST
    )
    counted = _counted(everywhere, here) or _none(context, connection)
    head = counted + _to_review(connection) if is_new else ""
    full = paths.without_room(context.home)
    told = [full] if full else []
    told += news.trouble(connection, context.now, context.server) if is_new else []
    trouble = "\n".join(told)
    if is_first and counted and not full and not ownership.former(connection):
        told = [_welcome(counted), *told]
    return [line for line in (head, trouble, memories) if line], "\n".join(told)


def _welcome(head: str) -> str:
    return f"{head}\n{WELCOME}" if head == FETCHING else WELCOME


def _none(context: Context, connection: sqlite3.Connection) -> str:
    """Say that there are no memories, unless a server may have some."""
    if not context.server or state.get(connection, state.LAST_OK):
        return NONE
    return "" if waiting.is_for_a_new_key(connection) else FETCHING  # a new key is told of


def _counted(everywhere: int, here: int) -> str:
    total = everywhere + here
    if not total:
        return ""
    held = lines.counted(total, "memory")
    return f"claude-memory: {held} here ({everywhere} global, {here} for this project)."


def _to_review(connection: sqlite3.Connection) -> str:
    count = proposals.count(connection)
    return f" Learnt and waiting for the user's review in /memory:status: {count}." if count else ""


def _half_set(context: Context) -> list[str]:
    return [f"claude-memory: {sentence}" for sentence in context.complaints]


def _failures(home: str) -> list[str]:
    """Say once what failed since the last greeting."""
    found = failures.take(home)
    told = [_failure(one) for one in found[:FAILURES_TOLD]]
    rest = len(found) - len(told)
    return [*told, f"{rest} other things failed as well."] if rest else told


def _failure(one: failures.Failure) -> str:
    times = f", {one.times} times" if one.times > 1 else ""
    return lines.plain(f"claude-memory failed ({one.where}, {one.at[:16]}{times}): {one.text}")


def _said(event: dict[str, Any], text: str, to_user: str) -> dict[str, Any] | None:
    said = injection.additional(event, text) if text else {}
    if to_user:
        said["systemMessage"] = to_user
    return said or None
