"""When a memory may end: the rule and the sentence are the plugin's.

It holds for what is stored or changed now. An import and the operations of a client tell of what
was stored before, and are taken as they are.
"""

from __future__ import annotations

from datetime import UTC, datetime

from backend.errors import Malformed

FIX = "Give a later time, or none for a memory that does not expire."


def refuse_past(expires_at: datetime | None, undone: str = "stored") -> None:
    """Let pass what has not ended yet.

    Raises:
        Malformed: it has.
    """
    if expires_at is None or not is_past(expires_at):
        return
    told = expires_at.isoformat(timespec="seconds").replace("+00:00", "Z")
    message = f"expires_at, {told}, is past; nothing was {undone}."
    errors = [{"where": "body.expires_at", "message": "is past"}]
    raise Malformed(message, fix=FIX, errors=errors)


def is_past(expires_at: datetime | None) -> bool:
    """Tell whether that moment is over; never is not."""
    return expires_at is not None and expires_at <= datetime.now(UTC)
