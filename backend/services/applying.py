"""How operations change an account's memories: the rules of the protocol, and nothing else.

Pure: it is given the locked account and the rows in question, and leaves behind what has to be
written. It knows neither SQL nor HTTP nor keepers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from backend.fields import TEXTS
from backend.repositories.rows import EDITABLE, Account, Done, Kept, Meaning, Row, payload
from backend.secrets import bundle
from backend.services.words import extra_words

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime
    from uuid import UUID

    Again = Callable[[bytes], Awaitable[bytes]]

PLACEHOLDER = "[secret: "  # stands in a text for what is sealed


REFUSED = "refused"  # it cannot be applied; only whether it ever was is asked


@dataclass(frozen=True)
class Ready:
    """A checked operation: its texts are redacted, its secret is sealed."""

    op_id: UUID
    request_hash: bytes
    uid: UUID
    kind: str  # create | update | delete | replay | refused
    base: int | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    secret: bytes | None = None
    bound: UUID | None = None
    is_sensitive: bool = False
    created_at: datetime | None = None
    keeps: frozenset[str] = frozenset()  # texts whose earlier seals hold on
    forever: bool = False  # what was there before is not kept in the history
    replay: Replay | None = None
    meaning: Meaning | None = None  # of the content; what has none yet is read in the background
    again: Again | None = None  # gives the hash in the form of one that was recorded before
    only_at: int | None = None  # the version that the row must have
    undo: Undo | None = None  # it takes a former state as a whole, its seals too
    restores: Former | None = None  # an undo that was made by a client, which has no seals


@dataclass(frozen=True)
class Former:
    """A state of a memory, as of a version; 0 where its client does not know it."""

    uid: UUID
    version: int


@dataclass(frozen=True)
class Replay:
    """What a client knew of a row that the server may have lost."""

    was: int
    lost_after: int
    deleted: bool


@dataclass(frozen=True)
class Undo:
    """How a restore leaves what is there, and the states that it passes on its way."""

    kept_as: str  # superseded | undone
    passed: tuple[Kept, ...] = ()  # to be kept after the present one, oldest first


@dataclass(frozen=True)
class Outcome:
    """What became of an operation, and the row as it is now."""

    op_id: UUID
    status: str  # applied | conflict | rejected | stale
    code: str = ""
    row: Row | None = None


class Batch:
    """Applies operations in order to one locked account."""

    def __init__(
        self,
        account: Account,
        rows: dict[UUID, Row],
        known: dict[UUID, Done],
        chains: dict[UUID, UUID] | None = None,
    ) -> None:
        """Keep the account, the rows that operations may touch, and the operations known.

        `chains` says of what operations let a memory supersede what that supersedes, and so on.
        """
        self.account = account
        self._chains = chains or {}
        self.changed: dict[UUID, Row] = {}
        self.kept: list[Kept] = []
        self.done: list[Done] = []
        self.purged: set[UUID] = set()
        self.gone_on: set[UUID] = set()  # edited by no undo: what was undone is earlier now
        self.meant: dict[int, Meaning] = {}  # what was meant before goes with the text
        self._rows = rows
        self._known = known
        self._kinds = {
            "create": self._create,
            "update": self._update,
            "delete": self._delete,
            "replay": self._replay,
        }

    def apply(self, op: Ready) -> Outcome:
        """Apply one operation, at most once however often it comes."""
        seen = self._known.get(op.op_id)
        if seen is not None:
            if seen.request_hash != op.request_hash and op.kind != REFUSED:
                return Outcome(op.op_id, "rejected", "op_id_reused")
            return Outcome(op.op_id, seen.status, row=self._rows.get(seen.uid))
        if op.kind == REFUSED:
            return Outcome(op.op_id, REFUSED)
        row = self._rows.get(op.uid)
        if op.only_at is not None and row is not None and row.version != op.only_at:
            return Outcome(op.op_id, "stale", row=row)  # not recorded: later it may fit
        status = self._kinds[op.kind](op)
        done = Done(op.op_id, op.request_hash, status, op.uid)
        self.done.append(done)
        self._known[op.op_id] = done
        return Outcome(op.op_id, status, row=self._rows.get(op.uid))

    def _create(self, op: Ready) -> str:
        if op.uid in self._rows:
            return self._lost(op)
        self._insert(op)
        return "applied"

    def _insert(self, op: Ready) -> Row:
        version = self.account.next_version()
        row = Row(
            uid=op.uid,
            no=self.account.take_no(),
            version=version,
            secret=op.secret,
            bound=op.bound,
            is_sensitive=op.is_sensitive,
            created_at=op.created_at or self.account.now,
            updated_at=self.account.now,
            restored_from=op.restores.uid if op.restores else None,
            field_versions=dict.fromkeys(EDITABLE, version),
            words=_words(op.fields),
            **self._fields(op),
        )
        self.account.count(op.uid, version, present=True)
        self._put(row)
        self._mean(row, op)
        return row

    def _update(self, op: Ready) -> str:
        row = self._rows.get(op.uid)
        if row is None or not row.is_live:
            return self._lost(op)
        base = row.version if op.base is None else op.base
        if any(row.field_versions.get(name, 0) > base for name in op.fields):
            return self._lost(op)
        if op.undo is not None or not self._says_the_same(row, op):
            self._change(row, op)
        return "applied"

    def _says_the_same(self, row: Row, op: Ready) -> bool:
        """Tell whether an update leaves everything as it is: an undo of it would seem to fail."""
        after = row.copy()
        self._write(after, row, op)
        if after.bound == row.uid and row.bound is None:
            after.bound = None  # two ways to say one thing
        return after == row

    def _write(self, after: Row, before: Row, op: Ready) -> None:
        for name, value in self._fields(op).items():
            setattr(after, name, value)
        after.words = _words(vars(after))
        _seal(after, before, op)

    def _change(self, row: Row, op: Ready) -> None:
        if not op.forever:
            self._keep(row, op.undo.kept_as if op.undo else "superseded", op.op_id)
            self.kept += op.undo.passed if op.undo else ()
        if not op.forever and op.undo is None:
            self.gone_on.add(row.uid)
        after = self._next(row)
        self._write(after, row, op)
        after.field_versions.update(dict.fromkeys(op.fields, after.version))
        self.account.count(row.uid, row.version, present=False)
        self.account.count(row.uid, after.version, present=True)
        self._put(after)
        self._mean(after, op)

    def _mean(self, row: Row, op: Ready) -> None:
        """Note what a memory means now; of a secret that is never kept."""
        if "content" in op.fields or row.is_sensitive:
            self.meant.pop(row.no, None)  # what an operation before this one said
        if op.meaning is not None and not row.is_sensitive:
            self.meant[row.no] = op.meaning

    def _delete(self, op: Ready) -> str:
        row = self._rows.get(op.uid)
        if row is None and op.forever and op.fields:
            row = self._insert(op)  # so that what comes late finds that it was purged
        if row is not None and row.is_live:
            if not op.forever:
                self._keep(row, "deleted", op.op_id)
            self._bury(row, forever=op.forever)
        if op.forever:
            self._purge(op.uid)
        return "applied"

    def _purge(self, uid: UUID) -> None:
        """Purge a tombstone, and those of the memories that it came back from.

        Other machines may have deleted those themselves, and keep what that can be undone from.
        """
        former: UUID | None = uid
        while former is not None and former not in self.purged:
            row = self._rows.get(former)
            if row is not None and row.is_live:
                return  # nobody purged that
            self.purged.add(former)
            self.kept = [one for one in self.kept if one.uid != former]
            if row is not None and not row.purged:
                row = self._next(row)
                row.purged = True
                self._put(row)
            former = row.restored_from if row is not None else None

    def _bury(self, row: Row, *, forever: bool) -> None:
        after = self._next(row)
        after.purged = forever
        after.content = after.secret = after.supersedes = after.expires_at = None
        after.tags = after.expanded_keywords = after.words = after.project = after.session = ""
        after.is_sensitive = False
        after.deleted_at = self.account.now
        self.account.count(row.uid, row.version, present=False)
        self._put(after)
        self.meant.pop(row.no, None)

    def _replay(self, op: Ready) -> str:
        """Bring back what a restore from a backup lost and this client still has."""
        row, told = self._rows.get(op.uid), op.replay
        assert told is not None  # noqa: S101  (made with every replay)
        if row is None:
            return self._replay_missing(op, told)
        if row.version == told.was:
            return "applied"  # it was not lost
        if told.deleted:
            return self._replay_delete(op, row)
        # What is newer than the last restore began from was lost by that one, whatever is told.
        last = self.account.lost_after
        since = max(last, told.lost_after) if told.was > last else told.lost_after
        untouched = row.replayed_from is None and row.version <= since
        older = row.replayed_from is not None and row.replayed_from < told.was and row.is_unedited
        if not untouched and not older:
            return "applied" if row.replayed_from == told.was else self._lost(op)
        if not row.is_live:
            return self._lost(op)  # a delete is final
        self._change(row, op)
        self._rows[op.uid].replayed_from = told.was
        return "applied"

    def _replay_delete(self, op: Ready, row: Row) -> str:
        """Delete again: that is final, whatever was done since the restore."""
        if op.forever:
            return self._delete(op)
        if row.is_live:
            self._keep(row, "superseded", op.op_id)
            self._bury(row, forever=False)
        return "applied"

    def _replay_missing(self, op: Ready, told: Replay) -> str:
        if told.was <= self.account.horizon and not told.deleted:
            return self._lost(op)  # its tombstone may have been purged, and a delete is final
        row = self._insert(op)
        if told.deleted:
            # What it said is not known: a replay of that goes to the history.
            self._bury(row, forever=op.forever)
        else:
            self._rows[op.uid].replayed_from = told.was
        return "applied"

    def _lost(self, op: Ready) -> str:
        """Keep the body of an operation that lost, where its author can find it again.

        Of what was purged nothing is kept, whoever wrote it: the purge would not be one.
        """
        row = self._rows.get(op.uid)
        if row is not None and row.purged:
            return "conflict"
        body = {name: _jsonable(value) for name, value in op.fields.items()}
        self.kept.append(Kept(op.uid, op.op_id, "conflict", body, op.secret))
        return "conflict"

    def _keep(self, row: Row, kind: str, op_id: UUID) -> None:
        self.kept.append(Kept(row.uid, op_id, kind, payload(row), row.secret))

    def _next(self, row: Row) -> Row:
        after = row.copy()
        after.version = self.account.next_version()
        after.updated_at = self.account.now
        return after

    def _fields(self, op: Ready) -> dict[str, Any]:
        """Return what an operation sets; what superseded itself, in a circle, would be hidden."""
        seen: set[UUID] = set()
        uid = op.fields.get("supersedes")
        while uid is not None and uid not in seen:
            if uid == op.uid:
                return {**op.fields, "supersedes": None}
            seen.add(uid)
            row = self._rows.get(uid)
            uid = row.supersedes if row else self._chains.get(uid)
        return op.fields

    def _put(self, row: Row) -> None:
        self._rows[row.uid] = self.changed[row.uid] = row


def _seal(after: Row, before: Row, op: Ready) -> None:
    """Give a row the seals of its texts as they are now: fresh ones, and those still spoken of."""
    if op.undo is not None:
        after.secret, after.bound, after.is_sensitive = op.secret, op.bound, op.is_sensitive
        return
    spoken = [name for name in TEXTS if PLACEHOLDER in (getattr(after, name) or "")]
    replaced = op.fields.keys() - op.keeps
    after.secret, after.bound = bundle.changed(
        (before.secret, before.bound or before.uid),
        (op.secret, op.bound or op.uid),
        replaced=replaced,
        spoken=spoken,
    )
    was_lost = before.is_sensitive and before.secret is None
    is_lost = was_lost and (bool(spoken) or replaced.isdisjoint(TEXTS))
    after.is_sensitive = op.is_sensitive or after.secret is not None or is_lost


def _words(fields: dict[str, Any]) -> str:
    return extra_words(fields["content"], fields["tags"], fields["expanded_keywords"])


def _jsonable(value: Any) -> Any:  # noqa: ANN401
    return value if isinstance(value, str | int | float | bool | None) else str(value)
