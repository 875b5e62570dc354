"""Makes an operation ready to be applied: checks it, redacts it, seals its secret.

All of it happens before the transaction: no keeper is asked while an account is locked.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from anyio import to_thread
from pydantic import BaseModel, ConfigDict, StrictBool, ValidationError

from backend.errors import ApiError, KeeperDown, NoKeeper
from backend.fields import CONTENT, TEXTS, Content, Version64
from backend.schemas import OF_THE_PLUGIN, Change, OpResult, PatchBody, StoreBody
from backend.secrets import marks
from backend.secrets.bundle import Piece, join
from backend.secrets.detect import may_hold, redact
from backend.services.applying import PLACEHOLDER, Former, Ready, Replay

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from backend.repositories.rows import Row
    from backend.schemas import ImportRow, Op
    from backend.secrets.keeper import Keeper
    from backend.services.applying import Again

AT_ONCE = 200  # rows
CANONICAL = json.JSONEncoder(sort_keys=True, default=str)
FORCED = "[secret: whole text]"
UNSTORED = {
    *("uid", "force_sensitive", "created_at", "is_sensitive", "secret", "restores"),
    *OF_THE_PLUGIN,
}


class _Tolerant(BaseModel):
    """A body that may come from a newer client: fields unknown here are passed over."""

    model_config = ConfigDict(extra="ignore")


class FormerBody(_Tolerant):
    """Which state an operation brings back: of which memory, and as of which version, if known."""

    uid: UUID
    version: Version64 = 0


class CreateFields(StoreBody):
    """The body of a create: `secret` is what its author has redacted from the texts."""

    model_config = ConfigDict(extra="ignore")
    supersedes: UUID | None = None  # type: ignore[assignment]
    secret: Content | None = None
    is_sensitive: StrictBool = False
    restores: FormerBody | None = None


BARE = CreateFields(content="-")  # of what was deleted before anybody here knew it


class UpdateFields(PatchBody):
    """The body of an update: changed fields only."""

    model_config = ConfigDict(extra="ignore")
    supersedes: UUID | None = None  # type: ignore[assignment]
    secret: Content | None = None
    is_sensitive: StrictBool = False
    restores: FormerBody | None = None


class DeleteBody(_Tolerant):
    """The body of a delete: `purge` also erases what its history would keep."""

    purge: StrictBool = False


class ReplayBody(_Tolerant):
    """The body of a replay."""

    was: Version64
    lost_after: Version64
    deleted: bool = False
    purge: StrictBool = False
    fields: CreateFields | None = None


@dataclass(frozen=True)
class Refusal:
    """An operation that cannot be applied: for good (`rejected`) or for now (`retry`)."""

    op_id: UUID
    status: str
    code: str
    detail: str

    def result(self) -> OpResult:
        """Write it as the answer says it."""
        return OpResult(
            op_id=self.op_id,
            status=self.status,  # type: ignore[arg-type]
            code=self.code,
            detail=self.detail,
        )


@dataclass(frozen=True)
class Safe:
    """Fields without secrets, and the clear texts that a keeper has to seal, by their fields."""

    fields: dict[str, Any]
    clear: dict[str, str]

    def __repr__(self) -> str:
        """Show which fields there are, never the text."""
        return f"Safe(fields={sorted(self.fields)!r})"


def separate(fields: dict[str, Any], *, force: bool = False) -> Safe:
    """Take every secret out of the texts; with `force` the whole content is one."""
    if not force and not may_hold("\n".join(fields.get(name) or "" for name in TEXTS)):
        return Safe(fields, {})  # one look for all of them, and most hold none
    found = {name: redact(fields[name]) for name in TEXTS if fields.get(name)}
    clear = {
        name: fields[name] if name == CONTENT else f"[{name}] {fields[name]}"
        for name, result in found.items()
        if result.found or (force and name == CONTENT)
    }
    safe = {**fields, **{name: result.text for name, result in found.items()}}
    if force:
        safe["content"] = FORCED
    return Safe(safe, clear)


def referring(fields: Mapping[str, Any]) -> frozenset[str]:
    """Return which of the given texts speak of a secret that was taken out of them before."""
    return frozenset(name for name in TEXTS if PLACEHOLDER in (fields.get(name) or ""))


class Preparer:
    """Prepares operations for one account.

    A keeper that hangs is asked once: a batch must not wait for it with each of its secrets.
    """

    def __init__(self, account: UUID, keeper: Keeper | None) -> None:
        """Keep for whom, and who seals."""
        self._account = account
        self._keeper = keeper
        self._down: KeeperDown | None = None

    async def op(self, op: Op) -> Ready | Refusal:
        """Check and prepare one operation of a client."""
        try:
            return await self.checked(op)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or op.kind
            return Refusal(op.op_id, "rejected", f"invalid_{where}", first["msg"])
        except NoKeeper as error:
            return Refusal(op.op_id, "rejected", error.code, error.fix)
        except ApiError as error:
            return Refusal(op.op_id, "retry", error.code, error.fix)

    async def rows(self, rows: Sequence[tuple[UUID, ImportRow]]) -> list[Ready]:
        """Prepare the creation of many memories; what takes long leaves room for others.

        Raises:
            NoKeeper, KeeperDown: one holds a secret that cannot be kept now.
        """
        ready = []
        for begin in range(0, len(rows), AT_ONCE):
            some = rows[begin : begin + AT_ONCE]
            safe = await to_thread.run_sync(_separate_all, [row for _, row in some])
            ready += [await self._row(*one) for one in zip(some, safe, strict=True)]
        return ready

    async def _row(self, named: tuple[UUID, ImportRow], safe: Safe) -> Ready:
        uid, row = named
        return Ready(
            uuid4(),
            b"",
            uid,
            "create",
            0,
            safe.fields,
            secret=await self.seal(uid, safe.clear),
            is_sensitive=bool(safe.clear) or row.is_sensitive,
            created_at=row.created_at,
        )

    async def checked(self, op: Op) -> Ready:
        """Prepare an operation whose body fits.

        Raises:
            ValidationError: it does not.
            NoKeeper, KeeperDown: it holds a secret that cannot be kept now.
        """
        if op.kind == "delete":
            forever = DeleteBody.model_validate(op.body).purge
            mark = marks.plain(text_of(op))
            bare = columns(BARE) if forever else {}
            return Ready(op.op_id, mark, op.uid, "delete", op.base, bare, forever=forever)
        if op.kind == "create":
            return await self._full(op, CreateFields.model_validate(op.body))
        if op.kind == "replay":
            lost = ReplayBody.model_validate(op.body)
            told = Replay(lost.was, lost.lost_after, lost.deleted)
            ready = await self._full(op, lost.fields or BARE, told)
            return replace(ready, forever=lost.purge)
        body = UpdateFields.model_validate(op.body)
        given = body.model_dump(exclude_unset=True, exclude=UNSTORED)
        safe = separate(given)
        is_whole = body.secret is not None and CONTENT in given  # and nothing earlier stays
        clear = _joined(body.secret, safe.clear)
        mark, again = await self._mark(op, holds_secret=bool(clear))
        return Ready(
            op.op_id,
            mark,
            op.uid,
            "update",
            op.base,
            safe.fields,
            secret=await self.seal(op.uid, clear),
            again=again,
            is_sensitive=bool(clear) or body.is_sensitive,
            keeps=frozenset() if is_whole else referring(given),
            restores=_former(body),
        )

    async def _full(self, op: Op, body: CreateFields, told: Replay | None = None) -> Ready:
        given = columns(body)
        safe = separate(given, force=body.force_sensitive)
        clear = _joined(body.secret, safe.clear)
        mark, again = await self._mark(op, holds_secret=bool(clear))
        return Ready(
            op.op_id,
            mark,
            op.uid,
            op.kind,
            op.base,
            safe.fields,
            secret=await self.seal(op.uid, clear),
            again=again,
            is_sensitive=bool(clear) or body.is_sensitive,
            keeps=frozenset() if body.secret else referring(given),
            created_at=body.created_at,
            replay=told,
            restores=_former(body),
        )

    async def _mark(self, op: Op, *, holds_secret: bool) -> tuple[bytes, Again | None]:
        """Return the mark of an operation, and how it is made in the form of an earlier one."""
        text = text_of(op)
        if not holds_secret:
            return marks.plain(text), None
        if self._keeper is None:
            raise NoKeeper
        made = self._keeper.marks

        async def again(recorded: bytes) -> bytes:
            return await made.again(op.op_id, text, recorded)

        return await made.make(op.op_id, text), again

    async def seal(self, uid: UUID, clear: Mapping[str, str]) -> bytes | None:
        """Seal clear texts for a memory; nothing where there are none.

        Raises:
            NoKeeper: this server keeps no secrets.
            KeeperDown: the keeper does not answer.
        """
        if not clear:
            return None
        if self._keeper is None:
            raise NoKeeper
        if self._down is not None:
            raise self._down
        try:
            pieces = [
                Piece(name, uid, await self._keeper.seal(self._account, uid, text))
                for name, text in clear.items()
            ]
        except KeeperDown as error:
            self._down = error
            raise
        return join(pieces)[0]


def _separate_all(rows: Sequence[ImportRow]) -> list[Safe]:
    return [separate(columns(row), force=row.force_sensitive) for row in rows]


def columns(body: StoreBody) -> dict[str, Any]:
    """Return the columns that a store body fills."""
    return body.model_dump(exclude=UNSTORED)


def _joined(told: str | None, found: dict[str, str]) -> dict[str, str]:
    """Return what has to be sealed: what the author took out, and what was found besides."""
    if not told:
        return found
    return {**found, CONTENT: "\n".join(filter(None, (told, found.get(CONTENT))))}


def _former(body: CreateFields | UpdateFields) -> Former | None:
    return Former(body.restores.uid, body.restores.version) if body.restores else None


def text_of(op: Op) -> str:
    """Write an operation as its mark is made of it; `base` may be filled in later."""
    return CANONICAL.encode([op.kind, str(op.uid), op.base, op.body])


def change_of(row: Row) -> Change:
    """Write a row as the feed shows it; `model_construct` would cost three times as much."""
    return Change.model_validate({**vars(row), "id": row.no})
