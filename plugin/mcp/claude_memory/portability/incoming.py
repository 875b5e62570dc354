"""Brings facts from files into the store: once all of them are known to be sound, each fact once.

They are written a part at a time, so that other sessions can store meanwhile. Each part is whole:
who interrupts it keeps what has come, and to do it again brings the rest.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from claude_memory import memory as values
from claude_memory.errors import BadInput, ClaudeMemoryError, KeeperError
from claude_memory.memory import Draft, drafted, label
from claude_memory.portability import own
from claude_memory.service import checks
from claude_memory.service.secrets import lost, separate
from claude_memory.store import memories, records, seals
from claude_memory.store.connection import BETWEEN_PARTS, write
from claude_memory.store.lines import counted
from claude_memory.store.sameness import normalise

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

    from claude_memory.memory import Memory
    from claude_memory.portability.facts import Fact
    from claude_memory.portability.own import Own
    from claude_memory.service.place import Place
    from claude_memory.service.secrets import Safe, SecretDoor

AT_ONCE = 100  # facts written in one transaction: others wait for it
EPOCH = "1970"  # before it: what other systems write for "unknown"
NO_PROJECT = "This folder belongs to no project, so the facts of other stores are global."


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
    """A checked and redacted fact; `own` is there when it comes from an export of ours."""

    where: str
    uid: str
    draft: Draft
    safe: Safe
    created_at: str
    own: Own | None


@dataclass
class _Import:
    """One import on its way: what is written where, and what is known so far."""

    place: Place
    door: SecretDoor
    connection: sqlite3.Connection
    sealed: dict[str, seals.Seal] = field(default_factory=dict)  # for this part, by uid
    unsealed: set[str] = field(default_factory=set)  # uids whose secret nothing here could seal
    added: dict[str, _Ready] = field(default_factory=dict)  # by uid here
    here: dict[str, str] = field(default_factory=dict)  # uid in the file -> uid here
    outcomes: dict[int, Outcome] = field(default_factory=dict)  # by the fact's identity
    notes: list[str] = field(default_factory=list)  # sentences for the user


def bring_in(
    place: Place,
    door: SecretDoor,
    connection: sqlite3.Connection,
    facts: Sequence[Fact],
    *,
    scope: str,
    preview: bool,
    progress: Callable[[int, int], None],
) -> tuple[list[Outcome], tuple[str, ...]]:
    """Import the facts, or with `preview` do so in a store that is thrown away.

    A fact whose text or uid is known here is left as it is. Returns the outcomes and sentences for
    the user. `progress` is told how many of how many are done.

    Raises:
        BadInput: a fact is refused; its place is named and nothing was imported.
        StoreError: the store cannot be written; what was imported before stays.
    """
    ready = [_prepare(place, fact, scope) for fact in facts]
    _refuse_circles(ready)
    work = _Import(place, door, connection)
    if scope == "project" and not place.project:
        work.notes.append(NO_PROJECT)
    ordered = _behind_what_they_replace(ready)
    for begin in range(0, len(ordered), AT_ONCE):
        part = ordered[begin : begin + AT_ONCE]
        _bring(work, part, preview=preview)
        progress(begin + len(part), len(ordered))
    if not preview and any(one.own and one.own.seal for one in work.added.values()):
        work.notes.append(lost(connection, place.home))
    work.notes.append(_left_behind(work))
    outcomes = [work.outcomes[id(one)] for one in ready]
    return outcomes, tuple(filter(None, dict.fromkeys(work.notes)))


def _prepare(place: Place, fact: Fact, scope: str) -> _Ready:
    try:
        return _ours(fact) if fact.ours else _foreign(place, fact, scope)
    except BadInput as error:
        message = f"{fact.where}: {error}"
        raise BadInput(message, f"{error.fix} Nothing was imported.".strip()) from error


def _ours(fact: Fact) -> _Ready:
    line = own.read(fact.ours)
    memory = line.memory
    return _Ready(fact.where, memory.uid, drafted(memory), line.safe, memory.created_at, line)


def _foreign(place: Place, fact: Fact, scope: str) -> _Ready:
    safe = separate(
        checks.content(fact.content),
        checks.tags(fact.tags),
        checks.keywords(fact.expanded_keywords),
    )
    draft = Draft(
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
    return _Ready(fact.where, values.new_uid(place.now()), draft, safe, _created(place, fact), None)


def _created(place: Place, fact: Fact) -> str:
    """Return when the fact was made, if its file says so in a way that can be true."""
    try:
        at = checks.time(fact.created_at)
    except BadInput:
        return ""
    return at if EPOCH < at <= values.stamp(place.now()) else ""


def _refuse_circles(ready: list[_Ready]) -> None:
    """Refuse memories that supersede each other in a circle: none of them would ever be shown."""
    replaced = {one.uid: one.draft.supersedes for one in ready if one.draft.supersedes}
    for one in ready:
        seen, uid = set[str](), one.uid
        while uid in replaced and uid not in seen:
            seen.add(uid)
            uid = replaced[uid]
        if uid in seen:
            message = f"{one.where}: it supersedes itself, directly or through others."
            raise BadInput(message, "Nothing was imported.")
        for done in seen:
            del replaced[done]


def _behind_what_they_replace(ready: list[_Ready]) -> list[_Ready]:
    """Return the facts in their order, but each behind the one that it supersedes."""
    named = {one.uid: one for one in ready}
    placed: dict[int, _Ready] = {}
    for one in ready:
        chain: list[_Ready] = []
        following: _Ready | None = one
        while following is not None and id(following) not in placed:
            chain.append(following)
            following = named.get(following.draft.supersedes)
        placed.update((id(each), each) for each in reversed(chain))
    return list(placed.values())


def _seal(work: _Import, part: list[_Ready]) -> None:
    """Seal what is secret in the facts that are new."""
    for one in part:
        if one.safe.clear and _known(work, one) is None:
            try:
                seal, said = work.door.seal(one.uid, _with_earlier_seal(work, one))
            except KeeperError as error:
                seal, said = None, (f"{one.where}: a new secret was NOT kept: {error.sentence()}",)
            work.notes += said
            if seal is None:
                work.unsealed.add(one.uid)
            else:
                work.sealed[one.uid] = seal


def _with_earlier_seal(work: _Import, one: _Ready) -> Safe:
    """Join a secret found in clear to what a line of an export had sealed already."""
    earlier = one.own.seal if one.own else None
    if earlier is None:
        return one.safe
    return replace(one.safe, clear=f"{work.door.read(earlier)}\n{one.safe.clear}")


def _bring(work: _Import, part: list[_Ready], *, preview: bool) -> None:
    """Write a part of the facts, all of it or nothing."""
    try:
        if not preview:
            time.sleep(BETWEEN_PARTS)
            _seal(work, part)
        with write(work.connection):
            for one in part:
                work.outcomes[id(one)] = _bring_one(work, one)
    except BaseException:
        work.door.forget(list(work.sealed.values()))  # a Vault would hold what nothing points to
        raise
    used = {one.uid for one in part if work.added.get(work.here[one.uid]) is one}
    work.door.forget([seal for uid, seal in work.sealed.items() if uid not in used])
    work.sealed.clear()


def _bring_one(work: _Import, one: _Ready) -> Outcome:
    found = _known(work, one)
    verdict = "new"
    if found is not None:
        same = normalise(found.content) == normalise(one.draft.content)
        verdict = "known" if same else "differs"
    memory = found or _add(work, one)
    work.here[one.uid] = memory.uid
    return Outcome(one.where, verdict, one.draft.content, label(memory), one.safe.kinds)


def _known(work: _Import, one: _Ready) -> Memory | None:
    """Return the memory here that is the same as a fact: by its uid, else by its text."""
    found = memories.get(work.connection, one.uid) if one.own else None
    if found is not None:
        return found
    for twin in memories.twins(work.connection, one.draft.content, one.draft.project, None):
        repeated = one.own is not None and twin.uid in work.added  # an export may repeat a text
        if not repeated and _holds_the_same_secret(work, one, twin):
            return twin
    return None


def _holds_the_same_secret(work: _Import, one: _Ready, twin: Memory) -> bool:
    """Tell whether equal texts are one memory: equal placeholders do not mean equal secrets."""
    if not (one.draft.is_sensitive and twin.is_sensitive):
        return one.draft.is_sensitive == twin.is_sensitive
    kept = seals.get(work.connection, twin.uid)
    if not one.safe.clear:
        return kept == (one.own.seal if one.own else None)
    if kept is None:  # its value was not kept; another memory of it helps if this one's is
        return one.uid in work.unsealed
    try:
        return normalise(work.door.read(kept)) == normalise(one.safe.clear)
    except ClaudeMemoryError:
        return False


def _add(work: _Import, one: _Ready) -> Memory:
    uid = one.uid
    if memories.is_used(work.connection, uid):  # deleted here, and a delete is final for its uid
        uid = values.new_uid(work.place.now())
    added = memories.add(
        work.connection,
        one.draft,
        work.place.now(),
        seq=one.own.memory.session_seq if one.own else 0,
        uid=uid,
        created_at=one.created_at,
    )
    work.added[uid] = one
    if one.own:
        records.put_past(work.connection, added, one.own.past, one.own.sealed)
        supersedes = work.here.get(one.draft.supersedes, one.draft.supersedes)
        records.settle(work.connection, uid, one.own.memory.updated_at, supersedes)
    if one.uid in work.sealed:
        seals.put(work.connection, uid, work.sealed[one.uid], work.place.now())
    return added


def _left_behind(work: _Import) -> str:
    """Say how many secrets the files do not hold, as a server's export never does."""
    count = sum(
        one.own is not None and one.draft.is_sensitive and not one.safe.clear and not one.own.seal
        for one in work.added.values()
    )
    if not count:
        return ""
    return f"{counted(count, 'secret')} did not come along: the file holds the placeholder alone."
