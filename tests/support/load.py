"""Constant load on a server by many callers, and what became of every request."""

from __future__ import annotations

import json
import threading
import time
from http.client import HTTPConnection, HTTPException
from typing import NamedTuple

KEY = "a-key-of-the-load"
HEADERS = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}


class Sent(NamedTuple):
    """One request: when it began, how long it took, and its status; 0 if no answer came."""

    at: float
    seconds: float
    status: int
    wrote: str


class Load:
    """Callers that store, recall and list without a pause.

    Every second one keeps its connection for as long as the server lets it; the others open one for
    each request.
    """

    def __init__(self, port: int, callers: int = 4) -> None:
        """Aim at a port of loopback."""
        self._port = port
        self.sent: list[Sent] = []
        self.told = 0  # how often a caller that would have kept its connection was asked not to
        self._is_over = threading.Event()
        self._threads = [
            threading.Thread(target=self._call, args=(number,), daemon=True)
            for number in range(callers)
        ]

    def __enter__(self) -> Load:
        """Begin."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End after the requests that run."""
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def between(self, begin: float, end: float) -> list[Sent]:
        """Return what was begun in a time."""
        return [one for one in list(self.sent) if begin <= one.at < end]

    def _call(self, caller: int) -> None:
        line = HTTPConnection("127.0.0.1", self._port, timeout=30)
        headers = HEADERS if caller % 2 else HEADERS | {"Connection": "close"}
        turn = 0
        while not self._is_over.wait(0.02):
            turn += 1
            word = f"okapi{caller}x{turn}" if turn % 2 else ""
            begun = time.monotonic()
            if word:
                body = {"content": f"{word} was seen"}
                status = self._ask(line, headers, "POST", "/api/memories", body)
            elif turn % 4:
                body = {"context": "okapi"}
                status = self._ask(line, headers, "POST", "/api/memories/recall", body)
            else:
                status = self._ask(line, headers, "GET", "/api/memories?limit=5")
            self.sent.append(Sent(begun, time.monotonic() - begun, status, word))
        line.close()

    def _ask(
        self,
        line: HTTPConnection,
        headers: dict[str, str],
        method: str,
        path: str,
        body: object = None,
    ) -> int:
        """Send one request, once; return its status, or 0 if no answer came."""
        try:
            line.request(method, path, json.dumps(body) if body else None, headers)
            answer = line.getresponse()
            answer.read()
        except (OSError, HTTPException):
            line.close()  # the next request opens another
            return 0
        self.told += headers is HEADERS and answer.getheader("Connection") == "close"
        return answer.status


def high(sent: list[Sent], share: float = 0.99) -> float:
    """Return the time within which that share of requests was answered."""
    times = sorted(one.seconds for one in sent)
    return times[int(len(times) * share)] if times else 0.0
