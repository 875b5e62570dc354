"""The one statement of a recall: the owner's function finds, the caller's own rights read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from psycopg.rows import tuple_row

from backend.ranking import ranking
from backend.repositories.rows import SHOWN

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from backend.db import Reader

ENCODE = json.JSONEncoder(ensure_ascii=False).encode
EVERYTHING = ranking.USUAL * (ranking.SATURATION + 1)  # of what is asked for: what words can count
TIMES = {"expires_at", "created_at", "updated_at"}
COLUMNS = [f"m.{name}::text || ':00'" if name in TIMES else f"m.{name}" for name in SHOWN]
FOUND = (
    f"SELECT m.no, {', '.join(COLUMNS)}, f.held, f.counts, f.vector, "
    "f.live, f.highest "
    "FROM memory_candidates(%(terms)s::text[], %(usual)s::real[], %(worth)s::real[], "
    f"%(model)s::text, %(signs)s::bit varying, {ranking.SCARCE}, "
    f"%(meaning)s::double precision, {EVERYTHING}, "
    "%(category)s::text, %(scope)s::text, %(project)s::text) f "
    "JOIN memories m ON m.account_id = %(account)s AND m.no = f.no"
)


@dataclass(frozen=True)
class Question:
    """What is asked: `terms`, `usual` and `worth` go together.

    `model` and `signs` say what the question means, `meaning` what the same meaning counts.
    """

    terms: Sequence[str]
    usual: Sequence[float]
    worth: Sequence[float]
    model: str
    signs: str
    meaning: float
    category: str
    scope: str
    project: str


class Candidate(NamedTuple):
    """A memory that may fit, and what speaks for it.

    Times are texts, in UTC, so they are in order as texts are: few of them are ever shown.
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
    expires_at: str | None
    source: str
    created_at: str
    updated_at: str
    held: list[int]
    counts: list[int]
    vector: bytes | None
    live: int
    highest: int


async def candidates(reader: Reader, account: UUID, question: Question) -> list[Candidate]:
    """Return the memories that may fit, in no order."""
    arrays = {name: _array(getattr(question, name)) for name in ("terms", "usual", "worth")}
    named = {"account": account, **vars(question), **arrays}
    found = await reader.read(account, FOUND, named, tuple_row)
    return [Candidate._make(row) for row in found]  # a third of what a row of a class costs


def _array(values: Sequence[str] | Sequence[float]) -> str:
    """Write an array as PostgreSQL reads it, in a tenth of psycopg's time: nearly as JSON is."""
    return f"{{{ENCODE(values)[1:-1]}}}"
