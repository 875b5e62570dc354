"""Reads what a server answers with: rows of memories, and what is in them."""

from __future__ import annotations

from claude_memory.memory import Memory
from claude_memory.sync import wire

TEXTS = [
    name
    for name in Memory._fields
    if name not in {"local_no", "no", "importance", "is_sensitive", "session_seq"}
]


def listed(answer: wire.Fields) -> list[wire.Fields]:
    """Return the rows of an answer.

    Raises:
        AnswerLost: this is no answer of a server of ours.
    """
    found = answer.get("memories")
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise wire.foreign("it has no memories")
    return found


def number(answer: wire.Fields) -> int:
    """Return the number of the memory that an answer is about.

    Raises:
        AnswerLost: this is no answer of a server of ours.
    """
    found = answer.get("id")
    if not isinstance(found, int):
        raise wire.foreign("it has no number")
    return found


def text(row: wire.Fields, name: str) -> str:
    """Return a text of a row; what is not there is empty.

    Raises:
        AnswerLost: this is no answer of a server of ours.
    """
    found = row.get(name) or ""
    if not isinstance(found, str):
        raise wire.foreign(f"its {name} is no text")
    return found


def read(row: wire.Fields) -> Memory:
    """Read a row of the server; what an older one does not send is empty.

    Raises:
        AnswerLost: it is no row.
    """
    texts = {name: text(row, name) for name in TEXTS}
    try:
        importance, place = float(row.get("importance", 0.5)), int(row.get("session_seq", 0))
    except (TypeError, ValueError, OverflowError) as error:
        raise wire.foreign("it has no number where there should be one") from error
    return Memory(
        local_no=None,
        no=number(row),
        importance=importance,
        is_sensitive=bool(row.get("is_sensitive")),
        session_seq=place,
        **texts,
    )
