"""The local service of a store that is synced: the same answers, and the news of the server.

What is stored is durable here first. Then its answer waits a moment for the server, so that it can
say that every machine has it; a server that does not answer delays nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from claude_memory.errors import (
    ClaudeMemoryError,
    KeeperRefused,
    KeeperUnavailable,
    NotFound,
    RemoteError,
    SecretRefused,
)
from claude_memory.service.local import LocalService
from claude_memory.store import memories, outbox
from claude_memory.sync import standing

if TYPE_CHECKING:
    from collections.abc import Callable

    from claude_memory.service.interface import (
        Deleted,
        Edit,
        Edited,
        Found,
        NewMemory,
        Page,
        Question,
        Stored,
    )
    from claude_memory.service.place import Place
    from claude_memory.service.secrets import SecretDoor
    from claude_memory.settings import Settings
    from claude_memory.sync.remote import Remote
    from claude_memory.sync.worker import Worker

DELETE_QUEUED = (
    "Queued: it is gone from this machine; the server and other machines drop it as soon as the "
    "server answers."
)
QUEUED = "Queued: it is safe on this machine and goes to the server as soon as that answers."
MISSET = (
    "Queued: it is done on this machine; nothing goes to the server before the setting that "
    "memory_status names is corrected."
)
READ_ONLY = (
    "Done on this machine only: its key may only read, so the server hears of it once a key with "
    "the scope 'write' is set."
)


class SyncedService(LocalService):
    """MemoryService and StatusService over a local store that a worker keeps in step."""

    def __init__(
        self,
        place: Place,
        door: SecretDoor,
        settings: Settings,
        worker: Worker,
        remote: Callable[[], Remote],
    ) -> None:
        """Keep where to work, and who sends it on."""
        super().__init__(place, door, settings)
        self._worker = worker
        self._remote = remote

    def store(self, new: NewMemory) -> Stored:
        """Keep a fact; durable here when it returns, and on the server too unless it says so."""
        stored = super().store(new)
        uid = stored.memory.uid
        if not self._confirmed(uid):
            return replace(stored, notes=(*stored.notes, self._queued(QUEUED)))
        fresh = memories.get(self._place.connection(), uid)  # numbered by the server now
        return replace(stored, memory=fresh or stored.memory)

    def recall(self, question: Question) -> Found:
        """Find what fits the question, best first."""
        self._worker.at_work()
        return super().recall(question)

    def list_newest(self, page: Page) -> Found:
        """Return the newest memories first."""
        self._worker.at_work()
        return super().list_newest(page)

    def update(self, edit: Edit) -> Edited:
        """Change, restore, accept or reject one memory."""
        edited = super().update(edit)
        if edited.memory is None or self._confirmed(edited.memory.uid):
            return edited
        return replace(edited, notes=(*edited.notes, self._queued(QUEUED)))

    def delete(self, ids: tuple[str, ...], *, purge: bool) -> tuple[Deleted, ...]:
        """Delete memories, so that they can be undone, or for good."""
        deleted = super().delete(ids, purge=purge)
        return tuple(
            replace(one, sentence=f"{one.sentence} {self._queued(DELETE_QUEUED)}")
            if self._waits(one.uid)
            else one
            for one in deleted
        )

    def open_secret(self, memory_id: str) -> str:
        """Return the clear text of a sensitive memory, from the server once that keeps it."""
        try:
            return super().open_secret(memory_id)
        except NotFound:
            with self._place.guarded():
                found = memories.named(self._place.connection(), memory_id)
                if not outbox.is_bound(self._place.connection()) or found.no is None:
                    raise
        return self._ask_for_secret(memory_id, found.uid)

    def _ask_for_secret(self, memory_id: str, uid: str) -> str:
        try:
            clear = self._remote().secret(uid)
        except SecretRefused as error:
            message = f"The server does not open the secret of memory {memory_id}: {error}"
            raise KeeperRefused(message, error.fix) from error
        except RemoteError as error:
            message = f"The secret of memory {memory_id} is kept by the server: {error}"
            raise KeeperUnavailable(message, error.fix) from error
        with self._place.guarded():
            self._door.record(uid)
        return clear

    def _queued(self, usually: str) -> str:
        """Say what a change waits for."""
        with self._place.guarded():
            if standing.read(self._place.connection()).is_read_only:
                return READ_ONLY
        return MISSET if self._worker.has_given_up() else usually

    def _waits(self, uid: str) -> bool:
        """Tell whether the server still has to hear of a delete."""
        is_told = self._confirmed(uid)
        with self._place.guarded():
            return not is_told and outbox.is_pending(self._place.connection(), uid)

    def _confirmed(self, uid: str) -> bool:
        self._worker.wake()
        try:
            return self._worker.confirmed(uid)
        except ClaudeMemoryError:
            return False  # it is stored; only what the server says of it cannot be told
