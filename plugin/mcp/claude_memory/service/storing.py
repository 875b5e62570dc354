"""How a new fact becomes a memory: check, redact, look for the same text, seal, write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from claude_memory import memory
from claude_memory.errors import BadInput
from claude_memory.memory import Draft, label
from claude_memory.service import checks
from claude_memory.service.again import widened
from claude_memory.service.interface import NewMemory, Stored
from claude_memory.service.secrets import separate
from claude_memory.store import memories, seals, sessions, similar
from claude_memory.store.connection import write

if TYPE_CHECKING:
    import sqlite3

    from claude_memory.memory import Memory
    from claude_memory.service.place import Place
    from claude_memory.service.secrets import Safe, SecretDoor


@dataclass(frozen=True)
class _Ready:
    """A checked and redacted fact, before it is written."""

    draft: Draft
    safe: Safe
    superseded: Memory | None
    created_at: str
    notes: tuple[str, ...]


def store(place: Place, door: SecretDoor, new: NewMemory, *, local_no: int | None = None) -> Stored:
    """Keep a fact, under a number it already has if one is given; on the disk when this returns.

    Raises:
        BadInput: the fact is refused; nothing was written.
        StoreError: the store cannot be written.
    """
    ready = _prepare(place, new)
    same = _same(place, door, ready)
    if same is not None:
        return _already(place, ready, same)
    uid = memory.new_uid(place.now())
    twin = similar.likely_twin(place.connection(), ready.draft, place.now())
    seal, sealing = door.seal(uid, ready.safe)
    with door.given_up_unless_written(seal):
        stored = _write(place, ready, uid, seal, local_no)
    if stored.uid != uid:  # another session stored the same text in between
        return _already(place, ready, stored)
    return Stored(
        memory=stored,
        outcome="stored",
        twin=twin if twin and twin.uid != stored.supersedes else None,
        superseded=ready.superseded,
        kinds=ready.safe.kinds,
        secret_kept=seal is not None,
        notes=(*ready.notes, *sealing),
    )


def _prepare(place: Place, new: NewMemory) -> _Ready:
    content = checks.content(new.content)
    safe = separate(
        content,
        checks.tags(new.tags),
        checks.keywords(new.expanded_keywords),
        force=new.force_sensitive,
    )
    superseded = _superseded(place, new.supersedes)
    project = place.project if new.project is None else new.project
    scope = checks.scope(new.scope)
    notes = []
    if scope == "project" and not project:
        scope = "global"
        notes.append(checks.NO_PROJECT)
    draft = Draft(
        content=safe.content,
        category=checks.category(new.category),
        tags=safe.tags,
        expanded_keywords=safe.expanded_keywords,
        importance=checks.importance(new.importance),
        is_sensitive=bool(safe.kinds),
        scope=scope,
        project=project,
        session=place.session if new.session is None else new.session,
        source=new.source,
        supersedes=superseded.uid if superseded else "",
        expires_at=checks.expiry(new.expires_at, place.now()),
    )
    created = checks.time(new.created_at)
    return _Ready(draft, safe, superseded, created, tuple(notes))


def _superseded(place: Place, memory_id: str) -> Memory | None:
    if not memory_id.strip():
        return None
    connection = place.connection()
    found = memories.named(connection, memory_id)
    later = memories.successor(connection, found.uid)
    if later is not None:
        message = f"Memory {label(found)} is already superseded by {label(later)}."
        raise BadInput(message, f"Supersede {label(later)} instead.")
    return found


def _same(place: Place, door: SecretDoor, ready: _Ready) -> Memory | None:
    for found in _twins(place, ready):
        if not ready.safe.kinds or door.holds(found, ready.safe.clear):
            return found
    return None


def _twins(place: Place, ready: _Ready) -> list[Memory]:
    draft = ready.draft
    found = memories.twins(place.connection(), draft.content, draft.project, place.now())
    return [
        one
        for one in found
        if one.is_sensitive == draft.is_sensitive and one.uid != draft.supersedes
    ]


def _write(
    place: Place, ready: _Ready, uid: str, seal: seals.Seal | None, local_no: int | None
) -> Memory:
    draft = ready.draft
    with write(place.connection()) as connection:
        if not ready.safe.kinds:
            raced = _twins(place, ready)
            if raced:
                return raced[0]
        seq = sessions.next_seq(connection, draft.session, draft.project, place.now())
        added = memories.add(
            connection,
            draft,
            place.now(),
            seq=seq,
            uid=uid,
            local_no=local_no,
            created_at=ready.created_at,
        )
        if seal is not None:
            seals.put(connection, uid, seal, place.now())
        return added


def _already(place: Place, ready: _Ready, found: Memory) -> Stored:
    """Answer with the memory that holds the same text, which from now on holds as asked."""
    _, notes = _widened(place.connection(), found, ready)
    if notes:
        with write(place.connection()) as connection:
            found = memories.get(connection, found.uid) or found  # as another session has left it
            found, notes = _widened(connection, found, ready)
            found = found._replace(updated_at=memory.stamp(place.now()))
            memories.change(connection, found)
    return Stored(found, "already", kinds=ready.safe.kinds, notes=(*ready.notes, *notes))


def _widened(
    connection: sqlite3.Connection, found: Memory, ready: _Ready
) -> tuple[Memory, list[str]]:
    draft = ready.draft
    return widened(
        found,
        draft.scope,
        draft.expires_at,
        ready.superseded,
        lambda uid: memories.get(connection, uid) is not None,
    )
