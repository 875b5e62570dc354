"""Earlier and losing texts of memories, with their seals. Every statement names the account."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from psycopg.rows import class_row, dict_row
from psycopg.types.json import Jsonb

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from psycopg import AsyncConnection

    Connection = AsyncConnection[Any]

SHOWN = 200  # entries; each may be as long as a memory
UNDONE = "undone"  # the kind of what a restore left: it came after what was present then
# A deleted memory has no secret left; the seals of its earlier texts are bound to the uid they had.
HAND_OVER = (
    "UPDATE history SET uid = %(heir)s, payload = payload "
    "|| CASE WHEN secret IS NULL THEN '{}' ELSE "
    "jsonb_build_object('bound', coalesce(payload->>'bound', uid::text)) END "
    "|| CASE WHEN kind = 'conflict' THEN '{}' ELSE "
    "jsonb_build_object('supersedes', coalesce(payload->>'supersedes', uid::text)) END "
    "WHERE account_id = %(account)s AND uid = %(uid)s"
)
RENAME = (
    "UPDATE history AS h SET payload = h.payload || jsonb_build_object('supersedes', r.heir::text) "
    "FROM json_to_recordset(%(heirs)s::json) AS r (uid text, heir uuid) "
    "WHERE h.account_id = %(account)s AND h.uid <> r.heir AND h.payload->>'supersedes' = r.uid"
)


@dataclass(frozen=True)
class Entry:
    """A state of a memory that is not its present one."""

    id: int
    kind: str
    payload: dict[str, Any]
    secret: bytes | None


async def newest(connection: Connection, account: UUID, uid: UUID) -> list[dict[str, Any]]:
    """Return the newest of the earlier and losing texts of a memory, newest first."""
    cursor = connection.cursor(row_factory=dict_row)
    await cursor.execute(
        "SELECT kind, payload, at FROM history "
        "WHERE account_id = %s AND uid = %s ORDER BY id DESC LIMIT %s",
        (account, uid, SHOWN),
    )
    return await cursor.fetchall()


async def earlier(connection: Connection, account: UUID, uid: UUID) -> Entry | None:
    """Return what a memory was before its last edit that is not undone, or before its delete."""
    cursor = connection.cursor(row_factory=class_row(Entry))
    await cursor.execute(
        "SELECT id, kind, payload, secret FROM history WHERE account_id = %s AND uid = %s "
        "AND kind IN ('superseded', 'deleted') ORDER BY id DESC LIMIT 1",
        (account, uid),
    )
    return await cursor.fetchone()


async def sealed(
    connection: Connection, account: UUID, uids: Sequence[UUID], version: int, content: str
) -> Entry | None:
    """Return the state that a memory had at a version, if it had a secret and this content.

    It is kept as of the version at which it was replaced, which may be a later one; under any of
    the uids that the memory has had.
    """
    cursor = connection.cursor(row_factory=class_row(Entry))
    await cursor.execute(
        "SELECT id, kind, payload, secret FROM history WHERE account_id = %s AND uid = ANY(%s) "
        "AND secret IS NOT NULL AND (payload->>'version')::bigint >= %s "
        "AND payload->>'content' = %s ORDER BY (payload->>'version')::bigint, id LIMIT 1",
        (account, list(uids), version, content),
    )
    return await cursor.fetchone()


async def undone(connection: Connection, account: UUID, uid: UUID) -> list[Entry]:
    """Return what restores of a memory left, the last first."""
    cursor = connection.cursor(row_factory=class_row(Entry))
    await cursor.execute(
        "SELECT id, kind, payload, secret FROM history WHERE account_id = %s AND uid = %s "
        "AND kind = %s ORDER BY id DESC",
        (account, uid, UNDONE),
    )
    return await cursor.fetchall()


async def kept_by(connection: Connection, account: UUID, uid: UUID, op_id: UUID) -> str | None:
    """Return as what an operation kept the state of before, if that is still there."""
    query = "SELECT kind FROM history WHERE account_id = %s AND uid = %s AND op_id = %s LIMIT 1"
    row = await (await connection.execute(query, (account, uid, op_id))).fetchone()
    return None if row is None else str(row[0])


async def remove(
    connection: Connection, account: UUID, uid: UUID, entries: Sequence[Entry]
) -> None:
    """Forget entries whose state is the present one again, or is kept anew."""
    await connection.execute(
        "DELETE FROM history WHERE account_id = %s AND uid = %s AND id = ANY(%s)",
        (account, uid, [entry.id for entry in entries]),
    )


async def go_on(connection: Connection, account: UUID, uids: Sequence[UUID]) -> None:
    """Let what was undone of memories be earlier than the edits that follow."""
    await connection.execute(
        "UPDATE history SET kind = 'superseded' "
        "WHERE account_id = %s AND uid = ANY(%s) AND kind = %s",
        (account, list(uids), UNDONE),
    )


async def keep_as(connection: Connection, account: UUID, entry: Entry, kind: str) -> None:
    """Keep an entry as one of another kind."""
    query = "UPDATE history SET kind = %s WHERE account_id = %s AND id = %s"
    await connection.execute(query, (kind, account, entry.id))


async def hand_over(connection: Connection, account: UUID, uid: UUID, heir: UUID) -> None:
    """Give the entries of a memory to the one that takes its place, which supersedes it."""
    await connection.execute(HAND_OVER, {"account": account, "uid": uid, "heir": heir})


async def rename_superseded(
    connection: Connection, account: UUID, heirs: Mapping[UUID, UUID]
) -> None:
    """Let what superseded a memory in any earlier state have superseded its heir.

    All of the account's history is read, once.
    """
    named = json.dumps([{"uid": str(uid), "heir": str(heir)} for uid, heir in heirs.items()])
    await connection.execute(RENAME, {"account": account, "heirs": named})


async def page(
    connection: Connection, account: UUID, after: tuple[UUID, int] | None, limit: int
) -> list[dict[str, Any]]:
    """Return the next entries of an account's history, in a fixed order."""
    uid, number = after or (UUID(int=0), 0)
    cursor = connection.cursor(row_factory=dict_row)
    await cursor.execute(
        "SELECT uid, id, payload, secret FROM history WHERE account_id = %s "
        "AND (uid, id) > (%s, %s) ORDER BY uid, id LIMIT %s",
        (account, uid, number, limit),
    )
    return await cursor.fetchall()


async def replace(
    connection: Connection,
    account: UUID,
    entry: dict[str, Any],
    payload: dict[str, Any],
    secret: bytes | None,
) -> None:
    """Put other words and a sealed secret in the place of an entry's, if it is as it was."""
    await connection.execute(
        "UPDATE history SET payload = %s, secret = %s "
        "WHERE account_id = %s AND uid = %s AND id = %s AND secret IS NOT DISTINCT FROM %s",
        (Jsonb(payload), secret, account, entry["uid"], entry["id"], entry["secret"]),
    )
