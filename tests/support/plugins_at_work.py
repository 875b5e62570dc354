"""Plugins of one person on several machines that store and recall without a pause.

Real processes in hybrid mode. What each tool acknowledged is noted, and compared in the end with
what is on the server and in every store.
"""

from __future__ import annotations

import contextlib
import threading
import time
from random import Random
from typing import TYPE_CHECKING

from tests.support.hybrid import all_sent, machine
from tests.support.sessions import rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.sessions import Session

USER, KEY = "maria", "a-key-of-the-plugins"
MACHINES = ("laptop", "laptop", "desk")  # two sessions share the store of the laptop
PAUSE = 0.3  # seconds between two calls of a session, at most
PATIENCE = 120.0  # a guard against hanging
LIVE = "SELECT content FROM memories WHERE live = 1"


class Plugins:
    """Sessions at work; none of their calls may fail, whatever becomes of the server."""

    def __init__(self, folder: Path, url: str) -> None:
        """Take the folder of the machines and the address of the server."""
        self._homes = [folder / name for name in MACHINES]
        self._url = url
        self.stored: list[str] = []
        self._failures: list[BaseException] = []
        self._is_over = threading.Event()
        self._stack = contextlib.ExitStack()
        self._sessions: list[Session] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Plugins:
        """Begin."""
        for number, home in enumerate(self._homes):
            session = self._stack.enter_context(machine(home, self._url, KEY))
            work = threading.Thread(target=self._work, args=(session, number), daemon=True)
            self._sessions.append(session)
            self._threads.append(work)
            work.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End after the calls that run, and end the sessions."""
        self._stop()
        self._stack.close()

    def finish(self, on_server: Callable[[], list[str]]) -> None:
        """End; all that was acknowledged is there once, on the server and in every store."""
        self._stop()
        assert self._failures == []
        for session in self._sessions:
            all_sent(session, PATIENCE)
        wanted = sorted(self.stored)
        assert len(wanted) > 20
        assert sorted(on_server()) == wanted
        deadline = time.monotonic() + PATIENCE
        while any(sorted(found) != wanted for found in self._in_stores()):
            assert time.monotonic() < deadline, [len(wanted), *map(len, self._in_stores())]
            for session in self._sessions:
                session.done("memory_list")  # who asks is told soon
            time.sleep(0.2)
        self._stack.close()

    def _in_stores(self) -> list[list[str]]:
        return [[text for (text,) in rows(home, LIVE)] for home in sorted(set(self._homes))]

    def _stop(self) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def _work(self, session: Session, number: int) -> None:
        random = Random(number)  # noqa: S311  (to be repeated)
        try:
            while not self._is_over.wait(random.uniform(0, PAUSE)):
                word = f"ibex{random.getrandbits(48):x}"
                text = f"{word} was seen from window {number}."
                session.done("memory_store", content=text)
                self.stored.append(text)
                assert text in session.done("memory_recall", context=word)
        except BaseException as error:  # noqa: BLE001  (raised by whoever finishes)
            self._failures.append(error)
