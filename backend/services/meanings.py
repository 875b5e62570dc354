"""Writes beside memories what they mean: at once for few, else in the background.

A vector is written only while its memory is still the text that was read; whoever changes a text
takes away what it meant. A model says which table and which edition of words its vectors are of, so
another table is noticed, and everything is read anew.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from anyio import to_thread

from backend import meaning
from backend.errors import Unavailable
from backend.repositories import changes, meanings
from backend.repositories.rows import Meaning
from backend.services import accounts, words

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from uuid import UUID

    from backend.db import Database
    from backend.meaning import Table
    from backend.repositories.meanings import Lacking
    from backend.semantic import Semantic
    from backend.services.applying import Ready

    Read = Callable[[Sequence[str]], Awaitable[list[bytes]]]

AT_ONCE = 20  # operations whose texts are read before they are written
PAGE = 100  # memories
PAUSE, LAP = 30.0, 3_600.0  # seconds until new memories are read, and until all are looked through
SOON = 1.0  # the former, where new memories wait for the model
SHARE = 0.05  # of the time that reading in the background takes at most


def model_of(table: Table) -> str:
    """Return what vectors are stored under: which table they are of, and which edition of words."""
    return f"{table.model}.{words.EDITION}"


def understood(ready: Sequence[Ready]) -> Sequence[Ready]:
    """Return operations with what their texts mean, before any transaction; not for very many."""
    table = meaning.table()
    if table is None or len(ready) > AT_ONCE:
        return ready
    return [
        replace(one, meaning=_meaning(table, one.fields["content"]))
        if "content" in one.fields and not one.is_sensitive
        else one
        for one in ready
    ]


def _meaning(table: Table, content: str) -> Meaning:
    vector = table.vector(content)
    return Meaning(model_of(table), vector, meaning.signs(vector))


@dataclass
class Filled:
    """How far filling up has come."""

    accounts: int = 0
    memories: int = 0


async def fill(
    database: Database,
    *,
    semantic: Semantic | None = None,
    share: float = 1.0,
    tell: Callable[[Filled], None] = lambda _filled: None,
) -> Filled:
    """Write what all memories mean that lack it, and drop what other tables said.

    It goes from account to account and can be stopped and begun again at any time. It works for
    that share of the time. `tell` hears of each page.

    Raises:
        Unavailable: the database does not answer.
    """
    total = Filled()
    async for account in accounts.every(database):
        await fill_account(database, account, total, semantic=semantic, share=share, tell=tell)
        total.accounts += 1
    return total


async def keep_filling(
    database: Database,
    failed: Callable[[str, BaseException], None],
    semantic: Semantic | None,
) -> None:
    """Fill up for ever, a little at a time: what has just been stored soon, and all now and then.

    Whatever goes wrong is told, and tried again.
    """
    next_lap = time.monotonic() + PAUSE
    while True:
        await asyncio.sleep(SOON if semantic else PAUSE)
        try:
            if time.monotonic() >= next_lap:
                await fill(database, semantic=semantic, share=SHARE)
                next_lap = time.monotonic() + LAP
            while database.to_fill:
                await _fill_noted(database, semantic)
        except Unavailable:
            continue
        except Exception as error:  # noqa: BLE001  (recall goes by words meanwhile)
            failed("", error)


async def _fill_noted(database: Database, semantic: Semantic | None) -> None:
    """Fill up what was noted of one account; it stays noted while the database is away."""
    account, first = database.to_fill.popitem()
    try:
        await fill_account(
            database, account, Filled(), semantic=semantic, after=first - 1, share=SHARE
        )
    except Unavailable:
        database.note(account, first)
        raise


async def fill_account(
    database: Database,
    account: UUID,
    total: Filled,
    *,
    semantic: Semantic | None,
    share: float,
    after: int = 0,
    tell: Callable[[Filled], None] = lambda _filled: None,
) -> None:
    """Write what the memories of one account mean that lack it, from behind a number on."""
    readers = _readers(semantic)
    for model, read in readers.items():
        place: int | None = after
        while place is not None:
            begun = time.monotonic()
            place = await _page(database, account, (model, read), place, total)
            tell(total)
            await asyncio.sleep((time.monotonic() - begun) * (1 / share - 1))
    are_all_there = semantic is None or semantic.loaded is not None
    if not readers or not are_all_there or after:
        return
    if await meanings.has_others(database, account, list(readers)):
        async with database.transaction(account, seconds=meanings.PATIENCE) as connection:
            await meanings.drop_others(connection, account, list(readers))


def _readers(semantic: Semantic | None) -> dict[str, Read]:
    """Return what reads texts, by the names of the models."""
    found: dict[str, Read] = {}
    table = meaning.table()
    if table is not None:
        found[model_of(table)] = partial(_read, table)
    if semantic is not None and semantic.loaded is not None:
        found[semantic.loaded.model] = semantic.vectors
    return found


async def _read(table: Table, texts: Sequence[str]) -> list[bytes]:
    return await to_thread.run_sync(table.vectors, texts)


async def _page(
    database: Database, account: UUID, by: tuple[str, Read], after: int, total: Filled
) -> int | None:
    """Read the next memories behind a number for a model; return the last one's number."""
    model, read = by
    rows = await meanings.page(database, account, model, after, PAGE)
    if not rows:
        return None
    vectors = await read([row.content for row in rows])
    known = {
        row.no: Meaning(model, vector, meaning.signs(vector))
        for row, vector in zip(rows, vectors, strict=True)
    }
    await _write(database, account, rows, known)
    total.memories += len(rows)
    return rows[-1].no


async def _write(
    database: Database, account: UUID, rows: Sequence[Lacking], read: dict[int, Meaning]
) -> None:
    """Write what was read under the lock of the account, for what has not changed since."""
    found = {
        row.no: words.extra_words(row.content, row.tags, row.expanded_keywords) for row in rows
    }
    async with database.transaction(account, seconds=meanings.PATIENCE) as connection:
        await changes.lock(connection, account)
        same = await meanings.unchanged(connection, account, rows)
        reworded = [
            (row.no, found[row.no]) for row in rows if row.no in same and found[row.no] != row.words
        ]
        await meanings.reword(connection, account, reworded)
        await changes.mean(connection, account, {no: read[no] for no in read if no in same})
