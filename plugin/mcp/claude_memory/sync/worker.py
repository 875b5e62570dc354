"""The thread that syncs: on an interval, woken by a write, patient where nothing answers.

One session at a time makes a pass, by a lock file that the system frees when its holder dies. While
its client is at work a session looks more often, so that what another machine stored is soon here.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from claude_memory.errors import (
    ClaudeMemoryError,
    StoreBusy,
    StoreFull,
    StoreNewer,
    StoreReadOnly,
)
from claude_memory.store import meaning, outbox
from claude_memory.store.connection import write
from claude_memory.store.lock import Lock
from claude_memory.sync import standing

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from claude_memory.service.place import Place
    from claude_memory.sync.chance import Chance
    from claude_memory.sync.engine import Engine

FIRST_PASS = 2.0  # seconds within which a session makes its first pass
JITTER = 0.1  # of the interval
BRISK = 4.0  # seconds between two looks while the client is at work
AT_WORK = 600.0  # seconds after its last request
CONFIRMED_WITHIN = 0.3  # seconds that an answer waits for the server
TAKEN = 0.1  # seconds after which to try for the lock again
PROBE = 5.0  # seconds after which a write is reason enough to try a silent server again
PIECE = 50  # memories whose meaning is written at once
STOPS_WITHIN = 0.3


class Worker:
    """Drives an engine until it is stopped; every pass may be cut off at any step."""

    def __init__(
        self,
        make_engine: Callable[[], Engine],
        place: Place,
        close: Callable[[], None],
        interval: float,
        chance: Chance,
        *,
        now: Callable[[], datetime],
        on_failure: Callable[[str, Exception], None],
    ) -> None:
        """Keep what to drive; `close` makes a call that is under way fail.

        The engine is made in the thread: no start and no first answer waits for what it loads.
        """
        self._make_engine = make_engine
        self._engine: Engine | None = None
        self._place = place
        self._close = close
        self._interval = interval
        self._chance = chance
        self._now = now
        self._on_failure = on_failure
        self._stopped = threading.Event()
        self._woken = threading.Event()
        self._progress = threading.Condition()
        self._last_pass = float("-inf")
        self._last_request = float("-inf")
        self._thread = threading.Thread(target=self._run, name="sync", daemon=True)

    def start(self) -> None:
        """Begin within a few seconds."""
        self._thread.start()

    def stop(self) -> None:
        """End soon, whatever the network does."""
        self._stopped.set()
        self._woken.set()
        self._close()
        if self._thread.is_alive():
            self._thread.join(STOPS_WITHIN)

    def at_work(self) -> None:
        """Note that the client asks for something; look for news if that was done a while ago."""
        self._last_request = time.monotonic()
        if self._last_request - self._last_pass > BRISK:
            self._woken.set()

    def wake(self) -> None:
        """Send what was just written."""
        self._last_request = time.monotonic()
        self._woken.set()

    def has_given_up(self) -> bool:
        """Tell whether nothing is sent while the settings are the same."""
        return self._engine is not None and self._engine.is_misset

    def confirmed(self, uid: str) -> bool:
        """Wait a moment for the server to settle a memory's changes; tell whether it has.

        It waits only while the server was last seen answering.
        """
        end = time.monotonic() + CONFIRMED_WITHIN
        while True:
            if not outbox.is_pending(self._place.connection(), uid):
                return outbox.is_bound(self._place.connection())
            left = end - time.monotonic()
            engine = self._engine
            if engine is not None and left <= 0:
                engine.is_answered = False  # nobody waits again before it has answered
            if engine is None or not engine.is_answered:
                return False
            with self._progress:
                self._progress.wait(min(left, 0.05))

    def _run(self) -> None:
        self._woken.wait(self._chance.uniform(0, FIRST_PASS))
        if self._stopped.is_set():
            return
        self._engine = engine = self._make_engine()
        while not self._stopped.is_set():
            self._woken.clear()
            has_run = self._pass(engine)
            if engine.is_misset:
                return
            self._wait(self._pause() if has_run else TAKEN)

    def _pass(self, engine: Engine) -> bool:
        """Make one pass, if no other session is at it; tell whether there is nothing to retry."""
        try:
            with self._place.guarded(), Lock(f"{self._place.database}.sync.lock") as lock:
                if not lock.is_held:
                    return not self._has_work()
                self._last_pass = time.monotonic()
                for _step in engine.cycle():
                    self._tell()
                    if self._stopped.is_set():
                        break
            self._tell()
            self._understand(engine)
        except StoreBusy:
            return False
        except (StoreFull, StoreNewer, StoreReadOnly):
            return True  # every request says so
        except Exception as error:  # noqa: BLE001  (the thread must outlive what nobody foresaw)
            self._on_failure("sync", error)
        self._tell()
        return True

    def _understand(self, engine: Engine) -> None:
        """Write what the memories from elsewhere mean, in pieces that hold up nobody."""
        last = 0
        while engine.has_news and not (self._stopped.is_set() or self._woken.is_set()):
            connection = self._place.connection()
            with write(connection, durable=False):
                last = meaning.fill(connection, last, PIECE)
            engine.has_news = bool(last)

    def _has_work(self) -> bool:
        return bool(outbox.due(self._place.connection(), self._now(), 1))

    def _tell(self) -> None:
        with self._progress:
            self._progress.notify_all()

    def _pause(self) -> float:
        is_at_work = time.monotonic() - self._last_request < AT_WORK
        usual = min(BRISK, self._interval) if is_at_work else self._interval
        return usual * self._chance.uniform(1 - JITTER, 1 + JITTER)

    def _wait(self, seconds: float) -> None:
        """Wait for the next pass: until a write wakes it, or as long as the server asked for."""
        end = time.monotonic() + seconds
        while not self._stopped.is_set():
            closed = self._closed_for()
            left = max(end - time.monotonic(), closed)
            if left <= 0:
                return
            if not self._woken.wait(min(left, 1.0) if closed else left):
                continue
            if not closed:
                return
            self._stopped.wait(min(left, 0.2))

    def _closed_for(self) -> float:
        """Return for how long the server is to be left alone, whatever is written here."""
        try:
            connection = self._place.connection()
            seconds = standing.seconds_to_wait(connection, self._now())
            is_silent = standing.is_silent(connection)
        except ClaudeMemoryError:
            return 0.0
        is_due = time.monotonic() - self._last_pass > PROBE
        return 0.0 if is_silent and self._woken.is_set() and is_due else seconds
