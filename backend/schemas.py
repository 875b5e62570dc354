"""What crosses the wire: requests, answers, and their limits. Never the same class as a table."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StringConstraints,
)

CONTENT_LIMIT = 16_384  # characters
TAGS_LIMIT = 1_000
KEYWORDS_LIMIT = 4_000
NAME_LIMIT, TAG_LIMIT = 500, 200
QUESTION_LIMIT, OPS_LIMIT = 100_000, 200
BODY_LIMIT = 1_048_576  # bytes
IMPORT_LIMIT = 20_000  # rows at once
INT64 = 2**63 - 1
DATE_FIRST = re.compile(r"\d{4}-\d\d-\d\d")


def _storable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("holds a NUL character, which cannot be stored")
    if any("\ud800" <= sign <= "\udfff" for sign in text):
        raise ValueError("holds a lone surrogate, which is no text")
    return text


def _as_text(moment: object) -> object:
    """Take a time as a text only: a number may count seconds or milliseconds."""
    if isinstance(moment, datetime | None) or DATE_FIRST.match(str(moment)):
        return moment
    raise ValueError("is no time such as 2026-03-14T10:00:00Z")


def _in_single_precision(number: float) -> float:
    """Leave out digits that the table cannot hold."""
    return round(number, 6)


def _in_utc(moment: datetime) -> datetime:
    """Read a time without a zone as UTC; refuse what no calendar can show."""
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("is no time that can be stored") from error


Category = Literal["facts", "preferences", "projects", "people", "decisions"]
Scope = Literal["global", "project"]
Source = Literal["user", "model", "auto-learn", "import", "teammate"]
KeyScope = Literal["read", "write", "secret", "admin"]
SearchScope = Literal["", "global", "project", "all"]  # empty: global plus that project
SortBy = Literal["relevance", "importance", "recency"]
STORABLE = AfterValidator(_storable)
Content = Annotated[
    str,
    StringConstraints(max_length=CONTENT_LIMIT, min_length=1, strip_whitespace=True, strict=True),
    STORABLE,
]
Tags = Annotated[str, StringConstraints(max_length=TAGS_LIMIT, strict=True), STORABLE]
Keywords = Annotated[str, StringConstraints(max_length=KEYWORDS_LIMIT, strict=True), STORABLE]
Name = Annotated[str, StringConstraints(max_length=NAME_LIMIT, strict=True), STORABLE]
Question = Annotated[str, StringConstraints(max_length=QUESTION_LIMIT, strict=True), STORABLE]
Tag = Annotated[
    str,
    StringConstraints(max_length=TAG_LIMIT, min_length=1, strip_whitespace=True, strict=True),
    STORABLE,
]
Moment = Annotated[datetime, BeforeValidator(_as_text), AfterValidator(_in_utc)]
Importance = Annotated[
    float, Field(ge=0, le=1, allow_inf_nan=False, strict=True), AfterValidator(_in_single_precision)
]
Version64 = Annotated[int, Field(ge=0, le=INT64, strict=True)]
MemoryId = Annotated[str, StringConstraints(max_length=64, min_length=1)]


class Body(BaseModel):
    """A request: fields nobody asked for are refused, so that a misspelt one is not lost."""

    model_config = ConfigDict(extra="forbid")


class Answer(BaseModel):
    """An answer; clients ignore fields they do not know."""


class StoreBody(Body):
    """A fact to store."""

    content: Content
    category: Category = "facts"
    tags: Tags = ""
    expanded_keywords: Keywords = ""
    importance: Importance = 0.5
    force_sensitive: StrictBool = False
    scope: Scope = "global"
    project: Name = ""
    session: Name = ""
    session_seq: Annotated[int, Field(ge=0, le=2**31 - 1, strict=True)] = 0
    supersedes: MemoryId | None = None
    expires_at: Moment | None = None
    source: Source = "user"
    created_at: Moment | None = None
    uid: UUID | None = None


class ImportRow(StoreBody):
    """A memory to import, as an export writes it."""

    supersedes: UUID | None = None  # type: ignore[assignment]
    is_sensitive: StrictBool = False


# Not given, and never null: only the fields of `model_fields_set` are read.
ABSENT: Any = Field(default_factory=lambda: None)


class PatchBody(Body):
    """Changes to one memory; absent fields stay. Only `expires_at` can be taken away."""

    content: Content = ABSENT
    category: Category = ABSENT
    tags: Tags = ABSENT
    expanded_keywords: Keywords = ABSENT
    importance: Importance = ABSENT
    scope: Scope = ABSENT
    project: Name = ABSENT
    expires_at: Moment | None = ABSENT


class Stored(Answer):
    """What a store answers; `id` is the memory's number."""

    id: int
    uid: UUID
    category: str
    importance: float
    version: int
    is_sensitive: bool


