"""Changes, restores, deletes and purges of memories.

Another session may change the same memory at any time: what is written is decided from what the
write transaction itself sees.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from claude_memory.errors import Ambiguous, BadInput, NotFound, StoreError
from claude_memory.memory import drafted, label, stamp
from claude_memory.service import checks
from claude_memory.service.interface import Deleted, Edited
from claude_memory.service.secrets import destroy_loose, separate
from claude_memory.store import (
    history,
    ids,
    memories,
    outbox,
    overview,
    purge,
    seals,
    shelf,
    turns,
)
from claude_memory.store.connection import write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from claude_memory.memory import Memory
    from claude_memory.service.interface import Edit
    from claude_memory.service.place import Place
    from claude_memory.service.secrets import Safe, SecretDoor

TEXTS = ("content", "tags", "expanded_keywords")
EDITABLE = ("content", "category", "tags", "importance", "expanded_keywords", "expires_at")


def edit(place: Place, door: SecretDoor, wanted: Edit) -> Edited:
    """Change the given fields of one memory; the earlier text stays in its history.

    Raises:
        BadInput: a field is refused, or no memory has the id; nothing was changed.
    """
    edited = None
    while edited is None:
        edited = _try_edit(place, door, wanted)
    return edited


def _try_edit(place: Place, door: SecretDoor, wanted: Edit) -> Edited | None:
    """Edit the memory as it is now, or return None when another session was faster.

    No lock is held while a keeper seals, which may take seconds.
    """
    connection = place.connection()
    before = memories.named(connection, wanted.id)
    safe = _separated(place, door, before, wanted)
    after = _changed(before, wanted, safe, place.now())
    if after == before and not safe.clear:
        return Edited(before, f"Memory {label(before)} already says that; nothing was changed.")
    after = after._replace(updated_at=stamp(place.now()))
    seal, notes = door.seal(before.uid, safe)
    with door.given_up_unless_written(seal), write(connection):
        is_current = memories.get(connection, before.uid) == before
        if is_current:
            history.go_on(connection, before.uid)
            entry = history.record(connection, before, "edited", place.now())
            if wanted.content is None:  # the seal stays with the text
                seals.take_back(connection, entry)
            memories.change(connection, after, _texts(wanted) if seal else ())
            if seal is not None:
                seals.put(connection, before.uid, seal, place.now())
    if not is_current:
        door.forget([seal] if seal else [])
        return None
    return Edited(after, _edit_sentence(before, after), notes)


def _texts(wanted: Edit) -> tuple[str, ...]:
    """Return the texts that were given anew: with another secret they may read as before."""
    return tuple(name for name in TEXTS if getattr(wanted, name) is not None)


def _edit_sentence(before: Memory, after: Memory) -> str:
    names = [name for name in after._fields if getattr(after, name) != getattr(before, name)]
    changed = ", ".join(name for name in names if name not in {"updated_at", "is_sensitive"})
    return f"Updated memory {label(after)}: {changed or 'its secret'}. The earlier state is kept."


def _separated(place: Place, door: SecretDoor, before: Memory, wanted: Edit) -> Safe:
    content = before.content if wanted.content is None else checks.content(wanted.content)
    tags = before.tags if wanted.tags is None else checks.tags(wanted.tags)
    keywords = before.expanded_keywords
    if wanted.expanded_keywords is not None:
        keywords = checks.keywords(wanted.expanded_keywords)
    safe = separate(content, tags, keywords)
    seal = seals.get(place.connection(), before.uid)
    if safe.clear and seal is not None and wanted.content is None:
        # a secret in new tags joins the one in the old content, which stays readable
        return replace(safe, clear=f"{door.read(seal)}\n{safe.clear}")
    return safe


def _changed(before: Memory, wanted: Edit, safe: Safe, now: datetime) -> Memory:
    kept = before.is_sensitive and wanted.content is None
    after = before._replace(
        content=safe.content,
        tags=safe.tags,
        expanded_keywords=safe.expanded_keywords,
        is_sensitive=kept or bool(safe.kinds),
    )
    if wanted.category is not None:
        after = after._replace(category=checks.category(wanted.category))
    if wanted.importance is not None:
        after = after._replace(importance=checks.importance(wanted.importance))
    if wanted.expires_at is not None:
        after = after._replace(expires_at=checks.expiry(wanted.expires_at, now, "changed"))
    return after


def restore(place: Place, memory_id: str) -> Edited:
    """Undo the last edit of a memory that is not undone yet, or its deletion.

    Once all are undone, the latest state comes back, and all can be undone again. A deleted memory
    comes back with a new uid (a delete is final for the old one everywhere) under its old local
    number, with its history.

    Raises:
        NotFound: there is nothing left to go back to.
    """
    connection = place.connection()
    uid = ids.resolve(connection, memory_id)
    with write(connection):
        found = history.latest(connection, uid)
        if found is None:
            back = _redo(connection, uid, place)
            if back is None:
                message = f"Memory {memory_id} has no earlier state."
                raise NotFound(message, memories.way_back(connection, uid))
            return Edited(
                back, f"No state is earlier: restored the latest of memory {label(back)}."
            )
        entry, kind, earlier = found
        if kind == "deleted":
            back = _revive(connection, entry, earlier, place)
            return Edited(back, f"Restored memory {label(back)}.")
        back = _step(connection, entry, earlier, place, undone=True)
        return Edited(back, f"Restored the earlier state of memory {label(back)}.")


def _revive(connection: sqlite3.Connection, entry: int, earlier: Memory, place: Place) -> Memory:
    connection.execute("UPDATE memories SET local_no = NULL WHERE uid = ?", (earlier.uid,))
    draft = drafted(earlier)._replace(supersedes=earlier.supersedes or earlier.uid)
    back = memories.add(
        connection,
        draft,
        place.now(),
        seq=earlier.session_seq,
        local_no=earlier.local_no,
        created_at=earlier.created_at,
    )
    outbox.restores(connection, back.uid, history.marks(connection, entry)[1])
    memories.rename_superseded(connection, earlier.uid, back.uid, place.now())
    history.rename_superseded(connection, earlier.uid, back.uid)
    seals.take_back(connection, entry)
    history.move(connection, earlier.uid, back.uid)
    history.remove(connection, entry)
    seals.send(connection, back.uid)
    shelf.forget(connection, earlier.uid)
    return back


def _redo(connection: sqlite3.Connection, uid: str, place: Place) -> Memory | None:
    """Take back every undo, the last one first; return the state before them, if any."""
    back = None
    while (found := history.latest(connection, uid, undone=True)) is not None:
        entry, _, later = found
        back = _step(connection, entry, later, place, undone=False)
    return back


def _step(
    connection: sqlite3.Connection, entry: int, state: Memory, place: Place, *, undone: bool
) -> Memory:
    """Take the state of an entry beside the present one, which is kept in turn."""
    current = memories.get(connection, state.uid)
    if current is None:
        message = f"Memory {label(state)} is deleted."
        raise NotFound(message, memories.way_back(connection, state.uid))
    history.record(connection, current, "edited", place.now(), undone=undone)
    sums, former = history.marks(connection, entry)
    if sums is None:
        seals.take_back(connection, entry)
    else:
        seals.bring_back(connection, state.uid, sums)
    fields = {name: getattr(state, name) for name in (*EDITABLE, "is_sensitive")}
    after = current._replace(**fields, updated_at=stamp(place.now()))
    memories.change(connection, after, ("content",) if state.is_sensitive else ())
    if state.is_sensitive and seals.get(connection, state.uid) is None:
        outbox.restores(connection, after.uid, former)
    history.remove(connection, entry)
    seals.send(connection, after.uid)
    return after


def delete(
    place: Place, door: SecretDoor, memory_ids: tuple[str, ...], *, forever: bool
) -> tuple[Deleted, ...]:
    """Delete memories, all or none; `forever` also erases what an undo would need.

    Raises:
        BadInput: an id is unknown or ambiguous; nothing was deleted.
    """
    connection = place.connection()
    if forever:
        return tuple(_purge(place, door, memory_ids))
    with write(connection):
        with _all_or_none():
            named = [memories.named(connection, one) for one in memory_ids]
        live = list(dict.fromkeys(named))
        for one in live:
            history.record(connection, one, "deleted", place.now())
            memories.bury(connection, one.uid, stamp(place.now()))
            turns.forget(connection, one.session)  # or it would be learned again from there
        turns.forget(connection, place.session)
    now = place.now()
    return tuple(Deleted(label(one), _undo_sentence(connection, one, now), one.uid) for one in live)


@contextmanager
def _all_or_none() -> Iterator[None]:
    """Say of a refused id that the others are not deleted either."""
    try:
        yield
    except Ambiguous:  # which says so
        raise
    except BadInput as error:
        message = f"{error} Nothing was deleted."
        raise type(error)(message, error.fix) from error


def _undo_sentence(connection: sqlite3.Connection, one: Memory, now: datetime) -> str:
    sentence = f"Deleted memory {label(one)}; memory_update with restore=true undoes it (30 days)."
    return " ".join([sentence, *_shown_again(connection, one.supersedes, now)])


def _shown_again(connection: sqlite3.Connection, superseded: str, now: datetime) -> list[str]:
    return [
        f"{label(back)}, which it had superseded, is shown again."
        for back in overview.visible(connection, (superseded,), now)
    ]


def _purge(place: Place, door: SecretDoor, names: tuple[str, ...]) -> list[Deleted]:
    connection = place.connection()
    with write(connection):
        named: dict[str, str] = {}
        with _all_or_none():
            for name in names:
                named.setdefault(ids.resolve(connection, name), name)
        behind = {uid: memories.get(connection, uid) for uid in named}
        for one in [one for uid in named for one in history.lineage(connection, uid)]:
            purge.forget_origin(connection, one)
            memories.bury(connection, one, stamp(place.now()), forever=True)
            purge.forget(connection, one)
        turns.forget(connection, place.session)
    clean, notes, stubborn = _wipe(place, door)
    told = []
    for uid, name in named.items():
        former = behind[uid]
        back = _shown_again(connection, former.supersedes, place.now()) if former else []
        sentence = _purge_sentence(name, clean, [*back, *notes], stubborn)
        told.append(Deleted(name, sentence, uid))
    return told


def _wipe(place: Place, door: SecretDoor) -> tuple[bool, list[str], list[str]]:
    """Wipe what purged memories have left; return whether all is done, and what stands in the way.

    They are purged already: where there is no room, or no lock, upkeep does it later.
    """
    connection = place.connection()
    notes: list[str] = []
    try:
        notes = destroy_loose(connection, door)
        clean = purge.scrub(connection)
        return clean, notes, purge.finish_copies(connection, place.database, place.now())
    except (sqlite3.OperationalError, StoreError):
        return False, notes, []


def _purge_sentence(name: str, clean: bool, notes: list[str], stubborn: list[str]) -> str:  # noqa: FBT001
    parts = [
        f"Purged memory {name}: its text is gone from the store, its history, the search index"
        + (", the log and the snapshots; this cannot be undone." if clean else "."),
    ]
    if not clean:
        parts.append(
            "Another session is reading the database, or the disk is full, so the file and its "
            "write-ahead log are wiped as soon as that is over (tried again at every start and "
            "once an hour)."
        )
    parts += [f"{path} could not be cleaned: delete that file." for path in stubborn]
    return " ".join([*parts, *notes])


def refuse_mixed(wanted: Edit) -> None:
    """Refuse an edit that asks for two different things at once.

    Raises:
        BadInput: `review` or `restore` came with other fields.
    """
    changes = [name for name in EDITABLE if getattr(wanted, name) is not None]
    asked = [name for name in ("review", "restore") if getattr(wanted, name)]
    if len(asked) > 1 or (asked and changes):
        message = f"{' and '.join([*asked, *changes])} cannot be asked for at once."
        raise BadInput(message, "Make one call for each.")
    if not asked and not changes:
        message = "memory_update was given nothing to change."
        raise BadInput(message, f"Give at least one of {', '.join(EDITABLE)}, review, restore.")
    if wanted.review not in {"", "accept", "reject"}:
        message = f"review is '{wanted.review[:40]}'."
        raise BadInput(message, "Use accept or reject.")
