"""Servers on loopback that answer what a test tells them to, and a proxy before them."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    Answer = Callable[["Visit"], bool]  # returns whether the connection goes on


class Visit(NamedTuple):
    """One request as it came, and the socket to answer on."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    sock: socket.socket
    connection: int
    request: int


class Listening:
    """Serves each connection on a thread of its own, from `with` to the end of its block."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family)
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]

    def __enter__(self) -> Listening:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._threads[0].join()
        for sock in self._open:
            end(sock)
        for thread in self._threads:
            thread.join()
        for sock in self._open:
            sock.close()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(sock)
            thread = threading.Thread(target=self._serve_quietly, args=(sock, self.connections))
            self._threads.append(thread)
            thread.start()

    def _serve_quietly(self, sock: socket.socket, number: int) -> None:
        with suppress(OSError, ValueError):
            self.serve(sock, number)
        end(sock)
        with suppress(OSError):
            sock.close()

    def serve(self, sock: socket.socket, number: int) -> None:
        """Serve one connection until it ends."""
        raise NotImplementedError


class ScriptedServer(Listening):
    """Reads requests and has each answered by one function."""

    def __init__(
        self, answer: Answer, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
    ) -> None:
        super().__init__(host)
        self._answer, self._tls, self._host = answer, tls, host
        self.visits: list[Visit] = []

    def __enter__(self) -> ScriptedServer:
        super().__enter__()
        return self

    @property
    def url(self) -> str:
        """Return its address."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}"

    def serve(self, sock: socket.socket, number: int) -> None:
        """Answer requests until one says that this was the last."""
        if self._tls is not None:
            sock = self._tls.wrap_socket(sock, server_side=True)
            self._open.append(sock)
        with sock.makefile("rb") as stream:
            while True:
                head = read_head(stream.readline)
                if not head:
                    break
                (method, target, _), headers = head
                body = stream.read(int(headers.get("content-length", "0")))
                visit = Visit(method, target, headers, body, sock, number, len(self.visits) + 1)
                self.visits.append(visit)
                if not self._answer(visit):
                    break
        end(sock)
        sock.close()


class ConnectProxy(Listening):
    """A proxy that knows CONNECT alone, and leads every name to one port of this machine."""

    def __init__(self, goal: int, login: str = "", refusal: bytes = b"") -> None:
        super().__init__()
        self._goal, self._login, self._refusal = goal, login, refusal
        self.asked: list[str] = []

    def __enter__(self) -> ConnectProxy:
        super().__enter__()
        return self

    def serve(self, sock: socket.socket, number: int) -> None:
        """Connect to the goal and pass on what comes, both ways."""
        del number
        with sock.makefile("rb", buffering=0) as stream:
            head = read_head(stream.readline)
        assert head
        (method, goal, _), headers = head
        self.asked.append(f"{method} {goal} {headers['host']}")
        if headers.get("proxy-authorization", "") != self._login:
            sock.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
            return
        if self._refusal:
            sock.sendall(self._refusal)
            return
        with socket.create_connection(("127.0.0.1", self._goal)) as onward:
            self._open.append(onward)
            sock.sendall(b"HTTP/1.1 200 Connection established\r\nVia: 1.1 test\r\n\r\n")
            back = threading.Thread(target=pump, args=(onward, sock))
            back.start()
            pump(sock, onward)
            back.join()


def read_head(readline: Callable[[], bytes]) -> tuple[list[str], dict[str, str]] | None:
    """Read the first line and the headers of a request; None at the end."""
    first = readline().decode("latin-1").split()
    if len(first) != 3:
        return None
    headers: dict[str, str] = {}
    while True:
        line = readline().decode("latin-1").strip()
        if not line:
            return first, headers
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()


def pump(source: socket.socket, sink: socket.socket) -> None:
    """Pass bytes on until there are no more."""
    with suppress(OSError):
        while True:
            part = source.recv(65_536)
            if not part:
                break
            sink.sendall(part)
    end(sink)


def end(sock: socket.socket) -> None:
    """End a connection; whoever reads from it wakes up."""
    with suppress(OSError):
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


def reply(status: int, body: bytes = b"", **headers: str) -> bytes:
    """Write an answer; underscores in the names of headers stand for hyphens."""
    named = {"content_length": str(len(body)), **headers}
    lines = [f"HTTP/1.1 {status} Told"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in named.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def saying(data: bytes, *, goes_on: bool = True) -> Answer:
    """Answer each request with the same bytes."""

    def answer(visit: Visit) -> bool:
        visit.sock.sendall(data)
        return goes_on

    return answer
