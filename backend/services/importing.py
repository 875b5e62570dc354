"""Imports memories: every row is checked and made ready, then all are stored in one transaction."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from uuid import uuid5

from anyio import to_thread
from pydantic import TypeAdapter, ValidationError

from backend.errors import Conflict, Malformed
from backend.repositories import changes
from backend.schemas import IMPORT_LIMIT, Imported, ImportRow
from backend.services import writing
from backend.services.preparing import Preparer
from backend.services.single import KEYS
from backend.services.uids import new_uid

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from backend.db import Database
    from backend.repositories.rows import Row
    from backend.secrets.keeper import Keeper
    from backend.services.applying import Ready

AT_ONCE = 2_000  # rows in one statement
PATIENCE = 60  # seconds that a statement on all rows may take
ROWS: TypeAdapter[list[ImportRow]] = TypeAdapter(list[ImportRow])
ERRORS_SHOWN = 20
SAME = 1e-6  # importance is kept in single precision


async def read(body: bytes, *, is_list: bool) -> list[ImportRow]:
    """Read the rows of a JSON list, or of JSON lines.

    Raises:
        Malformed: a row is not what an import takes; it is named.
    """
    rows = await to_thread.run_sync(read_list if is_list else read_lines, body)
    if len(rows) > IMPORT_LIMIT:
        raise Malformed(f"These are {len(rows)} rows; send at most {IMPORT_LIMIT} at once.")
    return rows


def _silent(_done: int) -> None:
    """Tell nobody."""


async def store(
    database: Database,
    keeper: Keeper | None,
    account: UUID,
    rows: Sequence[ImportRow],
    *,
    idempotency_key: str = "",
    tell: Callable[[int], None] = _silent,
) -> list[Imported]:
    """Store all rows or none; rows that are there already, just so, stay as they are.

    `tell` hears how many rows were written so far.

    Raises:
        Conflict: a row's uid belongs to another memory; the row is named.
        NoKeeper, KeeperDown: a row holds a secret that cannot be kept now.
    """
    uids = [_uid(account, row, place, idempotency_key) for place, row in enumerate(rows)]
    ready = await Preparer(account, keeper).rows(list(zip(uids, rows, strict=True)))
    async with database.transaction(account, seconds=PATIENCE) as connection:
        await changes.lock(connection, account)
        present = await changes.load(connection, account, uids)
        fresh = _missing(ready, present)
        for begin in range(0, len(fresh), AT_ONCE):
            some = fresh[begin : begin + AT_ONCE]
            for outcome in await writing.apply_in(connection, account, some):
                assert outcome.row is not None  # noqa: S101  (a create was applied)
                present[outcome.row.uid] = outcome.row
            tell(begin + len(some))
    return [_imported(present[uid]) for uid in uids]


def _missing(ready: Sequence[Ready], present: dict[UUID, Row]) -> list[Ready]:
    """Return what is not stored yet."""
    fresh: dict[UUID, Ready] = {}
    for number, one in enumerate(ready, 1):
        row = present.get(one.uid)
        if one.uid in fresh or (row is not None and not _is_same(row, one)):
            raise Conflict(f"Row {number}: another memory has this uid.", row=number)
        if row is None:
            fresh[one.uid] = one
    return list(fresh.values())


def _is_same(row: Row, ready: Ready) -> bool:
    return row.is_live and all(
        getattr(row, name) == value or (name == "importance" and abs(row.importance - value) < SAME)
        for name, value in ready.fields.items()
    )


def _uid(account: UUID, row: ImportRow, place: int, idempotency_key: str) -> UUID:
    if row.uid:
        return row.uid
    return uuid5(KEYS, f"{account}:{idempotency_key}:{place}") if idempotency_key else new_uid()


def _imported(row: Row) -> Imported:
    return Imported(id=row.no, uid=row.uid, category=row.category, importance=row.importance)


def read_list(body: bytes) -> list[ImportRow]:
    """Read a JSON list of rows, however many.

    Raises:
        Malformed: a row is not what an import takes; it is named.
    """
    try:
        return ROWS.validate_json(body)
    except ValidationError as error:
        if error.errors(include_input=False)[0]["type"] == "json_invalid":
            return _read_loosely(body)
        raise _malformed(error) from None


def _read_loosely(body: bytes) -> list[ImportRow]:
    """Name the row of a text that is no text, which a strict parser cannot."""
    try:
        return ROWS.validate_python(json.loads(body))
    except ValidationError as error:
        raise _malformed(error) from None
    except (ValueError, RecursionError):
        raise Malformed("The body is no JSON.", errors=[]) from None


def read_lines(body: bytes) -> list[ImportRow]:
    """Read JSON lines, however many; empty ones are passed over.

    Raises:
        Malformed: a line is not what an import takes; it is named.
    """
    rows = []
    for place, line in enumerate(body.splitlines()):
        if not line.strip():
            continue
        try:
            rows.append(ImportRow.model_validate_json(line))
        except ValidationError as error:
            raise _malformed(error, place) from None
    return rows


def _malformed(error: ValidationError, place: int | None = None) -> Malformed:
    """Name the rows that are wrong, counted from 1, and what is wrong with them."""
    errors = []
    for one in error.errors(include_input=False, include_url=False)[:ERRORS_SHOWN]:
        where = one["loc"] if place is None else (place, *one["loc"])
        row = where[0] + 1 if where and isinstance(where[0], int) else None
        named = ".".join(map(str, where[1:])).encode("utf-8", "replace").decode()
        errors.append({"row": row, "where": named[:200], "message": one["msg"]})
    first = errors[0]
    row_named = f"Row {first['row']}" if first["row"] else "The body"
    return Malformed(f"{row_named}: {first['where']}: {first['message']}", errors=errors)
