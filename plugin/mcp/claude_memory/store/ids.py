"""What an id means: local numbers, server numbers and uids. Hot.

`L7` was made on this machine, `#42` was numbered by a server. A bare integer means `L` while the
store is local; in a bound store it means `#`, unless a different memory made here has that number.
"""

from __future__ import annotations

import re

from claude_memory.errors import Ambiguous, BadInput, NotFound
from claude_memory.store import outbox, state

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3

SHAPE = re.compile(r"(?P<sign>[#lL]?)(?P<number>[0-9]{1,15})")
LISTED = re.compile(r"\s*(?:[#lL][0-9]{1,15}(?:[\s,;]+|\Z))+")  # with their signs, and nothing else
UID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def take_local_no(connection: sqlite3.Connection) -> int:
    """Take the next local number; call it inside a write transaction."""
    number = int(state.get(connection, state.NEXT_LOCAL_NO, "1"))
    state.put(connection, state.NEXT_LOCAL_NO, str(number + 1))
    return number


def is_local_no_used(connection: sqlite3.Connection, number: int | None) -> bool:
    """Tell whether a memory or a tombstone has this local number."""
    return number is not None and bool(_with(connection, "local_no", number))


def resolve(connection: sqlite3.Connection, text: str) -> str:
    """Return the uid that an id names; deleted memories included.

    Raises:
        BadInput: the text is no id.
        NotFound: no memory has it.
        Ambiguous: it fits two memories.
    """
    cleaned = text.strip()
    if UID.fullmatch(cleaned.lower()):
        return _only(_with(connection, "uid", cleaned.lower()), cleaned)
    match = SHAPE.fullmatch(cleaned)
    if not match:
        message = f"'{cleaned[:40]}' is not a memory id."
        raise BadInput(message, "An id looks like L7, #42 or 42.")
    sign, number = match["sign"].upper(), int(match["number"])
    if sign:
        return _only(_with(connection, "no" if sign == "#" else "local_no", number), cleaned)
    return _bare(connection, number, cleaned)


def listed(text: str) -> list[str]:
    """Return the ids that a text consists of, such as `#42, L7`; none if there are other words."""
    return re.findall(r"[#lL][0-9]+", text) if LISTED.fullmatch(text) else []


def local_number(text: str) -> int | None:
    """Return the number when `text` can mean a local one (`L7` or a bare `7`), else None."""
    match = SHAPE.fullmatch(text.strip())
    return int(match["number"]) if match and match["sign"] != "#" else None


def _bare(connection: sqlite3.Connection, number: int, text: str) -> str:
    here = _with(connection, "local_no", number)
    if not outbox.is_bound(connection):
        return _only(here, f"L{text}")
    there = _with(connection, "no", number)
    if here and there and here != there:
        message = f"{text} fits two memories, L{text} and #{text}; nothing was changed."
        raise Ambiguous(message, f"Say L{text} (made here) or #{text} (the server's number).")
    return _only(there or here, text)


def _with(connection: sqlite3.Connection, column: str, value: str | int) -> list[str]:
    query = f"SELECT uid FROM memories WHERE {column} = ?"  # noqa: S608  (three fixed names)
    return [uid for (uid,) in connection.execute(query, (value,))]


def _only(uids: list[str], text: str) -> str:
    if not uids:
        message = f"There is no memory {text}."
        raise NotFound(message)
    return uids[0]
