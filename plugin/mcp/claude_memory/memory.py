"""The Memory value, what its fields may hold, and how its uid and times are made.

Hot: hooks import this, so only modules that cost nothing.
"""

from __future__ import annotations

import os
import re
import time
from collections import namedtuple
from datetime import datetime, timedelta, timezone

from claude_memory.errors import BadInput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple

CATEGORIES = ("facts", "preferences", "projects", "people", "decisions")
SCOPES = ("global", "project")
SOURCES = ("user", "model", "auto-learn", "import", "teammate")
CONTENT_LIMIT = 16_384  # characters
TAGS_LIMIT = 1_000
KEYWORDS_LIMIT = 4_000
NAME_LIMIT = 500  # of a project or a session
SPLIT_ADVICE = 1_400  # characters; longer memories are found less well

if TYPE_CHECKING:

    class Memory(NamedTuple):
        """One fact with its fields, as every reader sees it.

        `local_no` is shown as L7, `no` (the server's) as #42; times are ISO 8601 in UTC;
        `importance` is 0 to 1; `session_seq` counts the memories of one client session.
        """

        uid: str
        local_no: int | None
        no: int | None
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
        source: str
        supersedes: str
        expires_at: str
        created_at: str
        updated_at: str

    class Draft(NamedTuple):
        """What someone asks to store: checked and redacted, not yet a memory."""

        content: str
        category: str
        tags: str
        expanded_keywords: str
        importance: float
        is_sensitive: bool
        scope: str
        project: str
        session: str
        source: str
        supersedes: str
        expires_at: str

else:
    Memory = namedtuple(
        "Memory",
        "uid local_no no content category tags expanded_keywords importance is_sensitive scope "
        "project session session_seq source supersedes expires_at created_at updated_at",
    )
    Draft = namedtuple(
        "Draft",
        "content category tags expanded_keywords importance is_sensitive scope project session "
        "source supersedes expires_at",
    )


def drafted(memory: Memory) -> Draft:
    """Return what would have to be stored to have this memory once more."""
    return Draft._make(getattr(memory, name) for name in Draft._fields)


def label(memory: Memory) -> str:
    """Return the id a person sees: `#42` once a server numbered it, else `L7`."""
    return numbered(memory.no, memory.local_no)


def numbered(no: int | None, local_no: int | None) -> str:
    """Return the id that a server's number, or else a number made here, is shown as."""
    return f"L{local_no}" if no is None else f"#{no}"


def new_uid(now: datetime) -> str:
    """Make a UUIDv7 (RFC 9562, 5.7) from the time in milliseconds and 74 random bits."""
    milliseconds = int(now.timestamp() * 1000)
    tail = int.from_bytes(os.urandom(10), "big")
    number = (milliseconds & 0xFFFFFFFFFFFF) << 80 | 0x7 << 76 | (tail >> 62 & 0xFFF) << 64
    return _hyphened(number | 0b10 << 62 | tail & 0x3FFFFFFFFFFFFFFF)


def new_op_id() -> str:
    """Make a random 128-bit id in the form of a UUID (RFC 9562, version 4)."""
    number = int.from_bytes(os.urandom(16), "big")
    return _hyphened(number & ~(0xF << 76 | 0x3 << 62) | 4 << 76 | 2 << 62)


def _hyphened(number: int) -> str:
    text = f"{number:032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def bounded(name: str) -> str:
    """Return the name of a project or a session as it is kept, everywhere the same.

    No server takes one that is longer: of such a name the end stays, behind a digest of all of it.
    """
    if len(name) <= NAME_LIMIT:
        return name
    from hashlib import blake2b

    digest = blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    return f"{digest}/{name[len(digest) + 1 - NAME_LIMIT :]}"


def utc_now() -> datetime:
    """Return the present time; the one clock that composition roots hand out."""
    return datetime.fromtimestamp(time.time(), timezone.utc)


def stamp(moment: datetime) -> str:
    """Write a moment as ISO 8601 in UTC with microseconds and `Z`; sorts as text."""
    text = moment.astimezone(timezone.utc).isoformat(timespec="microseconds")
    return text[:26] + "Z"  # strftime would write the year 1, a null of other systems, as "1"


def moment(text: str) -> datetime:
    """Read an ISO 8601 date or time; without a zone it is UTC.

    Raises:
        BadInput: the text is not such a time.
    """
    try:
        read = datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", text.strip()))
        zoned = read if read.tzinfo else read.replace(tzinfo=timezone.utc)
        return zoned.astimezone(timezone.utc)
    except (ValueError, OverflowError) as error:
        message = f"'{text[:40]}' is not a time."
        raise BadInput(message, "Write it as 2026-12-31 or 2026-12-31T18:00:00Z.") from error


def days_before(now: datetime, days: int) -> str:
    """Return the stamp of `days` before `now`."""
    return stamp(now - timedelta(days=days))
