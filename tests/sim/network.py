"""The network of a simulation: what is sent gets lost, comes late or twice, or meets a stranger.

A `Line` is the transport of one session. Which trouble befalls a request is drawn from the run's
own random numbers; whoever watches is told of each request that reached the server, and its answer.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from claude_memory.errors import RemoteUnreachable
from claude_memory.sync.transport import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random

    from tests.sim.server import Answer, SimulatedServer

PAGE = b"<!doctype html><title>Sign in</title><p>Welcome to our network"
HTML = {"content-type": "text/html"}
JSON = {"content-type": "application/json"}
GARBAGE = (
    b"",
    b"null",
    b"[]",
    b'{"ok": true}',
    b'{"results": [',
    b'{"memories": [{}]}',
    b"\xff\xfe",
)
MOST_LATE = 40  # copies of requests that are still on their way


class Sent(NamedTuple):
    """One request, as it left a machine."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes | None


class Crash(BaseException):
    """The process died in the middle of a call."""


@dataclass
class Network:
    """What lies between the machines and the server."""

    server: SimulatedServer
    chance: Random
    watch: Callable[[Line, Sent, Answer, int], None]
    trouble: float = 0.25  # share of requests that something happens to
    late: list[tuple[Line, Sent]] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def carry(self, line: Line, sent: Sent) -> Response:
        """Carry a request there and its answer back, or not.

        Raises:
            RemoteUnreachable: it was lost, or the answer was.
            Crash: the asking process is killed, with the request on its way.
        """
        if self.chance.random() >= self.trouble:
            return self.deliver(line, sent)
        name = self.chance.choice(TROUBLES)
        self.told.append(name)
        return TROUBLE[name](self, line, sent)

    def deliver(self, line: Line, sent: Sent) -> Response:
        """Bring a request to the server."""
        moment = self.server.moment() if sent.method == "POST" else 0
        answer = self.server.ask(sent.method, sent.path, sent.headers, sent.body)
        self.watch(line, sent, answer, moment)
        return Response(*answer)

    def deliver_late(self, which: int = -1) -> None:
        """Bring a copy of an earlier request to the server; nobody waits for the answer."""
        if self.late:
            self.deliver(*self.late.pop(which % len(self.late)))

    def keep(self, line: Line, sent: Sent) -> None:
        """Keep a copy that arrives later."""
        self.late.append((line, sent))
        del self.late[:-MOST_LATE]


@dataclass
class Line:
    """The transport of one session; `owner` is whoever asks."""

    network: Network
    owner: object
    acknowledged: list[tuple[Sent, Response]] = field(default_factory=list)

    def request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None
    ) -> Response:
        """Send a request through whatever weather there is.

        Raises:
            RemoteUnreachable: no answer came.
        """
        sent = Sent(method, path, dict(headers), body)
        answer = self.network.carry(self, sent)
        self.acknowledged.append((sent, answer))
        return answer

    def close(self) -> None:
        """There is nothing to let go of."""


def _lost(_network: Network, _line: Line, _sent: Sent) -> Response:
    raise RemoteUnreachable("The request was lost.")


def _late(network: Network, line: Line, sent: Sent) -> Response:
    network.keep(line, sent)
    raise RemoteUnreachable("The request is on its way for too long.")


def _answer_lost(network: Network, line: Line, sent: Sent) -> Response:
    network.deliver(line, sent)
    raise RemoteUnreachable("The answer was lost.")


def _crash(network: Network, line: Line, sent: Sent) -> Response:
    if network.chance.random() < 0.5:
        network.deliver(line, sent)
    raise Crash


def _repeated(network: Network, line: Line, sent: Sent) -> Response:
    first = network.deliver(line, sent)
    second = network.deliver(line, sent)
    return network.chance.choice((first, second))


def _repeated_later(network: Network, line: Line, sent: Sent) -> Response:
    network.keep(line, sent)
    return network.deliver(line, sent)


def _overtaken(network: Network, line: Line, sent: Sent) -> Response:
    """Bring everything that is still on its way first."""
    while network.late:
        network.deliver_late(0)
    return network.deliver(line, sent)


def _cut_short(network: Network, line: Line, sent: Sent) -> Response:
    """A proxy passes half of the answer on as if it were all."""
    answer = network.deliver(line, sent)
    return answer._replace(body=answer.body[: len(answer.body) // 2])


def _stranger(network: Network, _line: Line, _sent: Sent) -> Response:
    status = network.chance.choice((200, 200, 302, 401, 403, 404, 407, 413, 451, 500, 502, 504))
    return Response(status, HTML, PAGE)


def _nonsense(network: Network, _line: Line, _sent: Sent) -> Response:
    return Response(200, JSON, network.chance.choice(GARBAGE))


def _half_answered(network: Network, line: Line, sent: Sent) -> Response:
    """Somebody between drops the last result of a push."""
    answer = network.deliver(line, sent)
    found = json.loads(answer.body)
    if not found.get("results"):
        return answer
    return answer._replace(body=json.dumps({"results": found["results"][:-1]}).encode())


def _busy(network: Network, _line: Line, _sent: Sent) -> Response:
    status = network.chance.choice((429, 503))
    seconds = network.chance.choice(("1", "30", "4000", "soon", ""))
    return Response(status, {"retry-after": seconds} if seconds else {}, b"")


def _key_unknown(network: Network, line: Line, sent: Sent) -> Response:
    """The server has not heard of the key yet; it answers so itself."""
    headers = {**sent.headers, "authorization": "Bearer a-key-that-nobody-knows"}
    return network.deliver(line, sent._replace(headers=headers))


def _too_large(_network: Network, _line: Line, _sent: Sent) -> Response:
    return Response(413, HTML, b"<h1>413 Request Entity Too Large</h1>")


TROUBLE: dict[str, Callable[[Network, Line, Sent], Response]] = {
    "lost": _lost,
    "late": _late,
    "answer lost": _answer_lost,
    "crash": _crash,
    "repeated": _repeated,
    "repeated later": _repeated_later,
    "overtaken": _overtaken,
    "cut short": _cut_short,
    "stranger": _stranger,
    "nonsense": _nonsense,
    "half answered": _half_answered,
    "busy": _busy,
    "key unknown": _key_unknown,
    "too large": _too_large,
}
COMMON = ("lost", "late", "answer lost", "crash", "repeated", "repeated later", "overtaken")
TROUBLES = (*TROUBLE, *COMMON, *COMMON)
