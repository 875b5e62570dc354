"""What becomes of an event: a memory, a proposal for a person to review, or nothing."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from claude_memory.errors import BadInput
from claude_memory.learn import events
from claude_memory.service.interface import NewMemory
from claude_memory.store import meaning, memories, proposals, recall, turns
from claude_memory.store.connection import write

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from claude_memory.learn.events import Event
    from claude_memory.learn.prompt import Conversation
    from claude_memory.memory import Memory
    from claude_memory.service.interface import MemoryService
    from claude_memory.store.turns import Turn

SOURCE = "auto-learn"
SESSION_LIMIT = 5  # memories of one session, and as many proposals
REVIEW_FIRST = "MEMORY_LEARN=propose: you look at everything first"
REPLACEABLE = ("auto-learn", "model", "user")  # not what a teammate or an import brought
COVERED = 0.7  # share of a sentence's words in a memory from which it says nothing more
RETOLD, MEANT = 0.5, 0.42  # share of words, and likeness in meaning, in one turn
COMPARED = 8  # memories most like a text
SAME, OTHER = 0.6, 0.4  # likeness of the one memory that is meant, and of the next best at most


@dataclass(frozen=True)
class Settling:
    """Where events are settled: this store, this service, this mode."""

    connection: sqlite3.Connection
    service: MemoryService
    mode: str
    now: Callable[[], datetime]
    by_rule: bool = False  # the local rule has not seen what is known already

    def settle(self, turn: Turn, said: Conversation, found: Sequence[Event]) -> None:
        """Store, propose or leave each event of a turn; what is known already stays one memory."""
        for event in map(events.redacted, found):
            if events.is_strange(event, said.words, said.earlier_words):
                continue
            doubt = events.doubt(event, said.words, said.earlier_words)
            reason = doubt or (REVIEW_FIRST if self.mode == "propose" else "")
            new = self._new_memory(turn, said, events.as_note(event))
            if self.by_rule and self._is_kept(turn, said, new):
                continue
            if reason:
                self._propose(turn, new, reason)
            else:
                self._store(turn, new)

    def _is_kept(self, turn: Turn, said: Conversation, new: NewMemory) -> bool:
        """Tell whether Claude has stored what the user's sentence says.

        In this turn it may have put that in words, or a language, of its own.
        """
        kept = memories.of_session(self.connection, turn.session)
        if any(events.overlap(new.content, [one.content]) >= COVERED for one in kept):
            return True
        sentence = events.unquoted(new.content)
        return any(
            events.overlap(sentence, [one.content]) >= RETOLD
            or meaning.likeness(sentence, one.content) >= MEANT
            for one in stored_in(self.connection, said)
        )

    def _new_memory(self, turn: Turn, said: Conversation, event: Event) -> NewMemory:
        from claude_memory.learn import reach  # compiles many patterns

        far = reach.of_event(event, said.words) if turn.project else reach.EVERYWHERE
        scope, superseded = far or reach.PROJECT, ""
        if event.supersedes:
            superseded = self._superseded(turn, event, scope)
            if not (far or superseded):  # what it replaces may tell
                superseded = self._superseded(turn, event, reach.EVERYWHERE)
                scope = reach.EVERYWHERE if superseded else scope
        return NewMemory(
            content=event.content,
            category=event.category,
            tags=event.tags,
            importance=event.importance,
            expanded_keywords=event.expanded_keywords,
            scope=scope,
            supersedes=superseded,
            source=SOURCE,
            project=turn.project,
            session=turn.session,
        )

    def _superseded(self, turn: Turn, event: Event, scope: str) -> str:
        return find_superseded(self.connection, event.supersedes, turn.project, scope, self.now())

    def _store(self, turn: Turn, new: NewMemory) -> None:
        if turns.learned(self.connection, turn.session, SOURCE) >= SESSION_LIMIT:
            return
        try:
            self.service.store(new)
        except BadInput as error:
            # Claude may have replaced or deleted what it supersedes since; a person can tell.
            self._propose(turn, new, f"it could not be stored: {error}")

    def _propose(self, turn: Turn, new: NewMemory, reason: str) -> None:
        if memories.twins(self.connection, new.content, turn.project, self.now()):
            return
        known = proposals.listed(self.connection, proposals.LIMIT)
        if sum(one.fields.get("session") == turn.session for one in known) < SESSION_LIMIT:
            with write(self.connection):
                proposals.add(self.connection, asdict(new), reason, self.now())


def stored_in(connection: sqlite3.Connection, said: Conversation) -> list[Memory]:
    """Return what Claude itself has stored in a turn and nobody has deleted since."""
    found = (memories.get(connection, uid) for uid in said.stored)
    return [memory for memory in found if memory is not None and not memory.is_sensitive]


def find_superseded(
    connection: sqlite3.Connection, text: str, project: str, scope: str, now: datetime
) -> str:
    """Return the uid of the one memory that `text` means, or nothing when that is not sure."""
    twins = memories.twins(connection, text, project, now)
    equal = [one for one in twins if _may_go(one, scope)]
    if equal:
        return equal[0].uid if len(equal) == 1 else ""
    ranked = sorted(
        (
            (events.likeness(text, one.content), one)
            for one in related(connection, text, project, now)
        ),
        key=lambda pair: -pair[0],
    )
    best = [(likeness, one) for likeness, one in ranked if likeness > OTHER]
    if len(best) == 1 and best[0][0] >= SAME and _may_go(best[0][1], scope):
        return best[0][1].uid
    return ""


def related(connection: sqlite3.Connection, text: str, project: str, now: datetime) -> list[Memory]:
    """Return the memories most like a text, those that hold a secret left out."""
    query = recall.Query(text, project, now, limit=COMPARED)
    found = (hit.memory for hit in recall.search(connection, query))
    return [memory for memory in found if not memory.is_sensitive]


def _may_go(memory: Memory, scope: str) -> bool:
    return memory.source in REPLACEABLE and memory.scope == scope and not memory.is_sensitive
