"""The one statement of a recall: the owner's function finds, the caller's own rights read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from psycopg.rows import tuple_row

from backend.repositories.rows import SHOWN

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from backend.db import Reader

FOUND = (
    f"SELECT m.no, {', '.join(f'm.{name}' for name in SHOWN)}, f.held, f.counts, f.vector, "
    "f.live, f.highest "
    "FROM memory_candidates(%(terms)s::text[], %(usual)s::real[], %(worth)s::real[], "
    "%(model)s::text, %(signs)s::bit varying, %(scarce)s::float8, %(meaning)s::float8, "
    "%(everything)s::float8, %(category)s::text, %(scope)s::text, %(project)s::text) f "
    "JOIN memories m ON m.account_id = %(account)s AND m.no = f.no"
)


@dataclass(frozen=True)
class Question:
    """What is asked, as the statement takes it: `terms`, `usual` and `worth` go together.

    The latter two are written as PostgreSQL reads an array, in a tenth of the time. `model` and
    `signs` say what the question means, the last three how words and meaning are fused.
    """

    terms: Sequence[str]
    usual: str
    worth: str
    model: str
    signs: str
    category: str
    scope: str
    project: str
    scarce: float
    meaning: float
    everything: float


class Candidate(NamedTuple):
    """A memory that may fit, and what speaks for it.

    `held` has the places of the terms that it holds, from 1. The same for all candidates: `counts`,
    how many memories hold each term; `live`, how many there are; `highest`, the newest's number.
    """

    no: int
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
    held: list[int]
    counts: list[int]
    vector: bytes | None
    live: int
    highest: int


async def candidates(reader: Reader, account: UUID, question: Question) -> list[Candidate]:
    """Return the memories that may fit, in no order."""
    named = {"account": account, **vars(question)}
    found = await reader.read(account, FOUND, named, tuple_row)
    return [Candidate._make(row) for row in found]  # a third of what a row of a class costs
