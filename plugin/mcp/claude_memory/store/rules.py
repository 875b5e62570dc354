"""Knows which memories are rules to obey, and finds those that name a command. Hot."""

from __future__ import annotations

import re

from claude_memory.memory import stamp
from claude_memory.store import commonness, postings
from claude_memory.store.rows import COLUMNS_OF_M, SCOPES, VISIBLE, to_memory

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from datetime import datetime

    from claude_memory.memory import Memory

LOOKED_AT = 100  # memories that name a command: the newest
# What a rule says that is no preference by its category.
ORDER = re.compile(
    r"\b(?:always|never|must|mustn't|don't|do not|only|instead of|rather than|forbidden|avoid|"
    r"immer|nie|niemals|nicht|nur|statt|toujours|jamais|ne pas|seulement|siempre|nunca|sempre|mai|"
    r"altijd|nooit)\b|必ず|禁止|しない|使わない|必须|不要|绝不|항상|절대",
    re.IGNORECASE,
)
NAMED = (
    f"SELECT {COLUMNS_OF_M} FROM ({postings.NEWEST_HOLDERS}) f "  # noqa: S608
    f"CROSS JOIN memories m ON m.rid = f.rowid WHERE {SCOPES['']} AND {VISIBLE}"
)


def is_rule(memory: Memory) -> bool:
    """Tell whether a memory has to be obeyed word for word: a preference or a correction."""
    return memory.category == "preferences" or bool(memory.supersedes)


def naming(
    connection: sqlite3.Connection, commands: Iterable[str], project: str, now: datetime
) -> list[Memory]:
    """Return the rules that name one of these commands, such as `npm` or `git push`.

    The weightiest come first, then the newest.
    """
    found: dict[str, Memory] = {}
    for command in commands:
        values = {"match": f'"{command}"', "most": LOOKED_AT, "project": project, "now": stamp(now)}
        for row in connection.execute(NAMED, values):
            memory = to_memory(row)
            if _orders(memory) and _names(memory.content, command):
                found.setdefault(memory.uid, memory)
    return sorted(
        found.values(), key=lambda one: (one.importance, one.created_at, one.uid), reverse=True
    )


def _orders(memory: Memory) -> bool:
    return is_rule(memory) or ORDER.search(memory.content) is not None


def _names(content: str, command: str) -> bool:
    """Tell whether a text names a command, and not only uses its word.

    `make` and `find` are words that everybody uses: they have to stand as code does. And
    what code says further holds as well: `go test` names no other `go`.
    """
    name = re.escape(command).replace("\\ ", r"\s+")
    further = "" if " " in command else r"(?!\s+[A-Za-z])"
    if re.search(rf"`{name}(?![\w-]){further}", content) is not None:
        return True
    if commonness.is_ordinary(command) or commonness.is_stop(command):
        return False
    return re.search(rf"(?<![\w./`-]){name}(?![\w-])", content) is not None
