"""The way to the server: name, TCP, a proxy's CONNECT, TLS; all of it before one deadline.

Only the look-up of a name takes as long as the system lets it.
"""

from __future__ import annotations

import errno
import os
import re
import selectors
import socket
import ssl
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from claude_memory.errors import RemoteUnreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from claude_memory.sync.address import Address
    from claude_memory.sync.proxy import Proxy

    Hold = Callable[[socket.socket], None]

CONNECTED = re.compile(rb"HTTP/1\.[01] (\d{3})[ \r\n]")
HEAD_LIMIT = 65_536  # bytes of a proxy's answer
LOGIN_WANTED = 407
UNDER_WAY = (0, errno.EINPROGRESS, errno.EWOULDBLOCK)  # the last on Windows


class Route(NamedTuple):
    """Which way to take; `context` is None where nothing is encrypted."""

    address: Address
    proxy: Proxy | None
    context: ssl.SSLContext | None


class Deadline:
    """A moment by which something has to be done."""

    def __init__(self, seconds: float) -> None:
        """Begin now."""
        self._ends = time.monotonic() + seconds

    def left(self) -> float:
        """Return how many seconds are left.

        Raises:
            TimeoutError: none.
        """
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


def trusting(environ: Mapping[str, str]) -> ssl.SSLContext:
    """Return what verifies a server: the system's authorities, or SSL_CERT_FILE and SSL_CERT_DIR.

    Raises:
        RemoteUnreachable: a file that is named cannot be read.
    """
    context = ssl.create_default_context()
    for name, kind in (("SSL_CERT_FILE", "cafile"), ("SSL_CERT_DIR", "capath")):
        place = environ.get(name)
        try:
            if place:
                context.load_verify_locations(**{kind: place})
        except OSError:  # ssl.SSLError is one
            fix = "Name the PEM file of the authority that signed the server's certificate."
            raise RemoteUnreachable(f"{name}={place!r} cannot be read.", fix) from None
    context.set_alpn_protocols(["http/1.1"])
    return context


def connect(route: Route, deadline: Deadline, hold: Hold) -> socket.socket:
    """Return a connected socket; `hold` is given each socket that another thread may have to end.

    Raises:
        RemoteUnreachable: the proxy refuses.
        OSError: what the network says.
    """
    address, proxy = route.address, route.proxy
    goal = (proxy.host, proxy.port) if proxy else (address.host, address.port)
    sock = _reach(*goal, deadline, hold)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if proxy is not None:
            _tunnel(sock, proxy, address, deadline)
        if route.context is not None:
            sock.settimeout(deadline.left())
            sock = route.context.wrap_socket(
                sock, server_hostname=address.host, do_handshake_on_connect=False
            )
            hold(sock)
            sock.do_handshake()
    except BaseException:
        sock.close()
        raise
    return sock


def _reach(host: str, port: int, deadline: Deadline, hold: Hold) -> socket.socket:
    """Connect to the first of a host's addresses that answers; a silent one has half the time."""
    places = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    refusal: OSError = TimeoutError()
    for left, (family, kind, protocol, _, place) in zip(range(len(places), 0, -1), places):
        sock = socket.socket(family, kind, protocol)
        try:
            _begin(sock, place)
            hold(sock)  # not before: who ends a socket that is not connecting yet ends nothing
            _finish(sock, deadline.left() / min(2, left))
            sock.settimeout(deadline.left())
        except OSError as error:
            sock.close()
            refusal = error
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise refusal


def _begin(sock: socket.socket, place: tuple[Any, ...]) -> None:
    """Begin to connect; nobody waits yet."""
    sock.settimeout(0)
    code = sock.connect_ex(place)
    if code not in UNDER_WAY:
        raise OSError(code, os.strerror(code))


def _finish(sock: socket.socket, seconds: float) -> None:
    """Wait until a socket is connected, or refused, or shut down by another thread."""
    with selectors.DefaultSelector() as selector:
        selector.register(sock, selectors.EVENT_WRITE)
        if not selector.select(seconds):
            raise TimeoutError
    code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if code:
        raise OSError(code, os.strerror(code))


def _tunnel(sock: socket.socket, proxy: Proxy, address: Address, deadline: Deadline) -> None:
    """Ask a proxy to connect to the server.

    Raises:
        RemoteUnreachable: it does not.
    """
    goal = _authority(address)
    lines = [f"CONNECT {goal} HTTP/1.1", f"Host: {goal}"]
    if proxy.login:
        lines.append(f"Proxy-Authorization: Basic {proxy.login}")
    sock.settimeout(deadline.left())
    sock.sendall("\r\n".join([*lines, "", ""]).encode("ascii"))
    status = _status(_head(sock, deadline))
    if status == LOGIN_WANTED:
        wanted = "other credentials" if proxy.login else "a login"
        message = f"The proxy {proxy.host}:{proxy.port} wants {wanted}."
        raise RemoteUnreachable(message, login_fix(proxy.variable))
    if status not in range(200, 300):
        message = f"The proxy {proxy.host}:{proxy.port} does not connect to {goal} ({status})."
        fix = f"Check {proxy.variable} and MEMORY_API_URL; NO_PROXY names hosts to reach directly."
        raise RemoteUnreachable(message, fix)


def login_fix(variable: str) -> str:
    """Return how to give a proxy its credentials."""
    return f"Put them into {variable}: http://USER:PASSWORD@HOST:PORT."


def _authority(address: Address) -> str:
    host = f"[{address.host}]" if ":" in address.host else _ascii(address.host)
    return f"{host}:{address.port}"


def _ascii(host: str) -> str:
    return host if host.isascii() else host.encode("idna").decode("ascii")


def _head(sock: socket.socket, deadline: Deadline) -> bytes:
    """Read an answer's head; nothing follows it, since in TLS the client speaks first."""
    head = b""
    while b"\r\n\r\n" not in head and len(head) < HEAD_LIMIT:
        sock.settimeout(deadline.left())
        part = sock.recv(4096)
        if not part:
            break
        head += part
    return head


def _status(head: bytes) -> int:
    """Return the status of a whole head, and 0 where this is none."""
    found = CONNECTED.match(head)
    return int(found[1]) if found and b"\r\n\r\n" in head else 0
