"""The one write path's statements, and the one feed statement. Each names the account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from psycopg.rows import class_row, dict_row, tuple_row
from pydantic_core import to_json

from backend.errors import Unavailable
from backend.lives import NewLife
from backend.repositories import history
from backend.repositories.rows import COLUMNS, NAMES, NAMES_OF_M, Account, Done, Kept, Meaning, Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from uuid import UUID

    from psycopg import AsyncConnection

    from backend.services.applying import Batch

KINDS = {  # of the columns that are no text
    "uid": "uuid",
    "no": "bigint",
    "version": "bigint",
    "importance": "real",
    "is_sensitive": "boolean",
    "secret": "bytea",
    "bound": "uuid",
    "session_seq": "integer",
    "supersedes": "uuid",
    "expires_at": "timestamptz",
    "created_at": "timestamptz",
    "updated_at": "timestamptz",
    "deleted_at": "timestamptz",
    "purged": "boolean",
    "restored_from": "uuid",
    "replayed_from": "bigint",
    "field_versions": "jsonb",
}
HEX = "bytea"  # is written in JSON as hexadecimal digits
TYPED = ", ".join(f"{name} {KINDS.get(name, 'text').replace(HEX, 'text')}" for name in COLUMNS)
READ = ", ".join(
    f"decode(r.{name}, 'hex')" if KINDS.get(name) == HEX else f"r.{name}" for name in COLUMNS
)
SETS = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS if name not in {"uid", "no"})
# All rows of a batch are one parameter: an array for each column costs three times as much. Ids to
# look for are an array in binary form (%b), which is made five times faster than one of texts.
SAVE_ROWS = (
    f"INSERT INTO memories (account_id, {NAMES}) "
    f"SELECT %s::uuid, {READ} FROM json_to_recordset(%s::json) AS r ({TYPED}) "
    f"ON CONFLICT (account_id, uid) DO UPDATE SET {SETS}"
)
SAVE_OPS = (
    "INSERT INTO ops (account_id, at, op_id, request_hash, status, uid) "
    "SELECT %s::uuid, %s::timestamptz, o.op_id, decode(o.request_hash, 'hex'), o.status, o.uid "
    "FROM json_to_recordset(%s::json) "
    "AS o (op_id uuid, request_hash text, status text, uid uuid)"
)
SAVE_HISTORY = (
    "INSERT INTO history (account_id, at, uid, op_id, kind, payload, secret) "
    "SELECT %s::uuid, %s::timestamptz, h.uid, h.op_id, h.kind, h.payload, decode(h.secret, 'hex') "
    "FROM json_to_recordset(%s::json) "
    "AS h (uid uuid, op_id uuid, kind text, payload jsonb, secret text)"
)
MEAN = (
    "INSERT INTO meanings (account_id, model, no, vector, signs) "
    "SELECT %s::uuid, m.model, m.no, decode(m.vector, 'hex'), m.signs "
    "FROM json_to_recordset(%s::json) "
    "AS m (model text, no bigint, vector text, signs bit varying) "
    "ON CONFLICT (account_id, no, model) DO UPDATE "
    "SET vector = excluded.vector, signs = excluded.signs"
)
SUPERSEDED = (
    "WITH RECURSIVE chain AS (SELECT m.uid, m.supersedes FROM memories m "
    "WHERE m.account_id = %(account)s AND m.uid = ANY(%(uids)s) AND m.supersedes IS NOT NULL "
    "UNION SELECT m.uid, m.supersedes FROM chain c JOIN memories m ON m.account_id = %(account)s "
    "AND m.uid = c.supersedes AND m.supersedes IS NOT NULL) SELECT uid, supersedes FROM chain"
)
FORMERS = (
    "WITH RECURSIVE former AS (SELECT unnest(%(uids)s::uuid[]) AS uid UNION "
    # Each is looked up by its key: the planner would take them for ten times as many, and read all.
    "SELECT b.uid FROM former f, LATERAL (SELECT m.restored_from AS uid FROM memories m "
    "WHERE m.account_id = %(account)s AND m.uid = f.uid OFFSET 0) b WHERE b.uid IS NOT NULL) "
    "SELECT uid FROM former"
)
FAILED = (
    "INSERT INTO failures AS f (account_id, op_id, tries) VALUES (%s, %s, 1) ON CONFLICT "
    "(account_id, op_id) DO UPDATE SET tries = f.tries + 1, at = excluded.at RETURNING tries"
)
PAST = (
    "SELECT coalesce((SELECT e.base_version FROM account_epochs e WHERE e.account_id = a.id "
    "ORDER BY e.ordinal DESC LIMIT 1), 0), a.horizon FROM accounts a WHERE a.id = %(account)s"
)
LOCK = "SELECT version, next_no, live, digest, at AS now, epoch, is_known_life FROM memory_lock(%s)"


async def lock(connection: AsyncConnection[Any], account: UUID) -> Account:
    """Lock the account's row, the first lock of every write, and read its counters.

    Raises:
        Unavailable: the account was erased a moment ago, and this server did not know yet.
        NewLife: versions given out now could be those of an earlier life.
    """
    cursor = connection.cursor(row_factory=dict_row)
    row = await (await cursor.execute(LOCK, (account,))).fetchone()
    if row is None:
        raise Unavailable("This account was erased a moment ago.")
    if not row.pop("is_known_life"):
        raise NewLife
    return Account(id=account, **row)


async def look_back(connection: AsyncConnection[Any], account: Account) -> None:
    """Read what a replay is judged by: where the present epoch began, and what may be purged."""
    cursor = connection.cursor(row_factory=tuple_row)
    row = await (await cursor.execute(PAST, {"account": account.id})).fetchone()
    assert row is not None  # noqa: S101  (the account is locked)
    account.lost_after, account.horizon = row


async def load(
    connection: AsyncConnection[Any], account: UUID, uids: Sequence[UUID]
) -> dict[UUID, Row]:
    """Read the rows with these uids, tombstones included."""
    cursor = connection.cursor(row_factory=class_row(Row))
    query = f"SELECT {NAMES} FROM memories WHERE account_id = %s AND uid = ANY(%b)"
    await cursor.execute(query, (account, list(uids)))
    return {row.uid: row async for row in cursor}


async def superseded(
    connection: AsyncConnection[Any], account: UUID, uids: Sequence[UUID]
) -> dict[UUID, UUID]:
    """Read what these memories supersede, and what those do, to the end; few supersede any."""
    cursor = connection.cursor(row_factory=tuple_row)
    await cursor.execute(SUPERSEDED, {"account": account, "uids": list(uids)})
    return dict(await cursor.fetchall())


async def formers(
    connection: AsyncConnection[Any], account: UUID, uids: Sequence[UUID]
) -> list[UUID]:
    """Return these uids, and those that their memories came back from after a delete."""
    cursor = connection.cursor(row_factory=tuple_row)
    await cursor.execute(FORMERS, {"account": account, "uids": list(uids)})
    return [uid for (uid,) in await cursor.fetchall()]


async def known(
    connection: AsyncConnection[Any], account: UUID, op_ids: Sequence[UUID]
) -> dict[UUID, Done]:
    """Read which of these operations were settled before."""
    cursor = connection.cursor(row_factory=class_row(Done))
    query = (
        "SELECT op_id, request_hash, status, uid FROM ops WHERE account_id = %s AND op_id = ANY(%b)"
    )
    await cursor.execute(query, (account, list(op_ids)))
    return {done.op_id: done async for done in cursor}


async def count_failure(connection: AsyncConnection[Any], account: UUID, op_id: UUID) -> int:
    """Count that the database refused an operation; return how often it has by now."""
    cursor = connection.cursor(row_factory=tuple_row)
    await cursor.execute(FAILED, (account, op_id))
    found = await cursor.fetchone()
    assert found is not None  # noqa: S101  (the row was made just now)
    return int(found[0])


async def save(connection: AsyncConnection[Any], batch: Batch) -> None:
    """Write what a batch left behind: rows, history, operations and the account's counters."""
    account = batch.account
    if batch.changed:
        await connection.execute(SAVE_ROWS, (account.id, _records(batch.changed.values())))
    await mean(connection, account.id, batch.meant)
    if batch.purged:
        await connection.execute(
            "DELETE FROM history WHERE account_id = %s AND uid = ANY(%s)",
            (account.id, list(batch.purged)),
        )
    if batch.gone_on:
        await history.go_on(connection, account.id, list(batch.gone_on))
    if batch.kept:
        kept = (account.id, account.now, _records(batch.kept))
        await connection.execute(SAVE_HISTORY, kept)
    if batch.done:
        await connection.execute(SAVE_OPS, (account.id, account.now, _records(batch.done)))
    if batch.changed:
        await connection.execute(
            "UPDATE accounts SET version = %s, next_no = %s, live = %s, digest = %s, "
            "changed_at = %s WHERE id = %s",
            (
                account.version,
                account.next_no,
                account.live,
                account.digest,
                account.now,
                account.id,
            ),
        )


