"""Reads JSON in which no field stands twice: of two values one would be lost unseen."""

from __future__ import annotations

import json
from typing import Any

from backend.errors import Malformed

LONGEST_NAME = 60  # characters shown


def loads(text: bytes | str) -> Any:  # noqa: ANN401  (JSON can be anything)
    """Return what JSON holds.

    Raises:
        ValueError: it is none.
        Malformed: a field stands more than once in it.
    """
    return json.loads(text, object_pairs_hook=_once)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    names = [name for name, _ in pairs]
    shown = next(name for name in names if names.count(name) > 1)[:LONGEST_NAME]
    message = f"The field {shown!r} is given more than once; nothing was done."
    errors = [{"where": shown, "message": "is given more than once"}]
    raise Malformed(message, fix="Give it once.", errors=errors)
