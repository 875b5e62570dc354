"""The service on the local store: all of SQLite-only mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from claude_memory.memory import TAGS_LIMIT
from claude_memory.service import checks, editing, review, status, storing
from claude_memory.service.interface import Found
from claude_memory.store import ids, memories, recall

if TYPE_CHECKING:
    from claude_memory.service.interface import (
        Deleted,
        Edit,
        Edited,
        NewMemory,
        Page,
        Question,
        Status,
        Stored,
    )
    from claude_memory.service.place import Place
    from claude_memory.service.secrets import SecretDoor
    from claude_memory.settings import Settings


class LocalService:
    """MemoryService and StatusService over one SQLite file."""

    def __init__(self, place: Place, door: SecretDoor, settings: Settings) -> None:
        """Keep where to work; nothing is opened before the first call."""
        self._place = place
        self._door = door
        self._settings = settings

    def store(self, new: NewMemory) -> Stored:
        """Keep a fact; durable when it returns."""
        with self._place.guarded():
            return storing.store(self._place, self._door, new)

    def recall(self, question: Question) -> Found:
        """Find what fits the question, best first; of ids, the memories that they name."""
        named = ids.listed(question.context)
        if named:
            with self._place.guarded():
                return Found(tuple(memories.named(self._place.connection(), one) for one in named))
        query = recall.Query(
            checks.question(question.context),
            self._place.project,
            self._place.now(),
            checks.limit(question.limit),
            expanded=checks.question(question.expanded_query),
            category=checks.category_asked(question.category),
            sort_by=question.sort_by,
            scope=checks.scope_asked(question.scope),
        )
        with self._place.guarded():
            hits = recall.search(self._place.connection(), query)
        notes = tuple(map(recall.explained, hits)) if question.explain else ()
        return Found(tuple(hit.memory for hit in hits), notes)

    def list_newest(self, page: Page) -> Found:
        """Return the newest memories first."""
        with self._place.guarded():
            found = memories.newest(
                self._place.connection(),
                self._place.now(),
                category=checks.category_asked(page.category),
                tag=checks.text("tag", page.tag, TAGS_LIMIT).strip(),
                scope=checks.scope_asked(page.scope),
                project=self._place.project,
                limit=checks.limit(page.limit),
            )
        return Found(tuple(found))

    def update(self, edit: Edit) -> Edited:
        """Change, restore, accept or reject one memory."""
        editing.refuse_mixed(edit)
        with self._place.guarded():
            if edit.review:
                return review.review(self._place, self._door, edit.id, edit.review)
            if edit.restore:
                return editing.restore(self._place, edit.id)
            return editing.edit(self._place, self._door, edit)

    def delete(self, ids: tuple[str, ...], *, purge: bool) -> tuple[Deleted, ...]:
        """Delete memories, so that they can be undone, or for good."""
        with self._place.guarded():
            return editing.delete(self._place, self._door, ids, forever=purge)

    def status(self) -> Status:
        """Return mode, counts and everything that needs a person."""
        with self._place.guarded():
            return status.status(self._place, self._settings)

    def open_secret(self, memory_id: str) -> str:
        """Return the clear text of a sensitive memory; the access is recorded."""
        with self._place.guarded():
            return self._door.open(memory_id)