async def mean(
    connection: AsyncConnection[Any], account: UUID, meant: Mapping[int, Meaning]
) -> None:
    """Write what memories, by their numbers, mean."""
    if meant:
        rows = [{"no": no, **vars(one)} for no, one in meant.items()]
        await connection.execute(MEAN, (account, _list(rows)))


def _records(found: Iterable[Row | Kept | Done]) -> str:
    return _list([vars(one) for one in found])


def _list(rows: list[dict[str, Any]]) -> str:
    """Write rows as one JSON list, which is the cheapest way for many of them to travel."""
    return to_json(rows, bytes_mode="hex").decode()


AND_ACCOUNT = (
    "WITH a AS (SELECT version AS account_version, live, digest, changed_at, horizon "
    "FROM accounts WHERE id = %(account)s), p AS ({page}) "
    "SELECT a.account_version, a.live, a.digest, a.changed_at, a.horizon, {columns} "
    "FROM a LEFT JOIN p ON true ORDER BY p.version"
)
COLUMNS_OF_P = ", ".join(f"p.{name}" for name in COLUMNS)
FEED = AND_ACCOUNT.format(
    page=f"SELECT {NAMES} FROM memories WHERE account_id = %(account)s AND version > %(after)s "
    "AND (deleted_at IS NULL OR purged OR version > %(full)s) ORDER BY version LIMIT %(limit)s",
    columns=COLUMNS_OF_P,
)
# Cut by rows and by bytes, between two moments: who asks next names the last moment that was shown.
# Only the lengths of the others are read.
SINCE = AND_ACCOUNT.format(
    page=f"SELECT {NAMES_OF_M}, w.number < w.total AS is_cut FROM ("
    "SELECT s.uid, s.updated_at, count(*) OVER moments AS number, count(*) OVER () AS total, "
    "sum(s.bytes) OVER moments AS bytes, min(s.updated_at) OVER () AS first "
    "FROM (SELECT uid, updated_at, %(row)s + octet_length(coalesce(content, '')) "
    "+ octet_length(tags) + octet_length(expanded_keywords) AS bytes FROM memories "
    "WHERE account_id = %(account)s AND updated_at > %(moment)s "
    "ORDER BY updated_at, version LIMIT %(rows)s + 1) s "
    "WINDOW moments AS (ORDER BY s.updated_at)) w "
    "JOIN memories m ON m.account_id = %(account)s AND m.uid = w.uid "
    "WHERE (w.number <= %(rows)s AND w.bytes <= %(bytes)s) OR w.updated_at = w.first",
    columns=f"{COLUMNS_OF_P}, p.is_cut",
)


