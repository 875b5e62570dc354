"""The tables, as SQLModel: the one source of the schema. Hot statements are plain SQL elsewhere.

`account_id` comes first in every key; no key reaches from one account into another. What SQLModel
cannot say (row-level security, roles, functions) stands in the migrations alone.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    REAL,
    BigInteger,
    Boolean,
    Column,
    Computed,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import BIT, JSONB, TSVECTOR
from sqlmodel import Field, SQLModel

# Words of the text weigh most, then tags, then what is only said in other words.
SEARCH_VECTOR = (
    "setweight(to_tsvector('english', coalesce(content, '')), 'A') || "
    "setweight(to_tsvector('english', tags), 'B') || "
    "setweight(to_tsvector('english', expanded_keywords || ' ' || words), 'C')"
)


def _column(kind: Any, *, null: bool = False, default: str | None = None) -> Any:  # noqa: ANN401
    """Declare a column; `default` is SQL."""
    server_default = None if default is None else text(default)
    return Field(default=None, sa_column=Column(kind, nullable=null, server_default=server_default))


def _account() -> Any:  # noqa: ANN401
    return Field(sa_column=Column("account_id", Uuid, nullable=False))


def _uid() -> Any:  # noqa: ANN401
    return Field(sa_column=Column("uid", Uuid, nullable=False))


TIME = DateTime(timezone=True)


class Account(SQLModel, table=True):
    """A tenant, with its counters: the row that every write locks first."""

    __tablename__ = "accounts"
    id: UUID = Field(primary_key=True)
    name: str = Field(sa_column=Column(Text, nullable=False, unique=True))
    version: int = _column(BigInteger, default="0")
    next_no: int = _column(BigInteger, default="1")
    horizon: int = _column(BigInteger, default="0")
    live: int = _column(BigInteger, default="0")
    digest: int = _column(BigInteger, default="0")
    changed_at: datetime = _column(TIME, default="clock_timestamp()")
    created_at: datetime = _column(TIME, default="clock_timestamp()")


class Memory(SQLModel, table=True):
    """One fact of an account, or the tombstone that is left of it."""

    __tablename__ = "memories"
    __table_args__ = (
        PrimaryKeyConstraint("account_id", "uid"),
        UniqueConstraint("account_id", "no"),
        UniqueConstraint("account_id", "version"),
        Index("memories_updated", "account_id", "updated_at"),
        Index(
            "memories_newest",
            "account_id",
            "created_at",
            "uid",
            postgresql_where=text("deleted_at IS NULL"),
        ),
        Index(
            "memories_category",
            "account_id",
            "category",
            "created_at",
            "uid",
            postgresql_where=text("deleted_at IS NULL"),
        ),
        Index(
            "memories_successor",
            "account_id",
            "supersedes",
            postgresql_where=text("supersedes IS NOT NULL AND deleted_at IS NULL"),
        ),
        Index(
            "memories_search",
            "account_id",
            "tsv",
            postgresql_using="gin",
            postgresql_with={"fastupdate": "off"},
            postgresql_where=text("deleted_at IS NULL"),
        ),
    )
    account_id: UUID = _account()
    uid: UUID = _uid()
    no: int = _column(BigInteger)
    version: int = _column(BigInteger)
    field_versions: dict[str, int] = _column(JSONB, default="'{}'")
    content: str | None = _column(Text, null=True)
    secret: bytes | None = _column(LargeBinary, null=True)
    bound: UUID | None = _column(Uuid, null=True)  # the uid it was sealed for, if not this one
    is_sensitive: bool = _column(Boolean, default="false")
    category: str = _column(Text)
    tags: str = _column(Text, default="''")
    expanded_keywords: str = _column(Text, default="''")
    words: str = _column(Text, default="''")
    importance: float = _column(REAL, default="0.5")
    scope: str = _column(Text, default="'global'")
    project: str = _column(Text, default="''")
    session: str = _column(Text, default="''")
    session_seq: int = _column(Integer, default="0")
    supersedes: UUID | None = _column(Uuid, null=True)
    expires_at: datetime | None = _column(TIME, null=True)
    source: str = _column(Text, default="'user'")
    created_at: datetime = _column(TIME)
    updated_at: datetime = _column(TIME)
    deleted_at: datetime | None = _column(TIME, null=True)
    purged: bool = _column(Boolean, default="false")
    restored_from: UUID | None = _column(Uuid, null=True)  # the deleted one that came back as this
    replayed_from: int | None = _column(BigInteger, null=True)
    tsv: str = Field(
        default=None, sa_column=Column(TSVECTOR, Computed(SEARCH_VECTOR, persisted=True))
    )


class Meaning(SQLModel, table=True):
    """What a memory means to one model: nothing where it knows no word; never of a secret."""

    __tablename__ = "meanings"
    __table_args__ = (PrimaryKeyConstraint("account_id", "no", "model"),)
    account_id: UUID = _account()
    no: int = _column(BigInteger)
    model: str = _column(Text)
    vector: bytes = _column(LargeBinary)
    signs: str = _column(BIT(varying=True))


class Operation(SQLModel, table=True):
    """One operation that a client sent and that was settled: a repeat gets the same answer."""

    __tablename__ = "ops"
    __table_args__ = (
        PrimaryKeyConstraint("account_id", "op_id"),
        Index("ops_age", "account_id", "at"),
    )
    account_id: UUID = _account()
    op_id: UUID = _column(Uuid)
    request_hash: bytes = _column(LargeBinary)
    status: str = _column(Text)
    uid: UUID = _uid()
    at: datetime = _column(TIME)


class Failure(SQLModel, table=True):
    """How often the database refused an operation that the server had found in order."""

    __tablename__ = "failures"
    __table_args__ = (PrimaryKeyConstraint("account_id", "op_id"),)
    account_id: UUID = _account()
    op_id: UUID = _column(Uuid)
    tries: int = _column(Integer)
    at: datetime = _column(TIME, default="clock_timestamp()")


class History(SQLModel, table=True):
    """An earlier or a losing text of a memory, kept 30 days."""

    __tablename__ = "history"
    __table_args__ = (
        PrimaryKeyConstraint("account_id", "uid", "id"),
        Index("history_age", "account_id", "at"),
    )
    account_id: UUID = _account()
    uid: UUID = _uid()
    id: int = Field(
        default=None, sa_column=Column(BigInteger, Identity(always=True), nullable=False)
    )
    op_id: UUID | None = _column(Uuid, null=True)
    kind: str = _column(Text)  # superseded | undone | conflict | deleted
    payload: dict[str, Any] = _column(JSONB)
    secret: bytes | None = _column(LargeBinary, null=True)
    at: datetime = _column(TIME)


class Epoch(SQLModel, table=True):
    """One life of this database: a restore from a backup begins a new one."""

    __tablename__ = "epochs"
    ordinal: int = Field(
        default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True)
    )
    epoch: UUID = Field(sa_column=Column(Uuid, nullable=False, unique=True))
    created_at: datetime = _column(TIME, default="clock_timestamp()")


class AccountEpoch(SQLModel, table=True):
    """Where an account's versions stood when an epoch began."""

    __tablename__ = "account_epochs"
    __table_args__ = (PrimaryKeyConstraint("account_id", "ordinal"),)
    account_id: UUID = _account()
    ordinal: int = _column(BigInteger)
    base_version: int = _column(BigInteger)


