"""What the fields of requests may hold: one type for each, with its limits."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StringConstraints,
    WithJsonSchema,
)

CONTENT_LIMIT = 16_384  # characters
TAGS_LIMIT = 1_000
KEYWORDS_LIMIT = 4_000
NAME_LIMIT, TAG_LIMIT = 500, 200
QUESTION_LIMIT = 100_000
INT64 = 2**63 - 1
SURROGATE = re.compile("[\ud800-\udfff]")
CONTENT = "content"
# What a person or a model wrote, and so what may hold a secret. Seals count on this order.
TEXTS = (CONTENT, "tags", "expanded_keywords", "project", "session")
DATE_FIRST = re.compile(r"\d{4}-\d\d-\d\d")
DAY = re.compile(r"\s*(\d{4}-\d\d-\d\d)\s*")


def _storable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("holds a NUL character, which cannot be stored")
    if not text.isascii() and SURROGATE.search(text):
        raise ValueError("holds a lone surrogate, which is no text")
    return text


def _as_text(moment: object) -> object:
    """Take a time as a text only: a number may count seconds or milliseconds."""
    if isinstance(moment, datetime | None) or DATE_FIRST.match(str(moment)):
        return moment
    raise ValueError("is no time such as 2026-03-14T10:00:00Z")


def _whole_day(moment: object) -> object:
    """Let a date be over with its day; the zone is ours, since the caller's is not known."""
    day = DAY.fullmatch(moment) if isinstance(moment, str) else None
    return f"{day[1]}T23:59:59Z" if day else moment


def _number_as_text(memory_id: object) -> object:
    """Take a number for an id: that is how answers show it."""
    is_number = isinstance(memory_id, int) and not isinstance(memory_id, bool)
    return str(memory_id) if is_number else memory_id


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
Step = Literal["earlier", "latest", "deleted"]  # what came back; latest: none was earlier
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
Expiry = Annotated[
    Moment,
    BeforeValidator(_whole_day),
    Field(description="Later than now; a date is over with its day, in UTC"),
]
Importance = Annotated[
    float, Field(ge=0, le=1, allow_inf_nan=False, strict=True), AfterValidator(_in_single_precision)
]
Version64 = Annotated[int, Field(ge=0, le=INT64, strict=True)]
MemoryId = Annotated[
    str,
    BeforeValidator(_number_as_text),
    StringConstraints(max_length=64, min_length=1),
    WithJsonSchema(
        {"anyOf": [{"type": "integer"}, {"type": "string", "minLength": 1, "maxLength": 64}]}
    ),
]
