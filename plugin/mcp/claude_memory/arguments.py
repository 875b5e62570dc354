"""Reads the arguments of tool calls into requests; whatever has the wrong type is refused."""

from __future__ import annotations

from claude_memory.errors import BadInput
from claude_memory.service.interface import Edit, NewMemory, Page, Question

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    Arguments = Mapping[str, Any]

SORTS = ("relevance", "importance", "recency")
MANY = 100


class Reader:
    """Takes arguments one by one by their type; `end` refuses what is left over."""

    def __init__(self, arguments: Arguments) -> None:
        """Start with all arguments unread; null counts as not given."""
        self._left = {name: value for name, value in arguments.items() if value is not None}

    def text(self, name: str) -> str | None:
        """Take a text; a list of texts is joined by commas."""
        value = self._left.pop(name, None)
        if isinstance(value, list) and all(isinstance(part, str) for part in value):
            return ",".join(value)
        if value is not None and not isinstance(value, str):
            raise wrong(name, "a string", value)
        return value

    def number(self, name: str) -> float | None:
        """Take a number."""
        value = self._left.pop(name, None)
        if isinstance(value, bool) or not isinstance(value, (int, float, type(None))):
            raise wrong(name, "a number", value)
        return value

    def integer(self, name: str, default: int) -> int:
        """Take a whole number."""
        value = self._left.pop(name, default)
        if isinstance(value, float) and value.is_integer():
            return int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise wrong(name, "a whole number", value)
        return value

    def flag(self, name: str) -> bool:
        """Take true or false; absent is false."""
        value = self._left.pop(name, False)
        if not isinstance(value, bool):
            raise wrong(name, "true or false", value)
        return value

    def id(self, name: str) -> str:
        """Take the id of a memory; absent is an empty text."""
        return _id(name, self._left.pop(name, ""))

    def ids(self, name: str) -> tuple[str, ...]:
        """Take one id or a list of ids."""
        value = self._left.pop(name, [])
        values = value if isinstance(value, list) else [value]
        if len(values) > MANY:
            message = f"{len(values)} ids at once; at most {MANY}; nothing was done."
            raise BadInput(message)
        return tuple(_id(name, one) for one in values)

    def end(self) -> None:
        """Refuse arguments that nobody asked for, so that a misspelt one is not lost."""
        if self._left:
            message = f"Unknown argument {', '.join(sorted(map(repr, self._left)))}."
            raise BadInput(message, "Nothing was done; the tool's schema names its arguments.")


def _id(name: str, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise wrong(name, "a string or an integer", value)
    return str(value)


def wrong(name: str, wanted: str, value: object) -> BadInput:
    """Build the refusal of an argument of the wrong type."""
    return BadInput(f"{name} must be {wanted}, not {type(value).__name__}; nothing was done.")


def required(name: str, value: str | None) -> str:
    """Return a text that must be given.

    Raises:
        BadInput: it is missing.
    """
    if value is None or not value.strip():
        message = f"{name} is missing."
        raise BadInput(message)
    return value


def new_memory(arguments: Arguments) -> NewMemory:
    """Read the arguments of memory_store.

    Raises:
        BadInput: one is missing, unknown or of the wrong type.
    """
    read = Reader(arguments)
    importance = read.number("importance")
    new = NewMemory(
        content=required("content", read.text("content")),
        category=read.text("category") or "facts",
        tags=read.text("tags") or "",
        importance=0.5 if importance is None else importance,
        expanded_keywords=(read.text("expanded_keywords") or "").replace(",", " "),
        force_sensitive=read.flag("force_sensitive"),
        scope=read.text("scope") or "global",
        supersedes=read.id("supersedes"),
        expires_at=read.text("expires_at") or "",
    )
    read.end()
    return new


def question(arguments: Arguments) -> Question:
    """Read the arguments of memory_recall.

    Raises:
        BadInput: one is missing, unknown or of the wrong type.
    """
    read = Reader(arguments)
    asked = Question(
        context=required("context", read.text("context")),
        expanded_query=read.text("expanded_query") or "",
        category=read.text("category") or "",
        limit=read.integer("limit", 10),
        sort_by=read.text("sort_by") or "relevance",
        scope=read.text("scope") or "",
        explain=read.flag("explain"),
    )
    if asked.sort_by not in SORTS:
        message = f"sort_by is '{asked.sort_by[:40]}'."
        raise BadInput(message, f"Use one of: {', '.join(SORTS)}.")
    read.end()
    return asked


def page(arguments: Arguments) -> Page:
    """Read the arguments of memory_list.

    Raises:
        BadInput: one is unknown or of the wrong type.
    """
    read = Reader(arguments)
    asked = Page(
        category=read.text("category") or "",
        tag=read.text("tag") or "",
        limit=read.integer("limit", 20),
        scope=read.text("scope") or "",
    )
    read.end()
    return asked


def edit(arguments: Arguments) -> Edit:
    """Read the arguments of memory_update.

    Raises:
        BadInput: one is missing, unknown or of the wrong type.
    """
    read = Reader(arguments)
    keywords = read.text("expanded_keywords")
    wanted = Edit(
        id=required("id", read.id("id")),
        content=read.text("content"),
        category=read.text("category"),
        tags=read.text("tags"),
        importance=read.number("importance"),
        expanded_keywords=None if keywords is None else keywords.replace(",", " "),
        expires_at=read.text("expires_at"),
        review=read.text("review") or "",
        restore=read.flag("restore"),
    )
    read.end()
    return wanted


def doomed(arguments: Arguments) -> tuple[tuple[str, ...], bool]:
    """Read the arguments of memory_delete: the ids, and whether to purge.

    Raises:
        BadInput: one is missing, unknown or of the wrong type.
    """
    read = Reader(arguments)
    ids, purge = read.ids("id"), read.flag("purge")
    read.end()
    for one in ids:
        required("id", one)
    if not ids:
        message = "id is missing."
        raise BadInput(message)
    return ids, purge


def memory_id(arguments: Arguments) -> str:
    """Read the one id that secret_get takes.

    Raises:
        BadInput: it is missing or of the wrong type.
    """
    read = Reader(arguments)
    found = required("id", read.id("id"))
    read.end()
    return found


def nothing(arguments: Arguments) -> None:
    """Read the arguments of a tool that takes none.

    Raises:
        BadInput: there is one.
    """
    Reader(arguments).end()
