"""The REST verbs on single memories: each is one operation on the one write path, or one read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4, uuid5

from backend.db import Within
from backend.errors import Conflict, IdempotencyReused, NoKeeper, NotFound, SecretLost, StaleVersion
from backend.repositories import accounts, changes, history, memories
from backend.schemas import (
    Deleted,
    MemoryRow,
    Op,
    PatchBody,
    RecallAnswer,
    RecallBody,
    RestoredRow,
    SecretAnswer,
    StoreBody,
    Stored,
    Version,
    Written,
)
from backend.services import expiring, recalling, restoring, writing
from backend.services.preparing import Preparer, change_of, columns
from backend.services.uids import KEYS, new_uid

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from backend.db import Database, Reader
    from backend.repositories.rows import Row
    from backend.secrets.keeper import Keeper
    from backend.semantic import Semantic
    from backend.services.applying import Ready

LONGEST_ID = 64  # characters
TAKEN = "Another memory with this uid exists already."


@dataclass(frozen=True)
class Desk:
    """One account's memories as a caller with one key sees them."""

    database: Database
    keeper: Keeper | None
    account: UUID
    key_id: str
    may_read: bool  # what it writes is answered with what is there, or with numbers alone
    semantic: Semantic | None = None

    async def recall(self, body: RecallBody) -> RecallAnswer:
        """Return what fits a question, best first."""
        return await recalling.search(self.database, self.account, body, self.semantic)

    async def store(self, body: StoreBody, idempotency_key: str = "") -> Stored:
        """Store a memory; a repeated Idempotency-Key or uid stores nothing twice.

        Raises:
            Malformed: it would have expired already.
            NotFound: `supersedes` names nothing here.
            Conflict: the uid is taken by another memory.
            NoKeeper, KeeperDown: it holds a secret that cannot be kept now.
        """
        op_id, uid = self._identify(body, idempotency_key)
        await self._refuse_past(op_id, body.expires_at, "stored")
        fields = columns(body)
        if body.supersedes:
            fields["supersedes"] = (await self._named(body.supersedes)).uid
        op = Op(op_id=op_id, uid=uid, kind="create", body=_plain(body, fields))
        try:
            row = await self._one(await self._ready(op))
        except IdempotencyReused as error:
            if idempotency_key:
                raise
            raise Conflict(TAKEN) from error
        return Stored(
            id=row.no,
            uid=row.uid,
            category=row.category,
            importance=row.importance,
            version=row.version,
            is_sensitive=row.is_sensitive,
        )

    def _identify(self, body: StoreBody, idempotency_key: str) -> tuple[UUID, UUID]:
        """Return the ids of the operation and of the memory: of a repetition, the same ones."""
        if idempotency_key:
            op_id = self._op_id(idempotency_key)
            return op_id, body.uid or uuid5(KEYS, str(op_id))
        if body.uid:
            return create_id(self.account, body.uid), body.uid
        return uuid4(), new_uid()

    def _op_id(self, idempotency_key: str) -> UUID:
        """Return the id of an operation: of a repetition, the same one."""
        return uuid5(KEYS, f"{self.account}:{idempotency_key}") if idempotency_key else uuid4()

    async def _refuse_past(self, op_id: UUID, expires_at: datetime | None, undone: str) -> None:
        """Let pass what has not ended yet, and a repetition of what had not when it was done."""
        if expiring.is_past(expires_at) and not await self._is_done(op_id):
            expiring.refuse_past(expires_at, undone)

    async def _is_done(self, op_id: UUID) -> bool:
        async with self.database.transaction(self.account) as connection:
            return bool(await changes.known(connection, self.account, [op_id]))

    async def _ready(self, op: Op) -> Ready:
        return await Preparer(self.account, self.keeper).checked(op)

    async def _one(self, ready: Ready) -> Row:
        (outcome,) = await writing.apply(self.database, self.account, [ready])
        if outcome.code == "op_id_reused":
            raise IdempotencyReused
        if outcome.status == "conflict" or outcome.row is None:
            raise Conflict(TAKEN)
        return outcome.row

    async def get(self, memory_id: str) -> MemoryRow:
        """Return a live memory.

        Raises:
            NotFound: there is none with this id.
        """
        return row_of(await self._live(memory_id))

    async def number(self, memory_id: str) -> int:
        """Return the number of a memory, deleted or not.

        Raises:
            NotFound: no memory ever had this id.
        """
        return (await self._named(memory_id)).no

    async def change(
        self,
        memory_id: str,
        body: PatchBody,
        if_match: int | None,
        idempotency_key: str = "",
    ) -> MemoryRow:
        """Change the given fields, once however often the same Idempotency-Key comes.

        Raises:
            Malformed: it would have expired already.
            NotFound: there is no such memory, or none that `supersedes` names.
            StaleVersion: it is at another version than `if_match`.
            IdempotencyReused: the key was used for something else.
        """
        before = await self._live(memory_id)
        given = body.model_dump(exclude_unset=True, mode="json")
        if "supersedes" in given:
            given["supersedes"] = str((await self._named(given["supersedes"])).uid)
        if not given:
            if if_match not in (None, before.version):
                raise StaleVersion(current=self._current(before))
            return row_of(before)
        op_id = self._op_id(idempotency_key)
        if body.expires_at != before.expires_at:
            await self._refuse_past(op_id, body.expires_at, "changed")
        op = Op(op_id=op_id, uid=before.uid, kind="update", base=if_match, body=given)
        ready = replace(await self._ready(op), only_at=if_match)
        (outcome,) = await writing.apply(self.database, self.account, [ready])
        if outcome.code == "op_id_reused":
            raise IdempotencyReused
        if outcome.row is None or not outcome.row.is_live:
            raise NotFound
        if outcome.status != "applied":
            raise StaleVersion(current=self._current(outcome.row))
        return row_of(outcome.row)

    async def delete(self, memory_id: str, *, forever: bool) -> Deleted:
        """Delete a memory; repeating it is no error.

        Raises:
            NotFound: no memory ever had this id.
        """
        (deleted,) = await self.delete_all([memory_id], forever=forever)
        return deleted

    async def delete_all(self, memory_ids: Sequence[str], *, forever: bool) -> list[Deleted]:
        """Delete memories, each once and all or none; repeating it is no error.

        Raises:
            NotFound: no memory ever had one of these ids.
        """
        found = [await self._named(one) for one in memory_ids]
        rows = {row.uid: row for row in found}
        ops = [
            Op(op_id=uuid4(), uid=row.uid, kind="delete")
            for row in rows.values()
            if row.is_live or forever
        ]
        ready = [replace(await self._ready(op), forever=forever) for op in ops]
        outcomes = await writing.apply(self.database, self.account, ready)
        rows |= {outcome.row.uid: outcome.row for outcome in outcomes if outcome.row}
        return [_deleted(row) for row in rows.values()]

    async def history(self, memory_id: str) -> list[Version]:
        """Return the earlier and losing texts of a memory, newest first.

        Raises:
            NotFound: no memory ever had this id.
        """
        row = await self._named(memory_id)
        async with self.database.transaction(self.account) as connection:
            found = await history.newest(connection, self.account, row.uid)
        return [Version(kind=one["kind"], at=one["at"], fields=one["payload"]) for one in found]

    async def restore(
        self, memory_id: str, if_match: int | None = None, idempotency_key: str = ""
    ) -> RestoredRow:
        """Undo the last edit that is not undone yet, or a delete: then it has a new uid.

        When nothing is earlier, the latest state comes back, and all can be undone again.

        Raises:
            NotFound: there is nothing to go back to.
            StaleVersion: it is at another version than `if_match`.
            IdempotencyReused: the key was used for something else.
        """
        async with self.database.transaction(self.account) as connection:
            await changes.lock(connection, self.account)
            row = await named(Within(connection), self.account, memory_id)
            if row is None:
                raise NotFound
            op_id = self._op_id(idempotency_key)
            done = (await changes.known(connection, self.account, [op_id])).get(op_id)
            if done is not None:
                back = await restoring.again(connection, self.account, row, done)
            elif if_match not in (None, row.version):
                raise StaleVersion(current=self._current(row))
            else:
                back = await restoring.restore(connection, self.account, row, op_id)
        if self.database.notes_all:
            self.database.note(self.account, back.row.no)
        fields = {**vars(back.row), "id": back.row.no, "restored": back.step}
        return RestoredRow.model_validate(fields)

    async def open_secret(self, memory_id: str) -> SecretAnswer:
        """Return the clear text of a sensitive memory, and record the access.

        Raises:
            NotFound: there is no such memory, or no secret in it.
            SecretLost, KeeperDown: it cannot be opened.
        """
        row = await self._live(memory_id)
        if not row.is_sensitive:
            said = f"Memory #{row.no} holds no secret."
            raise NotFound(said, fix="Recall shows its whole text.")
        if row.secret is None:
            raise SecretLost
        if self.keeper is None:
            raise NoKeeper
        clear, source = await self.keeper.open(self.account, row.bound or row.uid, row.secret)
        async with self.database.transaction(self.account) as connection:
            await accounts.audit(connection, self.account, "secret", str(row.uid), self.key_id)
        return SecretAnswer(id=row.no, content=clear, source=source)  # type: ignore[arg-type]

    def _current(self, row: Row) -> dict[str, Any]:
        numbers = Written(id=row.no, uid=row.uid, version=row.version)
        return (change_of(row) if self.may_read else numbers).model_dump(mode="json")

    async def _named(self, memory_id: str) -> Row:
        found = await named(self.database, self.account, memory_id)
        if found is None:
            raise NotFound
        return found

    async def _live(self, memory_id: str) -> Row:
        row = await self._named(memory_id)
        if not row.is_live:
            raise NotFound
        return row


