"""A store, its service and a learning worker, put together as the server does."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from claude_memory import paths
from claude_memory.learn.judge import ClaudeJudge
from claude_memory.learn.worker import LearnWorker
from claude_memory.service.local import LocalService
from claude_memory.service.opening import Opening
from claude_memory.service.place import Place
from claude_memory.service.secrets import Keepers, SecretDoor
from claude_memory.settings import Settings
from claude_memory.store import memories, proposals, turns
from claude_memory.store.connection import write

from tests.support.stores import NOW, PROJECT

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from datetime import datetime, timedelta
    from pathlib import Path

    from claude_memory.keeper.interface import Keeper, Sealed
    from claude_memory.learn.judge import Judge
    from claude_memory.store.proposals import Proposal


class Learning:
    """One machine that learns: `now` can be moved, workers can be made again and again."""

    def __init__(self, home: Path, program: str = "", **environ: str) -> None:
        """Open an empty store; `program` is the `claude` to ask, none means local rules."""
        self.home = str(home)
        self.now = NOW
        self.environ = environ
        self.settings = Settings.from_env({"MEMORY_HOME": self.home, **environ})
        self._program = program
        keepers = _no_keepers()
        database = paths.database(self.home)
        self.place = Place(
            locate=lambda: database,
            home=self.home,
            project=PROJECT,
            first_session="this-session",
            now=self.clock,
            opening=Opening(self.home, self.clock, keepers.seal),
        )
        door = SecretDoor(self.place, keepers)
        self.service = LocalService(self.place, door, self.settings)

    def __enter__(self) -> Learning:
        """Begin to use it."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close what this thread has opened."""
        self.store.close()

    def clock(self) -> datetime:
        """Return the time that the test has set."""
        return self.now

    @property
    def store(self) -> sqlite3.Connection:
        """The store, as this thread has it open."""
        return self.place.connection()

    def judge(self) -> Judge | None:
        """Return a new judge that runs the program."""
        if not self._program:
            return None
        return ClaudeJudge(self._program, self.home, {**os.environ, **self.environ})

    def worker(self) -> LearnWorker:
        """Return a new worker, not yet started."""
        return LearnWorker(
            open_connection=self.place.connection,
            service=self.service,
            judge=self.judge(),
            settings=self.settings,
            now=self.clock,
            environ=self.environ,
        )

    def hear(
        self,
        *words: str,
        session: str = "s",
        earlier: Sequence[Sequence[str]] = (),
        project: str = PROJECT,
        transcript: str = "",
        stored: Sequence[str] = (),
        rest: timedelta = turns.NO_REST,
    ) -> None:
        """Queue a turn in which the user said `words`."""
        held = {"words": words, "earlier": earlier, "reply": "Done.", "transcript": transcript}
        body = json.dumps({**held, "stored": stored})
        with write(self.store):
            turns.enqueue(
                self.store,
                session=session,
                project=project,
                words="\n".join(words),
                body=body,
                now=self.now,
                rest=rest,
            )

    def learn(self) -> None:
        """Work through the queue as far as it is ready."""
        worker = self.worker()
        while worker.step():
            pass

    def known(self) -> list[Any]:
        """Return the live memories that recall would see, newest first."""
        return memories.newest(
            self.store, self.now, category="", tag="", scope="all", project=PROJECT, limit=50
        )

    def contents(self) -> list[str]:
        """Return their texts."""
        return [memory.content for memory in self.known()]

    def proposed(self) -> list[Proposal]:
        """Return what waits for review, newest first."""
        return proposals.listed(self.store)


def _no_keepers() -> Keepers:
    def choose() -> Keeper | None:
        return None

    def opener(sealed: Sealed) -> Keeper:
        raise AssertionError(sealed.keeper)

    return Keepers(choose, opener)
