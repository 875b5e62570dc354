"""Accepts or rejects what auto-learn proposed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from claude_memory.errors import NotFound
from claude_memory.memory import label
from claude_memory.redaction.detector import PLACEHOLDER
from claude_memory.service import storing
from claude_memory.service.interface import Edited, NewMemory
from claude_memory.store import ids, proposals
from claude_memory.store.connection import write

if TYPE_CHECKING:
    from claude_memory.service.place import Place
    from claude_memory.service.secrets import SecretDoor

LOST = (
    "What its placeholder stands for was redacted before it was proposed, and its value is not "
    "kept; memory_store with the value keeps it."
)


def review(place: Place, door: SecretDoor, memory_id: str, verdict: str) -> Edited:
    """Store a proposal under its number (`accept`), or forget it (`reject`).

    Raises:
        NotFound: no proposal has this id.
        BadInput: what was proposed cannot be stored; the proposal stays.
    """
    connection = place.connection()
    number = ids.local_number(memory_id)
    found = proposals.get(connection, number) if number is not None else None
    if found is None or number is None:
        message = f"Nothing waits for review under {memory_id}."
        raise NotFound(message, "memory_status shows what waits.")
    if verdict == "reject":
        with write(connection):
            proposals.remove(connection, number)
        return Edited(None, f"Rejected the proposal L{number}; it is forgotten.")
    stored = storing.store(place, door, NewMemory(**found.fields), local_no=number)
    with write(connection):
        proposals.remove(connection, number)
    known = stored.outcome == "already"
    kept = f", which was already stored as {label(stored.memory)}" if known else ""
    lost = (LOST,) if PLACEHOLDER.search(stored.memory.content) else ()
    return Edited(stored.memory, f"Accepted the proposal L{number}{kept}.", (*stored.notes, *lost))
