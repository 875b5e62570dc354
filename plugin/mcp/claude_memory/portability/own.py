"""Reads a line of our own export back, field by field; a line that is not sound is refused.

A line of a server's export says null for what is empty, and not when it was changed last.
An export may have been edited or forged: whatever is secret in it is redacted here, or refused
where nothing but a name belongs.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from claude_memory.errors import BadInput
from claude_memory.memory import CATEGORIES, SCOPES, SOURCES, Memory, moment, stamp
from claude_memory.redaction.detector import find
from claude_memory.service import checks
from claude_memory.service.secrets import separate
from claude_memory.store.history import SEALS
from claude_memory.store.ids import UID
from claude_memory.store.records import Earlier, Kept
from claude_memory.store.seals import Seal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from claude_memory.service.secrets import Safe

    Json = Mapping[str, Any]

T = TypeVar("T")
TEXT_LIMIT = 16_777_216  # characters; an earlier system kept longer texts than a tool call may
NAME_LIMIT = 4_096  # characters; a project may be known by a path
LARGEST = 2**53
WORDS = re.compile(rb"[ -~]{16,}")  # in a blob: ciphertext has no such runs, clear text has


@dataclass(frozen=True)
class Own:
    """A memory of an export: checked, redacted, with its past."""

    memory: Memory
    safe: Safe
    past: tuple[Earlier, ...]
    sealed: tuple[Kept, ...]

    @property
    def seal(self) -> Seal | None:
        """Return the seal of the present text, if there is one."""
        present = [one.seal for one in self.sealed if one.earlier is None]
        return present[-1] if present else None


def read(line: Json) -> Own:
    """Return what a line of an export holds.

    Raises:
        BadInput: a field is missing, of the wrong type, or cannot be kept as it is.
    """
    memory, safe = _state(line)
    past = tuple(map(_earlier, _list(line, "history")))
    sealed = tuple(_kept(one, len(past)) for one in _list(line, "sealed"))
    return Own(memory, safe, past, sealed)


def _state(line: Json) -> tuple[Memory, Safe]:
    safe = separate(*(_text(line, name) for name in ("content", "tags", "expanded_keywords")))
    if not safe.content.strip():
        raise BadInput("content is empty.")
    memory = Memory(
        uid=_uid(line, "uid"),
        local_no=None,
        no=None,
        content=safe.content,
        category=_among(line, "category", CATEGORIES),
        tags=safe.tags,
        expanded_keywords=safe.expanded_keywords,
        importance=checks.importance(_number(line, "importance")),
        is_sensitive=_typed(line, "is_sensitive", bool) or bool(safe.kinds),
        scope=_among(line, "scope", SCOPES),
        project=_name(line, "project"),
        session=_name(line, "session"),
        session_seq=_count(line, "session_seq"),
        source=_among(line, "source", SOURCES),
        supersedes="" if _is_empty(line, "supersedes") else _uid(line, "supersedes"),
        expires_at="" if _is_empty(line, "expires_at") else _time(line, "expires_at"),
        created_at=_time(line, "created_at"),
        updated_at=_time(line, "updated_at" if "updated_at" in line else "created_at"),
    )
    return memory, safe


def _earlier(entry: object) -> Earlier:
    found = _object("history", entry)
    fields = _object("history", found.get("fields"))
    state, _ = _state(fields)
    noted = {SEALS: _list(fields, SEALS)} if SEALS in fields else {}
    if not all(type(one) is int for one in noted.get(SEALS, ())):
        raise BadInput(f"{SEALS}, of an earlier state, are no numbers.")
    return Earlier(_time(found, "at"), {**state._asdict(), **noted})


def _kept(entry: object, count: int) -> Kept:
    found = _object("sealed", entry)
    try:
        blob = base64.b64decode(_typed(found, "blob", str), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadInput("blob, of a seal, is not base64.") from error
    _refuse_clear("blob", b"\n".join(WORDS.findall(blob)).decode("ascii"))
    place = found.get("history")
    if place is not None and not (type(place) is int and 0 <= place < count):
        raise BadInput("history, of a seal, names no entry of the history.")
    seal = Seal(_name(found, "bound"), _name(found, "keeper"), _name(found, "key_id"), blob)
    return Kept(seal, _time(found, "at"), place)


def _text(line: Json, name: str) -> str:
    return checks.text(name, _typed(line, name, str), TEXT_LIMIT)


def _name(line: Json, name: str) -> str:
    """Return a short text that nobody writes a secret into."""
    value = checks.text(name, _typed(line, name, str), NAME_LIMIT)
    _refuse_clear(name, value)
    return value


def _refuse_clear(name: str, value: str) -> None:
    found = find(value)
    if found:
        raise BadInput(f"{name} holds a secret in clear ({found[0].kind}).", "Remove it.")


def _is_empty(line: Json, name: str) -> bool:
    return name in line and line[name] in ("", None)


def _uid(line: Json, name: str) -> str:
    value = _typed(line, name, str)
    if not UID.fullmatch(value):
        raise BadInput(f"{name} is not the uid of a memory.")
    return value


def _among(line: Json, name: str, known: tuple[str, ...]) -> str:
    value = _typed(line, name, str)
    if value not in known:
        raise BadInput(f"{name} is none of: {', '.join(known)}.")
    return value


def _time(line: Json, name: str) -> str:
    try:
        return stamp(moment(_typed(line, name, str)))
    except BadInput as error:
        raise BadInput(f"{name} is not a time.") from error


def _number(line: Json, name: str) -> float:
    value = line.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _wrong(line, name)
    return value


def _count(line: Json, name: str) -> int:
    value = line.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST:
        raise _wrong(line, name)
    return value


def _typed(line: Json, name: str, kind: type[T]) -> T:
    value = line.get(name)
    if not isinstance(value, kind):
        raise _wrong(line, name)
    return value


def _wrong(line: Json, name: str) -> BadInput:
    return BadInput(f"{name} is {'of the wrong type' if name in line else 'missing'}.")


def _list(line: Json, name: str) -> list[object]:
    value = line.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise _wrong(line, name)
    return value


def _object(name: str, value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadInput(f"{name} holds something that is no object.")
    return value