class Imported(Answer):
    """What an import answers for each row."""

    id: int
    uid: UUID
    category: str
    importance: float


class MemoryRow(Answer):
    """A live memory; `version` is its ETag."""

    id: int
    uid: UUID
    version: int
    content: str
    category: str
    tags: str
    expanded_keywords: str
    importance: float
    is_sensitive: bool
    scope: str
    project: str
    session: str
    session_seq: int
    supersedes: UUID | None
    expires_at: datetime | None
    source: str
    created_at: datetime
    updated_at: datetime


class Change(Answer):
    """One new state of a memory in the change feed; a tombstone has no content."""

    id: int
    uid: UUID
    version: int
    content: str | None
    category: str
    tags: str
    expanded_keywords: str
    importance: float
    is_sensitive: bool
    scope: str
    project: str
    session: str
    session_seq: int
    supersedes: UUID | None
    expires_at: datetime | None
    source: str
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


class RecallBody(Body):
    """A recall: words that matter, and words that may help."""

    context: Question
    expanded_query: Question = ""
    category: Category | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 10
    sort_by: SortBy = "relevance"
    scope: SearchScope = "all"
    project: Name = ""


class Recalled(MemoryRow):
    """A memory that was found; the higher the rank the better."""

    rank: float


class RecallAnswer(Answer):
    """What was found, best first."""

    memories: list[Recalled]


class ListAnswer(Answer):
    """A page of memories, newest first; `next` is the cursor of the next page."""

    memories: list[MemoryRow]
    next: str | None


class Version(Answer):
    """An earlier or losing text of a memory."""

    kind: str
    at: datetime
    fields: dict[str, Any]


class HistoryAnswer(Answer):
    """Earlier texts, newest first."""

    versions: list[Version]


class Deleted(Answer):
    """What a delete answers."""

    id: int
    uid: UUID
    version: int
    deleted_at: datetime


class Op(Body):
    """One operation of a client; the fields of `body` depend on `kind`."""

    op_id: UUID
    uid: UUID
    kind: Literal["create", "update", "delete", "replay"]
    base: Version64 | None = None
    body: dict[str, Any] = Field(default_factory=dict)


class PushBody(Body):
    """A batch of operations."""

    ops: Annotated[list[Op], Field(max_length=OPS_LIMIT)]


class OpResult(Answer):
    """What became of an operation: applied, conflict, rejected or retry."""

    op_id: UUID
    status: Literal["applied", "conflict", "rejected", "retry"]
    code: str | None = None
    detail: str | None = None
    current: Change | None = None


class PushAnswer(Answer):
    """One result for each operation, in the same order."""

    results: list[OpResult]


class Check(Answer):
    """What a client that applied the last page must hold."""

    live: int
    digest: str


class FeedAnswer(Answer):
    """A page of the change feed."""

    memories: list[Change]
    cursor: str
    version: int
    has_more: bool
    server_time: datetime
    check: Check | None = None


class Hello(Answer):
    """What a client has to know before it syncs."""

    server_id: UUID
    account_id: UUID
    epoch: UUID
    scopes: list[str]
    protocol: dict[str, int]
    limits: dict[str, int]
    features: list[str]
    live: int


class SecretAnswer(Answer):
    """The clear text of a sensitive memory, and who kept it."""

    id: int
    content: str
    source: Literal["vault", "kms", "encrypted"]


class Migrated(Answer):
    """How many memories held secrets that are sealed now."""

    migrated: int


class KeyBody(Body):
    """A key to make."""

    name: Tag
    scopes: Annotated[list[KeyScope], Field(min_length=1, max_length=4)] = [
        "read",
        "write",
        "secret",
    ]
    expires_at: Moment | None = None


class KeyRow(Answer):
    """A key, without what opens the account."""

    id: str
    name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


class NewKey(KeyRow):
    """A new key; `key` is shown this once."""

    key: str


class KeysAnswer(Answer):
    """The keys of an account."""

    keys: list[KeyRow]


class Receipt(Answer):
    """What an erasure removed."""

    account_id: UUID
    memories: int
    erased_at: datetime


class Health(Answer):
    """How the server is."""

    status: Literal["ok", "starting", "unavailable"]
    version: str
    detail: str = ""


class Problem(Answer):
    """A problem document (RFC 9457), with the stable code and the fix."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    fix: str
