"""What a memory may hold: the one place that refuses, always with the reason."""

from __future__ import annotations

import re
from datetime import datetime

from claude_memory import memory
from claude_memory.errors import BadInput

DATE = re.compile(r"\d{4}-\d\d-\d\d")
FORBIDDEN = re.compile("[\x00\ud800-\udfff]")
ASKED = ("", *memory.SCOPES, "all")  # scopes of a question
QUERY_LIMIT = 100_000  # characters; recall itself looks only at the rarest terms
NO_PROJECT = "This folder belongs to no project, so the memory is global."


def text(name: str, value: str, limit: int) -> str:
    """Return `value`, or refuse what cannot be stored as text.

    Raises:
        BadInput: NUL, a lone surrogate, or more than `limit` characters.
    """
    found = FORBIDDEN.search(value)
    if found:
        what = "a NUL character" if found[0] == "\x00" else "a lone surrogate"
        message = f"{name} holds {what} at position {found.start()}; nothing was stored."
        raise BadInput(message, "Remove it and try again.")
    if len(value) > limit:
        message = f"{name} has {len(value):,} characters; at most {limit:,} are kept."
        raise BadInput(message, "Split it into several memories of one fact each.")
    return value


def question(value: str) -> str:
    """Return what is looked for, with a blank for each character that no memory can hold."""
    return FORBIDDEN.sub(" ", value[:QUERY_LIMIT])


def content(value: str) -> str:
    """Return the text of a memory without the white space around it.

    Raises:
        BadInput: it is empty, too long or not storable.
    """
    cleaned = text("content", value, memory.CONTENT_LIMIT).strip()
    if not cleaned:
        message = "content is empty; nothing was stored."
        raise BadInput(message, "Say what is to be remembered.")
    return cleaned


def category(value: str) -> str:
    """Return a known category.

    Raises:
        BadInput: it is not one of the five.
    """
    if value not in memory.CATEGORIES:
        message = f"There is no category '{value[:40]}'."
        raise BadInput(message, f"Use one of: {', '.join(memory.CATEGORIES)}.")
    return value


def category_asked(value: str) -> str:
    """Return the category that a question is bound to; empty for all.

    Raises:
        BadInput: it is not one of the five.
    """
    return value and category(value)


def tags(value: str) -> str:
    """Return tags without blanks and doubles, joined by commas.

    Raises:
        BadInput: they are too long or not storable.
    """
    parts = (" ".join(part.split()) for part in text("tags", value, memory.TAGS_LIMIT).split(","))
    return ",".join(dict.fromkeys(part for part in parts if part))


def keywords(value: str) -> str:
    """Return expanded keywords separated by single spaces.

    Raises:
        BadInput: they are too long or not storable.
    """
    return " ".join(text("expanded_keywords", value, memory.KEYWORDS_LIMIT).split())


def importance(value: float) -> float:
    """Return an importance from 0 to 1.

    Raises:
        BadInput: it is outside, or no number.
    """
    if not 0 <= value <= 1:  # NaN is neither
        message = f"importance is {str(value)[:40]}; it goes from 0 to 1."
        raise BadInput(message, "Use 0.5 for an ordinary fact, 0.9 for a rule that always holds.")
    return float(value)


def time(value: str) -> str:
    """Return a time as a stamp; empty stays empty: never, or not told.

    Raises:
        BadInput: it is no time.
    """
    return memory.stamp(memory.moment(value)) if value.strip() else ""


def expiry(value: str, now: datetime, undone: str = "stored") -> str:
    """Return when a memory ends as a stamp; empty stays empty. A date is over with its day, here.

    Raises:
        BadInput: it is no time, or past.
    """
    at = time(value)
    if DATE.fullmatch(value.strip()):
        at = _end_of_day(value.strip())
    if at and at <= memory.stamp(now):
        message = f"expires_at, {value.strip()[:40]}, is past; nothing was {undone}."
        raise BadInput(message, "Give a later time, or none for a memory that does not expire.")
    return at


def _end_of_day(date: str) -> str:
    """Return when a day ends here, or in UTC where this zone's calendar ends before it."""
    try:
        return memory.stamp(datetime.fromisoformat(f"{date}T23:59:59").astimezone())
    except (ValueError, OverflowError):
        return time(f"{date}T23:59:59Z")


def scope(value: str, known: tuple[str, ...] = memory.SCOPES) -> str:
    """Return a known scope: that of a memory.

    Raises:
        BadInput: it is none of `known`.
    """
    if value not in known:
        message = f"There is no scope '{value[:40]}'."
        raise BadInput(message, f"Use one of: {', '.join(name for name in known if name)}.")
    return value


def scope_asked(value: str) -> str:
    """Return the scope that a question is bound to; empty for global and this project's memories.

    Raises:
        BadInput: it is none that can be asked for.
    """
    return scope(value, ASKED)


def limit(value: int) -> int:
    """Return how many memories to answer, 1 to 100.

    Raises:
        BadInput: it is below 1.
    """
    if value < 1:
        message = f"limit is {str(value)[:40]}; it must be at least 1."
        raise BadInput(message)
    return min(value, 100)