@dataclass(frozen=True)
class Cut:
    """How much a page holds at most, and how many bytes a row has besides its texts."""

    rows: int
    bytes: int
    row: int


# The account's version, live count, digest, change time and horizon.
State = tuple[int, int, int, datetime, int]


async def feed(
    connection: AsyncConnection[Any], account: UUID, *, after: int, full: int, limit: int
) -> tuple[State, list[Row]]:
    """Return the account's state and what changed after a version.

    One statement is one snapshot, so all of it belongs together. `full` leaves out tombstones of a
    full dump that began at that version, but for purges: those concern whoever has an old copy.
    """
    named = {"account": account, "after": after, "full": full, "limit": limit}
    state, rows, _ = await _with_state(connection, FEED, named)
    return state, rows


async def since(
    connection: AsyncConnection[Any], account: UUID, moment: datetime, cut: Cut
) -> tuple[State, list[Row], bool]:
    """Return the account's state, what changed after a moment, and whether that is not all of it.

    Tombstones are included. What was changed in one moment stays together, however much it is.
    """
    named = {"account": account, "moment": moment, **vars(cut)}
    state, rows, others = await _with_state(connection, SINCE, named)
    return state, rows, bool(others and others[-1][0])


async def _with_state(
    connection: AsyncConnection[Any], query: str, named: dict[str, Any]
) -> tuple[State, list[Row], list[tuple[Any, ...]]]:
    """Return the account's state, the rows, and what the query adds to each row."""
    cursor = connection.cursor(row_factory=tuple_row)
    found = await (await cursor.execute(query, named)).fetchall()
    if not found:
        raise Unavailable("This account was erased a moment ago.")
    filled = [one[5:] for one in found if one[5] is not None]
    width = len(COLUMNS)
    rows = [Row(**dict(zip(COLUMNS, one[:width], strict=True))) for one in filled]
    state: State = found[0][:5]
    return state, rows, [one[width:] for one in filled]
