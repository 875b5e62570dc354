"""Puts right what no memory may say: a damaged page yields rows with wrong fields."""

from __future__ import annotations

import json
import re

from claude_memory import memory as values
from claude_memory.errors import BadInput
from claude_memory.memory import stamp
from claude_memory.store import words
from claude_memory.store.ids import UID
from claude_memory.store.memories import twin_key
from claude_memory.store.rows import FIELDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    Row = dict[str, Any]

STAMP = re.compile(r"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]\.[0-9]{6}Z")
KINDS = ("create", "update", "delete", "replay")
TEXTS = ("content", "tags", "expanded_keywords", "project", "session", "supersedes")


def row(table: str, found: Row, now: datetime) -> Row | None:
    """Return the row with sound fields, or None where it cannot be made sound."""
    if table == "memories":
        return _memory(found, now)
    if table == "pending_ops":
        return found if _is_op(found) else None  # its memory is sent anew: see replica.mend
    return found if table != "history" or _is_state(found) else None


def _memory(found: Row, now: datetime) -> Row:
    live = bool(_text(found["content"])) and found["live"] != 0
    kept = {
        **found,
        **{name: _text(found[name]) for name in TEXTS},
        **{name: _whole(found[name], 0) for name in ("session_seq", "sv", "gen")},
        **{name: _whole(found[name], None) for name in ("local_no", "no")},
        "uid": found["uid"] if UID.fullmatch(_text(found["uid"])) else values.new_uid(now),
        "scope": _among(found["scope"], values.SCOPES),
        "source": _among(found["source"], values.SOURCES),
        "is_sensitive": int(found["is_sensitive"] != 0),
        "importance": _importance(found["importance"]),
        "created_at": _time(found["created_at"], stamp(now)),
        "updated_at": _time(found["updated_at"], stamp(now)),
        "expires_at": _time(found["expires_at"], ""),
        "live": int(live),
        "category": _among(found["category"], values.CATEGORIES) if live else "",
        "twin": twin_key(found["content"]) if live else "",
        **_known(found),
    }
    texts = (kept[name] for name in ("content", "tags", "expanded_keywords"))
    return {**kept, "words": words.extra_words(*texts) if live else ""}


def _known(found: Row) -> Row:
    """Return what is known of the server's state; where that cannot be read, that there was one."""
    srv = _object(found["srv"])
    lives = int(isinstance(srv.get("content"), str) and not srv.get("deleted_at"))
    return {"srv": found["srv"] if srv else None, "srv_live": lives}


def _object(value: object) -> Row:
    try:
        read = json.loads(_text(value))
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def _is_op(found: Row) -> bool:
    has_body = bool(_object(found["body"])) or (found["kind"], found["body"]) == ("delete", "{}")
    return has_body and found["kind"] in KINDS and bool(UID.fullmatch(_text(found["uid"])))


def _text(value: object) -> str:
    return value.replace("\x00", "") if isinstance(value, str) else ""


def _whole(value: object, otherwise: int | None) -> int | None:
    return value if isinstance(value, int) else otherwise


def _among(value: object, known: tuple[str, ...]) -> str:
    return str(value) if value in known else known[0]


def _importance(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) and 0 <= value <= 1 else 0.5


def _time(value: object, otherwise: str) -> str:
    text = _text(value)
    if not STAMP.fullmatch(text):
        return otherwise
    try:
        return stamp(values.moment(text))
    except BadInput:
        return otherwise


def _is_state(found: Row) -> bool:
    """Tell whether a history entry can be gone back to."""
    try:
        state = json.loads(_text(found["fields"]))
        return bool(_time(found["at"], "")) and all(name in state for name in FIELDS)
    except (ValueError, TypeError):
        return False
