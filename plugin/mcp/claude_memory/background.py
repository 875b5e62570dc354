"""What a server does beside its client's requests: upkeep of the store, and learning.

It begins a moment after the start, so that start and first answer pay for none of it.
"""

from __future__ import annotations

import threading

from claude_memory.errors import ClaudeMemoryError, StoreBusy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from claude_memory.learn.worker import LearnWorker
    from claude_memory.service.interface import MemoryService
    from claude_memory.service.place import Place
    from claude_memory.service.secrets import SecretDoor
    from claude_memory.settings import Settings

DELAY_SECONDS = 1.0
UPKEEP_SECONDS = 3_600.0


class Background:
    """Two threads that may be stopped at any time: each piece of work is whole or undone."""

    def __init__(
        self,
        place: Place,
        door: SecretDoor,
        settings: Settings,
        service: MemoryService,
        environ: Mapping[str, str],
        *,
        on_failure: Callable[[str, Exception], None],
    ) -> None:
        """Keep what the work needs; nothing is started yet."""
        self._place = place
        self._door = door
        self._settings = settings
        self._service = service
        self._environ = environ
        self._on_failure = on_failure
        self._stopped = threading.Event()
        self._learner: LearnWorker | None = None

    def start(self) -> None:
        """Begin in a moment."""
        threading.Thread(target=self._run, name="background", daemon=True).start()

    def wake(self) -> None:
        """Learn from what was just queued, now rather than at the next look."""
        if self._learner is not None:
            self._learner.wake()

    def stop(self) -> None:
        """Begin nothing new; a turn that is being judged goes back to the queue."""
        self._stopped.set()
        if self._learner is not None:
            self._learner.stop()

    def _run(self) -> None:
        if self._stopped.wait(DELAY_SECONDS):
            return
        self._learner = self._make_learner()
        self._learner.start()
        while not self._stopped.is_set():
            self._keep_up()
            self._stopped.wait(UPKEEP_SECONDS)

    def _make_learner(self) -> LearnWorker:
        from claude_memory.learn import judge
        from claude_memory.learn.worker import LearnWorker

        return LearnWorker(
            open_connection=self._place.begin,
            service=self._service,
            judge=judge.choose(self._settings.judge, self._settings.home, self._environ),
            settings=self._settings,
            now=self._place.now,
            environ=self._environ,
        )

    def _keep_up(self) -> None:
        from claude_memory.service import upkeep

        try:
            upkeep.run(self._place, self._door)
        except StoreBusy:
            return  # the next round will do
        except Exception as error:  # noqa: BLE001  (upkeep must never take the server down)
            if not isinstance(error, ClaudeMemoryError):  # a store that cannot be used says so
                self._on_failure("upkeep", error)  # at every request
