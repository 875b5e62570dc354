"""The values that the write path works on: an account's counters, a memory's row, what changed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

INT64 = 1 << 64
# What an edit may change; each has a version of its own, so that edits of different fields merge.
EDITABLE = (
    *("content", "category", "tags", "expanded_keywords", "importance"),
    *("scope", "project", "supersedes", "expires_at"),
)


@dataclass
class Account:
    """The counters of one account as they stand inside the transaction that locked its row."""

    id: UUID
    version: int
    next_no: int
    live: int
    digest: int
    now: datetime  # strictly after every earlier change of this account
    epoch: UUID  # the present one, read under the lock
    lost_after: int = 0  # versions up to here survived the last restore
    horizon: int = 0  # tombstones up to here may be purged

    def next_version(self) -> int:
        """Take the next version."""
        self.version += 1
        return self.version

    def take_no(self) -> int:
        """Take the next number."""
        taken, self.next_no = self.next_no, self.next_no + 1
        return taken

    def count(self, uid: UUID, version: int, *, present: bool) -> None:
        """Let a live row enter or leave the count and the digest."""
        self.live += 1 if present else -1
        self.digest ^= mark(uid, version)


@dataclass
class Row:
    """A memory, live or a tombstone, as the table holds it."""

    uid: UUID
    no: int
    version: int
    content: str | None
    category: str
    tags: str
    expanded_keywords: str
    importance: float
    is_sensitive: bool
    secret: bytes | None
    bound: UUID | None
    scope: str
    project: str
    session: str
    session_seq: int
    supersedes: UUID | None
    expires_at: datetime | None
    source: str
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None
    purged: bool = False
    restored_from: UUID | None = None  # the deleted memory that it came back from
    replayed_from: int | None = None
    field_versions: dict[str, int] = field(default_factory=dict)
    words: str = ""

    @property
    def is_live(self) -> bool:
        """Tell a memory from a tombstone."""
        return self.deleted_at is None

    @property
    def is_unedited(self) -> bool:
        """Tell whether every field is still as one operation wrote all of them."""
        return all(version == self.version for version in self.field_versions.values())

    def copy(self) -> Row:
        """Return a row that may be changed without changing this one."""
        return replace(self, field_versions=dict(self.field_versions))


COLUMNS = tuple(one.name for one in fields(Row))
NAMES = ", ".join(COLUMNS)
NAMES_OF_M = ", ".join(f"m.{name}" for name in COLUMNS)
INNER = {
    *("no", "secret", "bound", "deleted_at", "purged"),
    *("restored_from", "replayed_from", "field_versions", "words"),
}
SHOWN = tuple(name for name in COLUMNS if name not in INNER)  # of a live memory, besides its number


@dataclass(frozen=True)
class Kept:
    """An entry for the history: what was replaced, undone, deleted, or lost a conflict."""

    uid: UUID
    op_id: UUID | None
    kind: str  # superseded | undone | deleted | conflict
    payload: dict[str, Any]
    secret: bytes | None


@dataclass(frozen=True)
class Done:
    """A settled operation, so that its repetition gets the same answer."""

    op_id: UUID
    request_hash: bytes
    status: str
    uid: UUID


@dataclass(frozen=True)
class Meaning:
    """What a text means to a model: a vector, and a bit for each of its dimensions."""

    model: str
    vector: bytes
    signs: str


def mark(uid: UUID, version: int) -> int:
    """Return what one live row adds to an account's digest: 64 bits, signed as PostgreSQL's are."""
    text = f"{uid}:{version}".encode()
    number = int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")
    return number - INT64 if number >= INT64 // 2 else number


def digest_text(digest: int) -> str:
    """Write a digest as 16 hexadecimal digits."""
    return f"{digest % INT64:016x}"


def payload(row: Row) -> dict[str, Any]:
    """Return the fields of a row that its history keeps, ready for JSON."""
    return {
        "content": row.content,
        "category": row.category,
        "tags": row.tags,
        "expanded_keywords": row.expanded_keywords,
        "importance": row.importance,
        "is_sensitive": row.is_sensitive,
        "bound": str(row.bound or row.uid),
        "scope": row.scope,
        "project": row.project,
        "supersedes": str(row.supersedes) if row.supersedes else None,
        "expires_at": row.expires_at.isoformat() if row.expires_at else None,
        "version": row.version,
    }
