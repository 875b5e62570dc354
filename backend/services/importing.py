"""Imports memories: every row is checked and made ready, then all are stored in one transaction."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING, Any
from uuid import uuid5

from anyio import to_thread
from pydantic import ValidationError

from backend.errors import Conflict, IdempotencyReused, Malformed
from backend.repositories import changes
from backend.schemas import IMPORT_LIMIT, Imported, ImportRow
from backend.services import reading, writing
from backend.services.preparing import Preparer
from backend.services.uids import KEYS, new_uid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from uuid import UUID

    from backend.db import Database
    from backend.repositories.rows import Row
    from backend.secrets.keeper import Keeper
    from backend.services.applying import Ready

AT_ONCE = 2_000  # rows in one statement
PATIENCE = 60  # seconds that a statement on all rows may take
ERRORS_SHOWN = 20
HEADER = ("claude-memory", 1)  # what begins an export of the plugin, and its version
LIST = "Send a JSON list of rows, or JSON lines as 'application/x-ndjson'."
SAME = 1e-6  # importance is kept in single precision


async def read(body: bytes, *, is_list: bool) -> list[ImportRow]:
    """Read the rows of a JSON list, or of JSON lines.

    Raises:
        Malformed: a row is not what an import takes; it is named.
    """
    return await to_thread.run_sync(read_list if is_list else read_lines, body, IMPORT_LIMIT)


async def store(
    database: Database,
    keeper: Keeper | None,
    account: UUID,
    rows: Sequence[ImportRow],
    *,
    idempotency_key: str = "",
    tell: Callable[[int], None] = lambda _done: None,
) -> list[Imported]:
    """Store all rows or none; rows that are there already, just so, stay as they are.

    `tell` hears how many rows were written so far.

    Raises:
        Conflict: a row's uid belongs to another memory; the row is named.
        IdempotencyReused: the key came with other rows before; the first of them is named.
        NoKeeper, KeeperDown: a row holds a secret that cannot be kept now.
    """
    uids = [_uid(account, row, place, idempotency_key) for place, row in enumerate(rows)]
    ready = await Preparer(account, keeper).rows(list(zip(uids, rows, strict=True)))
    async with database.transaction(account, seconds=PATIENCE) as connection:
        await changes.lock(connection, account)
        present = await changes.load(connection, account, uids)
        fresh = _missing(ready, present, [row.uid is None for row in rows])
        for begin in range(0, len(fresh), AT_ONCE):
            some = fresh[begin : begin + AT_ONCE]
            for outcome in await writing.apply_in(connection, account, some):
                assert outcome.row is not None  # noqa: S101  (a create was applied)
                present[outcome.row.uid] = outcome.row
            tell(begin + len(some))
    if fresh:
        database.note(account, min(present[one.uid].no for one in fresh))
    return [_imported(present[uid], row) for uid, row in zip(uids, rows, strict=True)]


def _missing(
    ready: Sequence[Ready], present: dict[UUID, Row], are_by_key: Sequence[bool]
) -> list[Ready]:
    """Return what is not stored yet; the uid of a row was given, or made from the key."""
    fresh: dict[UUID, Ready] = {}
    for number, (one, is_by_key) in enumerate(zip(ready, are_by_key, strict=True), 1):
        row = present.get(one.uid)
        if one.uid in fresh or (row is not None and not _is_same(row, one)):
            if is_by_key:
                message = f"Row {number}: this Idempotency-Key was used for another row."
                raise IdempotencyReused(message, row=number)
            raise Conflict(f"Row {number}: another memory has this uid.", row=number)
        if row is None:
            fresh[one.uid] = one
    return list(fresh.values())


def _is_same(row: Row, ready: Ready) -> bool:
    return row.is_live and all(
        getattr(row, name) == value
        or (name == "importance" and abs(row.importance - value) < SAME)
        or (name == "supersedes" and row.supersedes is None)  # it closed a circle
        for name, value in ready.fields.items()
    )


def _uid(account: UUID, row: ImportRow, place: int, idempotency_key: str) -> UUID:
    if row.uid:
        return row.uid
    return uuid5(KEYS, f"{account}:{idempotency_key}:{place}") if idempotency_key else new_uid()


def _imported(row: Row, given: ImportRow) -> Imported:
    left_out = {"history": given.history, "sealed": row.is_sensitive and row.secret is None}
    return Imported(
        id=row.no,
        uid=row.uid,
        category=row.category,
        importance=row.importance,
        left_out=[name for name, is_left in left_out.items() if is_left],
    )


def read_list(body: bytes, most: int = sys.maxsize) -> list[ImportRow]:
    """Read a JSON list of rows.

    Raises:
        Malformed: a row is not what an import takes and is named, or there are too many.
    """
    try:
        found = reading.loads(body)
    except (ValueError, RecursionError):
        raise Malformed("The body is no JSON.", fix=LIST, errors=[]) from None
    if not isinstance(found, list):
        raise Malformed("The body is no list of rows.", fix=LIST, errors=[])
    return _read_all(enumerate(found, 1), ImportRow.model_validate, most)


def read_lines(body: bytes, most: int = sys.maxsize) -> list[ImportRow]:
    """Read JSON lines; empty ones and headers are passed over.

    Raises:
        Malformed: a line is not what an import takes and is named, or there are too many.
    """
    lines = enumerate(io.BytesIO(body), 1)
    filled = ((number, line) for number, line in lines if line.strip())
    return _read_all(filled, _line, most)


def _line(line: bytes) -> ImportRow:
    row = ImportRow.model_validate_json(line)
    reading.loads(line)  # that takes the last of two values without a word
    return row


def _read_all(
    given: Iterable[tuple[int, Any]], read_one: Callable[[Any], ImportRow], most: int
) -> list[ImportRow]:
    """Read one row after the other, and stop early: a body may hold millions, all of them wrong."""
    rows: list[ImportRow] = []
    errors: list[dict[str, Any]] = []
    for number, row in given:
        if len(rows) >= most:
            message = f"These are more than {most} rows; nothing was stored."
            raise Malformed(message, fix=f"Send at most {most} at once.")
        try:
            rows.append(read_one(row))
        except Malformed as error:
            errors += [{"row": number, **one} for one in error.members["errors"]]
            break
        except ValidationError as error:
            header = _header(row)
            errors += _faults(number, error) if header is None else _unknown(number, header)
            if len(errors) >= ERRORS_SHOWN:
                break
    if errors:
        named = (str(errors[0][name]) for name in ("where", "message"))
        detail = ": ".join((f"Row {errors[0]['row']}", *filter(None, named)))
        raise Malformed(detail, errors=errors[:ERRORS_SHOWN])
    return rows


def _header(row: Any) -> tuple[object, object] | None:  # noqa: ANN401  (JSON can be anything)
    """Return the format and its version if this is the first line of an export of the plugin."""
    try:
        found = json.loads(row) if isinstance(row, bytes) else row
    except (ValueError, RecursionError):
        return None
    is_header = isinstance(found, dict) and "format" in found and "format_version" in found
    return (found["format"], found["format_version"]) if is_header else None


def _unknown(number: int, header: tuple[object, object]) -> list[dict[str, Any]]:
    """Refuse a format that may hold what is not known here; ours says nothing else of interest."""
    if header == HEADER:
        return []
    message = f"This server reads the format {HEADER[0]} {HEADER[1]} alone"
    return [{"row": number, "where": "format_version", "message": message}]


def _faults(number: int, error: ValidationError) -> list[dict[str, Any]]:
    """Say what is wrong with a row, and never what is in it."""
    found = error.errors(include_input=False, include_url=False, include_context=False)
    return [
        {
            "row": number,
            "where": ".".join(map(str, one["loc"])).encode("utf-8", "replace").decode()[:200],
            "message": one["msg"],
        }
        for one in found[:ERRORS_SHOWN]
    ]
