"""Sees what Claude itself does with the memory while a turn goes on, so that learning heeds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from claude_memory.hooks.spoken import Spoken
    from claude_memory.service.interface import (
        Deleted,
        Edit,
        Edited,
        Found,
        MemoryService,
        NewMemory,
        Page,
        Question,
        Stored,
    )


class Witness:
    """A MemoryService that hands every call on, and tells `Spoken` what was stored or deleted."""

    def __init__(self, service: MemoryService, spoken: Spoken) -> None:
        """Keep who does it, and whom to tell."""
        self._service = service
        self._spoken = spoken

    def store(self, new: NewMemory) -> Stored:
        """Keep a fact; learning need not keep it again."""
        stored = self._service.store(new)
        self._spoken.note(stored.memory.uid)
        return stored

    def recall(self, question: Question) -> Found:
        """Find what fits the question."""
        return self._service.recall(question)

    def list_newest(self, page: Page) -> Found:
        """Return the newest memories first."""
        return self._service.list_newest(page)

    def update(self, edit: Edit) -> Edited:
        """Change one memory; who rejects a proposal does not want it from these words either."""
        if edit.review == "reject":
            self._spoken.withhold()
        edited = self._service.update(edit)
        if edited.memory is not None:
            self._spoken.note(edited.memory.uid)
        return edited

    def delete(self, ids: tuple[str, ...], *, purge: bool) -> tuple[Deleted, ...]:
        """Delete memories; they must not come back from the words that asked for it."""
        self._spoken.withhold()
        return self._service.delete(ids, purge=purge)
