"""What crosses the wire: requests, answers, and their limits. Never the same class as a table."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    WithJsonSchema,
)

from backend.fields import (
    Category,
    Content,
    Expiry,
    Importance,
    KeyScope,
    Keywords,
    MemoryId,
    Moment,
    Name,
    Question,
    Scope,
    SearchScope,
    SortBy,
    Source,
    Step,
    Tag,
    Tags,
    Version64,
)

OPS_LIMIT = 200
BODY_LIMIT = 1_048_576  # bytes
IMPORT_LIMIT = 20_000  # rows at once
EMPTY_IS_NULL = BeforeValidator(lambda value: None if value == "" else value)


def _or_empty(form: str) -> WithJsonSchema:
    """Describe a text of this form that may also be empty, or null."""
    empty = {"type": "string", "const": ""}
    return WithJsonSchema({"anyOf": [{"type": "string", "format": form}, empty, {"type": "null"}]})


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
    expires_at: Expiry | None = None
    source: Source = "user"
    created_at: Moment | None = None
    uid: UUID | None = None


class ImportRow(StoreBody):
    """A memory to import, as an export of a server or of the plugin writes it.

    The plugin writes "" for what is empty, and more than there is a place for here: numbers and the
    time of a change are given anew; `history` and `sealed` are left out, and the answer says so.
    """

    supersedes: Annotated[UUID | None, EMPTY_IS_NULL, _or_empty("uuid")] = None  # type: ignore[assignment]
    expires_at: Annotated[Moment | None, EMPTY_IS_NULL, _or_empty("date-time")] = None
    is_sensitive: StrictBool = False
    local_no: StrictInt | None = None
    no: StrictInt | None = None
    updated_at: Moment | None = None
    history: list[Any] = []
    sealed: list[Any] = []


OF_THE_PLUGIN = {"local_no", "no", "updated_at", "history", "sealed"}  # fields of a row; not kept


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
    supersedes: MemoryId = ABSENT
    expires_at: Expiry | None = ABSENT


class Stored(Answer):
    """What a store answers; `id` is the memory's number."""

    id: int
    uid: UUID
    category: str
    importance: float
    version: int
    is_sensitive: bool


class Imported(Answer):
    """What an import answers for each row.

    `left_out` stands where not all of it came along: "history" are its earlier texts, "sealed" is
    its secret.
    """

    id: int
    uid: UUID
    category: str
    importance: float
    left_out: list[str] = []


class Written(Answer):
    """What names a memory and its state: all that a key is answered that may not read."""

    id: int
    uid: UUID
    version: int


class Fields(Written):
    """All that is shown of a memory."""

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


class MemoryRow(Fields):
    """A live memory; `version` is its ETag."""

    content: str


class RestoredRow(MemoryRow):
    """A memory as a restore left it; a repetition that came late is not told what came back."""

    restored: Step | None


class RestoredAlone(Written):
    """What a restore answers to a key that may not read."""

    restored: Step | None


class Change(Fields):
    """One new state of a memory in the change feed; a tombstone has no content."""

    deleted_at: datetime | None
    purged: bool  # erased for good: whoever kept anything of it erases that too


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


class Deleted(Written):
    """What a delete answers."""

    deleted_at: datetime


class Op(BaseModel):
    """One operation of a client; the fields of `body` depend on `kind`.

    It may come from a newer client, so fields unknown here are passed over.
    """

    op_id: UUID
    uid: UUID
    kind: Literal["create", "update", "delete", "replay"]
    base: Version64 | None = None
    body: dict[str, Any] = Field(default_factory=dict)


class PushBody(BaseModel):
    """A batch of operations, from a client that may be newer than this server."""

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
    """That the server is well; where it is not, the answer is a problem."""

    status: Literal["ok"]
    version: str


class Problem(Answer):
    """A problem document (RFC 9457), with the stable code and the fix."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    fix: str
    request_id: str
