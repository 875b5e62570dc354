"""Constant load on a server by many callers, and what became of every request."""

from __future__ import annotations

import http.client
import json
import threading
import time
from typing import NamedTuple

KEY = "a-key-of-the-load"


class Sent(NamedTuple):
    """One request: when it began, how long it took, and its status; 0 if no answer came."""

    at: float
    seconds: float
    status: int
    wrote: str


class Load:
    """Callers that store, recall and list without a pause; each request on a new connection."""

    def __init__(self, port: int, callers: int = 4) -> None:
        """Aim at a port of loopback."""
        self._port = port
        self.sent: list[Sent] = []
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
        turn = 0
        while not self._is_over.wait(0.02):
            turn += 1
            word = f"okapi{caller}x{turn}"
            if turn % 2:
                self._ask("POST", "/api/memories", {"content": f"{word} was seen"}, word)
            elif turn % 4:
                self._ask("POST", "/api/memories/recall", {"context": "okapi"})
            else:
                self._ask("GET", "/api/memories?limit=5")

    def _ask(self, method: str, path: str, body: object = None, wrote: str = "") -> None:
        begun, status = time.monotonic(), 0
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            headers = {
                "Authorization": f"Bearer {KEY}",
                "Content-Type": "application/json",
                "Connection": "close",
            }
            connection.request(method, path, json.dumps(body) if body else None, headers)
            answer = connection.getresponse()
            answer.read()
            status = answer.status
        except (OSError, http.client.HTTPException):
            status = 0
        finally:
            connection.close()
        self.sent.append(Sent(begun, time.monotonic() - begun, status, wrote))


def high(sent: list[Sent], share: float = 0.99) -> float:
    """Return the time within which that share of requests was answered."""
    times = sorted(one.seconds for one in sent)
    return times[int(len(times) * share)] if times else 0.0
