"""Brings facts from files into the store: all of them or none, each fact once."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from claude_memory import memory as values
from claude_memory.errors import BadInput
from claude_memory.memory import Draft, label
from claude_memory.service import checks
from claude_memory.service.secrets import separate
from claude_memory.store import memories, seals
from claude_memory.store.connection import write
from claude_memory.store.rows import FIELDS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence
    from typing import Any

    from claude_memory.memory import Memory
    from claude_memory.portability.readers import Fact
    from claude_memory.service.place import Place
    from claude_memory.service.secrets import Safe, SecretDoor


@dataclass(frozen=True)
class Outcome:
    """What became of one fact, or in a preview would become of it."""

    where: str
    verdict: str  # new | known | differs
    content: str
    label: str
    kinds: tuple[str, ...]


@dataclass(frozen=True)
class _Ready:
    """A checked, redacted and sealed fact."""

    fact: Fact
    draft: Draft
    safe: Safe
    uid: str
    seal: seals.Seal | None


def bring_in(
    place: Place,
    door: SecretDoor,
    facts: Sequence[Fact],
    *,
    scope: str,
    preview: bool,
    progress: Callable[[int, int], None],
) -> tuple[list[Outcome], tuple[str, ...]]:
    """Import the facts in one transaction, or with `preview` only say what would happen.

    A fact whose text or uid is known here is left as it is. Returns the outcomes and sentences for
    the user. `progress` is told how many of how many are done.

    Raises:
        BadInput: a fact is refused; its place is named and nothing was imported.
        StoreError: the store cannot be written; nothing was imported.
    """
    ready: list[_Ready] = []
    notes: list[str] = []
    for fact in facts:
        one, sealing = _prepare(place, door, fact, scope, preview=preview)
        ready.append(one)
        notes += sealing
    outcomes = []
    with write(place.connection(), keep=not preview) as connection:
        for number, one in enumerate(ready, 1):
            outcomes.append(_bring_one(place, connection, one))
            progress(number, len(ready))
    return outcomes, tuple(dict.fromkeys(notes))


def _prepare(
    place: Place, door: SecretDoor, fact: Fact, scope: str, *, preview: bool
) -> tuple[_Ready, tuple[str, ...]]:
    try:
        safe = separate(
            checks.content(fact.content),
            checks.tags(fact.tags),
            checks.keywords(fact.expanded_keywords),
        )
        draft = _ours(fact, safe) if fact.ours else _foreign(place, fact, safe, scope)
    except BadInput as error:
        message = f"{fact.where}: {error}"
        raise BadInput(message, f"{error.fix} Nothing was imported.".strip()) from error
    uid = str(fact.ours.get("uid") or values.new_uid(int(place.now().timestamp() * 1000)))
    seal, notes = (None, ()) if preview else door.seal(uid, safe)
    return _Ready(fact, draft, safe, uid, seal), notes


def _foreign(place: Place, fact: Fact, safe: Safe, scope: str) -> Draft:
    return Draft(
        content=safe.content,
        category=checks.category(fact.category),
        tags=safe.tags,
        expanded_keywords=safe.expanded_keywords,
        importance=checks.importance(fact.importance),
        is_sensitive=bool(safe.kinds),
        scope=scope if place.project else "global",
        project=place.project,
        session="",
        source="import",
        supersedes="",
        expires_at="",
    )


def _ours(fact: Fact, safe: Safe) -> Draft:
    line = fact.ours
    if not all(name in line for name in FIELDS):
        message = "a line of an export that lacks fields."
        raise BadInput(message)
    return Draft(
        content=safe.content,
        category=checks.category(str(line["category"])),
        tags=safe.tags,
        expanded_keywords=safe.expanded_keywords,
        importance=checks.importance(fact.importance),
        is_sensitive=bool(line["is_sensitive"]) or bool(safe.kinds),
        scope=checks.scope(str(line["scope"]), values.SCOPES),
        project=checks.text("project", str(line["project"]), checks.NAME_LIMIT),
        session=checks.text("session", str(line["session"]), checks.NAME_LIMIT),
        source=_source(str(line["source"])),
        supersedes=checks.text("supersedes", str(line["supersedes"]), checks.NAME_LIMIT),
        expires_at=checks.expiry(str(line["expires_at"])),
    )


def _source(value: str) -> str:
    return value if value in values.SOURCES else "import"


def _bring_one(place: Place, connection: sqlite3.Connection, ready: _Ready) -> Outcome:
    known = _known(connection, ready)
    if known is not None:
        same = values.normalise(known.content) == values.normalise(ready.draft.content)
        return _outcome(ready, "known" if same else "differs", known)
    line = ready.fact.ours
    uid = ready.uid
    if memories.is_used(connection, uid):  # deleted here, and a delete is final for its uid
        uid = values.new_uid(int(place.now().timestamp() * 1000))
    added = memories.add(
        connection,
        ready.draft,
        place.now(),
        seq=int(line.get("session_seq") or 0),
        uid=uid,
        created_at=_created(ready.fact),
    )
    if ready.seal is not None:
        seals.put(connection, uid, ready.seal, place.now())
    try:
        _bring_past(connection, uid, line)
    except (KeyError, TypeError, AttributeError, binascii.Error) as error:
        message = f"{ready.fact.where}: its history or its seal cannot be read."
        raise BadInput(message, "Nothing was imported.") from error
    return _outcome(ready, "new", added)


def _known(connection: sqlite3.Connection, ready: _Ready) -> Memory | None:
    if ready.fact.ours:
        found = memories.get(connection, ready.uid)
        if found is not None:
            return found
    if ready.draft.is_sensitive:  # equal placeholders do not mean equal secrets
        return None
    twins = memories.twins(connection, ready.draft.content, ready.draft.project)
    return twins[0] if twins else None


def _created(fact: Fact) -> str:
    """Return when the fact was made, if its file says so in a way that can be read."""
    try:
        return checks.expiry(fact.created_at)
    except BadInput:
        return ""


def _bring_past(connection: sqlite3.Connection, uid: str, line: dict[str, Any]) -> None:
    """Bring the earlier texts and the seals of an exported memory."""
    entries: dict[object, int] = {}
    for entry in line.get("history") or []:
        cursor = connection.execute(
            "INSERT INTO history (uid, at, kind, fields) VALUES (?, ?, 'edited', ?)",
            (uid, str(entry["at"]), json.dumps(_safe_fields(entry["fields"]), ensure_ascii=False)),
        )
        entries[entry["id"]] = int(cursor.lastrowid or 0)
    for seal in line.get("sealed") or []:
        connection.execute(
            "INSERT INTO secrets (uid, bound, history_id, keeper, key_id, blob, at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                uid,
                str(seal["bound"]),
                entries.get(seal["history_id"]),
                str(seal["keeper"]),
                str(seal["key_id"]),
                base64.b64decode(seal["blob"], validate=True),
                str(seal["at"]),
            ),
        )


def _safe_fields(fields: dict[str, Any]) -> dict[str, Any]:
    """Return an earlier state with nothing secret in it, whatever the file says."""
    names = ("content", "tags", "expanded_keywords")
    safe = separate(*(str(fields[name]) for name in names))
    kept = {name: fields[name] for name in FIELDS}
    return {**kept, **{name: getattr(safe, name) for name in names}}


def _outcome(ready: _Ready, verdict: str, memory: Memory) -> Outcome:
    return Outcome(ready.fact.where, verdict, ready.draft.content, label(memory), ready.safe.kinds)
