"""The thread that learns: one turn after the other, off the prompt path, one session at a time.

Every queued turn meets the free local rule first; only what passes it may cost a call of the
judge, and only within the daily cap. Without a judge the rule extracts by itself. A stop gives
the turn back; after a crash the next worker finds it claimed by nobody, and takes it.
"""

from __future__ import annotations

import os
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

from claude_memory import paths
from claude_memory.errors import BadInput, ClaudeMemoryError, StoreBusy
from claude_memory.hooks.context import JUDGE_GUARD
from claude_memory.learn import judge as judges
from claude_memory.learn.events import read_events
from claude_memory.learn.judge import Verdict
from claude_memory.learn.origin import only_typed
from claude_memory.learn.prompt import read_conversation, write_prompt
from claude_memory.learn.settling import Settling, related, stored_in
from claude_memory.store import failures, judge_calls, turns
from claude_memory.store.connection import write
from claude_memory.store.lock import Lock
from claude_memory.variables import given

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from claude_memory.learn.events import Event
    from claude_memory.learn.judge import Judge
    from claude_memory.learn.prompt import Conversation
    from claude_memory.service.interface import MemoryService
    from claude_memory.settings import Settings
    from claude_memory.store.turns import Turn

IDLE_SECONDS = 30.0  # how soon turns that another session left behind are seen
STOP_SECONDS = 0.15
# How long a session has to last before it asks the judge, after one that ended while it was asked:
# a script that starts many short ones would use up the day's calls for no answer.
LASTING = timedelta(seconds=20)
BACKOFF = (timedelta(seconds=30), timedelta(minutes=2))
PLACE = "auto-learn"
NOT_ASKED = "not asked"


class LearnWorker:
    """Learns from queued turns until it is stopped."""

    def __init__(
        self,
        *,
        open_connection: Callable[[], sqlite3.Connection],
        service: MemoryService,
        judge: Judge | None,
        settings: Settings,
        now: Callable[[], datetime],
        environ: Mapping[str, str],
    ) -> None:
        """Keep what is needed; nothing is opened or started yet."""
        self._open = open_connection
        self._service = service
        self._judge = judge
        self._settings = settings
        self._now = now
        self._began = now()
        self._is_off = settings.learn == "off" or bool(given(environ, JUDGE_GUARD))
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._noted = ""
        self._pause = IDLE_SECONDS  # before the next look at the queue
        self._connection: sqlite3.Connection | None = None  # of the thread that steps

    def start(self) -> None:
        """Start the thread, unless learning is off or this is a client that our judge started."""
        if not self._is_off and self._thread is None:
            self._thread = threading.Thread(target=self._run, name="learn", daemon=True)
            self._thread.start()

    def wake(self) -> None:
        """Look at the queue now."""
        self._wake.set()

    def stop(self) -> None:
        """End the judge and the thread; a turn under way goes back to the queue."""
        self._stopped.set()
        self._wake.set()
        if self._judge is not None:
            self._judge.stop()
        if self._thread is not None:
            self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._wake.clear()
            if not self._try_step():
                self._wake.wait(self._pause)
        if self._connection is not None:
            self._connection.close()

    def _try_step(self) -> bool:
        try:
            return self.step()
        except StoreBusy:
            return False  # the next look will do
        except ClaudeMemoryError as error:
            self._note(error.sentence())
        except Exception as error:  # noqa: BLE001  (learning must never take the server down)
            self._note(f"{type(error).__name__} while learning; please report it.")
        return False

    def step(self) -> bool:
        """Learn from one queued turn; False when there is none, or another session is at it."""
        self._pause = IDLE_SECONDS
        if self._is_off:
            return False
        connection = self._connection = self._open()
        ready_in = max(turns.ready_in(connection, self._now()), self._lasts_in(connection))
        if ready_in > 0:
            self._pause = min(IDLE_SECONDS, ready_in)
            return False
        folder = os.path.dirname(paths.database(self._settings.home))
        with Lock(os.path.join(folder, "learn.lock")) as lock:
            return lock.is_held and self._learn(connection)

    def _lasts_in(self, connection: sqlite3.Connection) -> float:
        """Tell in how many seconds this session will have lasted long enough; 0 is now."""
        if not judge_calls.is_cut_off(connection):
            return 0.0
        rest = self._began + LASTING - self._now()
        return max(0.0, rest.total_seconds()) if rest <= LASTING else 0.0

    def _learn(self, connection: sqlite3.Connection) -> bool:
        with write(connection):
            turn = turns.claim(connection, self._now())
        if turn is None:
            return False
        try:
            self._learn_from(connection, turn)
        except BadInput:
            with write(connection):
                turns.fail(connection, turn)
            raise
        return True

    def _learn_from(self, connection: sqlite3.Connection, turn: Turn) -> None:
        from claude_memory.learn import rules  # compiles many patterns: not while a server starts

        said = read_conversation(turn.body)
        if rules.find_cues(said.words):
            said = only_typed(said)
        if rules.find_cues(said.words):
            verdict = self._ask(connection, turn, said)
            if verdict.outcome == judges.STOPPED:
                with write(connection):
                    turns.release(connection, turn)
                return
            if verdict.outcome == judges.ANSWERED:
                self._settle(connection, turn, said, read_events(verdict.events), by_rule=False)
            elif verdict.outcome == NOT_ASKED or turn.tries >= turns.TRIES:
                self._settle(connection, turn, said, rules.extract(said.words), by_rule=True)
            else:
                with write(connection):
                    turns.postpone(connection, turn, self._now() + BACKOFF[turn.tries - 1])
                return
        with write(connection):
            turns.finish(connection, turn)

    def _ask(self, connection: sqlite3.Connection, turn: Turn, said: Conversation) -> Verdict:
        """Ask the judge within the daily cap, and write down what that cost."""
        used = judge_calls.today(connection, self._now()).calls
        if self._judge is None or used >= self._settings.learn_daily:
            return Verdict(NOT_ASKED)
        known = [
            *stored_in(connection, said),
            *related(connection, " ".join(said.words), turn.project, self._now()),
        ]
        prompt = write_prompt(said, list(dict.fromkeys(memory.content for memory in known)))
        with write(connection):
            number = judge_calls.begin(connection, turn.session, self._now())
        verdict = self._judge.ask(prompt)
        with write(connection):
            judge_calls.end(
                connection,
                number,
                input_tokens=verdict.input_tokens,
                output_tokens=verdict.output_tokens,
                outcome=verdict.outcome,
            )
        self._note(verdict.reason and f"The judge of auto-learn failed: {verdict.reason}.")
        return verdict

    def _settle(
        self,
        connection: sqlite3.Connection,
        turn: Turn,
        said: Conversation,
        found: list[Event],
        *,
        by_rule: bool,
    ) -> None:
        if turns.is_claimed(connection, turn):  # else what it says was deleted meanwhile
            mode = self._settings.learn
            settling = Settling(connection, self._service, mode, self._now, by_rule=by_rule)
            settling.settle(turn, said, found)

    def _note(self, text: str) -> None:
        """Note a failure for the next greeting, the same one only once in a row."""
        if text and text != self._noted:
            failures.note(self._settings.home, PLACE, text, self._now())
        self._noted = text