class ApiKey(SQLModel, table=True):
    """A named key of an account; only a hash of its secret part is kept."""

    __tablename__ = "api_keys"
    __table_args__ = (PrimaryKeyConstraint("account_id", "id"), UniqueConstraint("id"))
    account_id: UUID = _account()
    id: str = _column(Text)
    name: str = _column(Text)
    hash: bytes = _column(LargeBinary)
    scopes: list[str] = _column(JSONB)
    created_at: datetime = _column(TIME, default="clock_timestamp()")
    expires_at: datetime | None = _column(TIME, null=True)
    last_used_at: datetime | None = _column(TIME, null=True)
    revoked_at: datetime | None = _column(TIME, null=True)


class RateLimit(SQLModel, table=True):
    """The token bucket of one key, shared by all replicas."""

    __tablename__ = "rate_limits"
    __table_args__ = (PrimaryKeyConstraint("account_id", "key_id"),)
    account_id: UUID = _account()
    key_id: str = _column(Text)
    tokens: float = _column(REAL)
    at: datetime = _column(TIME)


class KeeperState(SQLModel, table=True):
    """What must outlive processes: the salt of a passphrase, the key of cursors, the known life."""

    __tablename__ = "keeper_state"
    k: str = Field(sa_column=Column(Text, primary_key=True))
    v: bytes = _column(LargeBinary)


class Audit(SQLModel, table=True):
    """What was done that someone may ask about later; append-only."""

    __tablename__ = "audit"
    __table_args__ = (PrimaryKeyConstraint("account_id", "id"),)
    account_id: UUID = _account()
    id: int = Field(
        default=None, sa_column=Column(BigInteger, Identity(always=True), nullable=False)
    )
    at: datetime = _column(TIME, default="clock_timestamp()")
    action: str = _column(Text)
    subject: str = _column(Text, default="''")
    key_id: str = _column(Text, default="''")