def create_id(account: UUID, uid: UUID) -> UUID:
    """Return the id of the operation that creates a memory whose uid was given."""
    return uuid5(KEYS, f"{account}:create:{uid}")


async def named(reader: Reader, account: UUID, memory_id: str) -> Row | None:
    """Return the row that an id of a path names: a number, `#42`, or a uid."""
    text = memory_id.strip().removeprefix("#")
    if len(text) > LONGEST_ID:
        return None
    if text.isascii() and text.isdigit():
        number = int(text)
        return None if number >= 1 << 63 else await memories.by_no(reader, account, number)
    try:
        uid = UUID(text)
    except ValueError:
        return None
    return await memories.by_uid(reader, account, uid)


def row_of(row: Row) -> MemoryRow:
    """Write a live row as an answer."""
    return MemoryRow.model_validate({**vars(row), "id": row.no})


def _deleted(row: Row) -> Deleted:
    assert row.deleted_at is not None  # noqa: S101  (it was buried just now)
    return Deleted(id=row.no, uid=row.uid, version=row.version, deleted_at=row.deleted_at)


def written(row: MemoryRow) -> Written:
    """Write an answer for whoever may not read."""
    return Written(id=row.id, uid=row.uid, version=row.version)


def _plain(body: StoreBody, fields: dict[str, Any]) -> dict[str, Any]:
    given = body.model_dump(exclude={"uid", "supersedes"}, mode="json")
    if fields.get("supersedes"):
        given["supersedes"] = str(fields["supersedes"])
    return given
