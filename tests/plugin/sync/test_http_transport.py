"""Requests over HTTP: one whole answer or one clear error, whatever the other side does."""

from __future__ import annotations

import gzip
import json
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest
from claude_memory.errors import AnswerLost, RemoteUnreachable
from claude_memory.sync.exchange import Line
from claude_memory.sync.http_transport import PACKED_FROM, HttpTransport

from tests.support.promises import promise
from tests.support.scripted_server import ScriptedServer, Visit, reply, saying
from tests.support.stdio_peer import CLIENT, HANG

if TYPE_CHECKING:
    from collections.abc import Iterator

    from claude_memory.sync.transport import Response

KEY = "key-of-" + "this-test"
HEADERS = {"authorization": f"Bearer {KEY}"}
EVER = 10_000.0  # seconds: only something else can end a request with this limit
SOON = 1.0  # second: a loaded machine has connected by then
LARGE = b"x" * PACKED_FROM
OK = reply(200, b"{}")


made: list[HttpTransport] = []


@pytest.fixture(autouse=True)
def _close_transports() -> Iterator[None]:
    """Let go of what the test's transports have kept."""
    yield
    while made:
        made.pop().close()


def transport(url: str, **limits: Any) -> HttpTransport:
    """Make a transport in an empty environment, closed when the test ends."""
    made.append(HttpTransport(url, {}, **limits))
    return made[-1]


def get(carrier: HttpTransport, path: str = "/api/sync/hello") -> Response:
    """Send a request without a body."""
    return carrier.request("GET", path, HEADERS, None)


def post(carrier: HttpTransport, body: bytes = b"{}") -> Response:
    """Send a request with a body."""
    return carrier.request("POST", "/api/memories", HEADERS, body)


def test_request_and_answer_arrive_as_they_are() -> None:
    """Method, path below the prefix, headers and body; status, headers in small letters, body."""
    with ScriptedServer(saying(reply(418, b'{"a": 1}', X_Request_Id="r7"))) as server:
        carrier = transport(f"{server.url}/behind/a%20proxy//")
        answer = carrier.request("POST", "/api/memories?x=1", HEADERS, b"body")
    assert (answer.status, answer.body, answer.headers["x-request-id"]) == (418, b'{"a": 1}', "r7")
    [visit] = server.visits
    assert (visit.method, visit.target) == ("POST", "/behind/a%20proxy/api/memories?x=1")
    assert visit.body == b"body"
    assert visit.headers["authorization"] == f"Bearer {KEY}"
    assert visit.headers["host"] == f"127.0.0.1:{server.port}"
    assert visit.headers["accept-encoding"] == "gzip"


def test_connection_is_kept() -> None:
    """Three requests share one."""
    with ScriptedServer(saying(OK)) as server:
        carrier = transport(server.url)
        for _ in range(3):
            assert post(carrier).status == 200
    assert [visit.connection for visit in server.visits] == [1, 1, 1]


def test_connection_that_was_closed_while_idle_is_made_anew() -> None:
    """The request is sent once more, on a new connection, and nobody notices."""
    with ScriptedServer(lambda visit: saying(OK, goes_on=visit.request != 1)(visit)) as server:
        carrier = transport(server.url)
        assert get(carrier).status == 200
        assert get(carrier).status == 200
    assert [visit.connection for visit in server.visits] == [1, 2]


def test_request_is_repeated_only_once() -> None:
    """The second connection gives no answer either: that is told, not tried for ever."""

    def answer(visit: Visit) -> bool:
        return visit.request == 1 and saying(OK)(visit)

    with ScriptedServer(answer) as server:
        carrier = transport(server.url)
        assert get(carrier).status == 200
        with pytest.raises(AnswerLost, match="without an answer"):
            post(carrier)
    assert len(server.visits) == 3


def test_first_connection_that_closes_is_not_tried_again() -> None:
    """It was not idle: the request may have done its work."""
    with ScriptedServer(lambda _: False) as server:
        carrier = transport(server.url)
        with pytest.raises(AnswerLost, match="without an answer"):
            post(carrier)
    assert len(server.visits) == 1


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Le", "broke off"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}", "broke off"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n{}", "broke off"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}", "broke off|speak HTTP"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 500 + b"\r\n", "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\nx: " + b"y" * 70_000 + b"\r\n\r\n", "does not speak HTTP"),
        (reply(200, b"never packed", Content_Encoding="gzip"), "unpacked"),
        (reply(200, gzip.compress(b"cut off", mtime=0)[:-9], Content_Encoding="gzip"), "unpacked"),
        (reply(200, b"x", Content_Encoding="br"), "unpacked"),
    ],
)
def test_half_an_answer_is_none(data: bytes, told: str) -> None:
    """On a kept connection too, where it must not count as closed while idle."""

    def answer(visit: Visit) -> bool:
        return saying(OK if visit.request == 1 else data, goes_on=visit.request == 1)(visit)

    with ScriptedServer(answer) as server:
        carrier = transport(server.url)
        assert get(carrier).status == 200
        with pytest.raises(AnswerLost, match=told):
            post(carrier)
    assert len(server.visits) == 2


@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_answer_over_the_limit_is_refused(coding: str) -> None:
    """Packed or not: what counts is what it unpacks to."""
    body = b" " * 1_001
    sent = gzip.compress(body, mtime=0) if coding == "gzip" else body
    with ScriptedServer(saying(reply(200, sent, Content_Encoding=coding))) as server:
        with pytest.raises(AnswerLost, match="larger"):
            get(transport(server.url, answer_bytes=1_000))
        assert get(transport(server.url, answer_bytes=1_001)).body == body


def test_silent_server_is_given_up() -> None:
    """The limit is for the whole exchange."""
    with ScriptedServer(lambda _: True) as server, pytest.raises(AnswerLost, match="in time"):
        get(transport(server.url, total_seconds=SOON))


def test_server_that_drips_for_ever_is_given_up() -> None:
    """Each byte comes soon, and the answer never ends."""
    done = threading.Event()
    drops: list[int] = []

    def drip(visit: Visit) -> bool:
        visit.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while not done.wait(0.01):
            drops.append(visit.sock.send(b" "))
        return False

    with ScriptedServer(drip) as server:
        with pytest.raises(AnswerLost, match="in time"):
            get(transport(server.url, total_seconds=SOON))
        done.set()
    assert len(drops) < 1_000  # of 100 that fit into the time


def test_answer_before_the_whole_body_was_read_is_heard() -> None:
    """A server that refuses at the first look closes while we are still sending."""

    class Hasty(ScriptedServer):
        def serve(self, sock: socket.socket, number: int) -> None:
            del number
            sock.recv(1_024)
            sock.sendall(reply(413, b"{}", Connection="close"))
            sock.close()

    with Hasty(saying(OK)) as server:
        assert post(transport(server.url), b"x" * 16_000_000).status == 413


def test_nobody_listening_means_nothing_was_sent() -> None:
    """The caller may say that nothing was stored."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(RemoteUnreachable, match="cannot be reached") as caught:
        get(transport(f"http://127.0.0.1:{port}"))
    assert not isinstance(caught.value, AnswerLost)
    assert "MEMORY_API_URL" in caught.value.fix


@promise("network.key-travels-encrypted")
@pytest.mark.parametrize(
    ("location", "told", "fix"),
    [
        ("https://127.0.0.1/api/sync/hello", "https address", "(MEMORY_API_URL) with https://"),
        ("http://login.hotel.example/?key=" + KEY, "login.hotel.example", "Log in"),
        ("/elsewhere", "another address of its own", "path in the server address"),
        ("", "another address", "MEMORY_API_URL"),
        ("\x00//", "another address", "MEMORY_API_URL"),
    ],
)
def test_redirect_is_explained_and_not_followed(location: str, told: str, fix: str) -> None:
    """The key goes to one server only."""
    with ScriptedServer(saying(reply(302, b"<html>", Location=location))) as server:
        carrier = transport(server.url)
        with pytest.raises(RemoteUnreachable, match=told) as caught:
            get(carrier)
    assert fix in caught.value.fix
    assert KEY not in caught.value.sentence()
    assert len(server.visits) == 1


def test_proxy_on_the_way_that_wants_a_login_is_named() -> None:
    """A 407 in the place of an answer is no answer of our server."""
    with ScriptedServer(saying(reply(407))) as server:
        carrier = transport(server.url)
        with pytest.raises(RemoteUnreachable, match="wants a login") as caught:
            get(carrier)
    assert "HTTPS_PROXY" in caught.value.fix


@promise("network.key-travels-encrypted")
@pytest.mark.parametrize(
    ("url", "told", "fix"),
    [
        ("", "not set", "https://HOST"),
        ("memory.example.com", "no address", "https://HOST"),
        ("ftp://memory.example.com", "no address", "https://HOST"),
        ("https://", "no address", "https://HOST"),
        ("https://user:word@memory.example.com", "no address", "https://HOST"),
        ("https://memory.example.com/?a=b", "no address", "https://HOST"),
        ("https://memory.example.com:99999", "no address", "https://HOST"),
        ("https://memory..example.com", "no address", "https://HOST"),
        ("https://memory.example.com/\r\nx: y", "no address", "https://HOST"),
        ("http://memory.example.com", "unencrypted", "Set MEMORY_API_URL to https://memory."),
        ("HTTP://10.0.0.1:8000", "unencrypted", "https://10.0.0.1"),
        ("http://localhost.example.com", "unencrypted", "https://"),
        ("http://[2001:db8::1]", "unencrypted", "https://"),
    ],
)
def test_address_that_cannot_be_used_names_its_fix(url: str, told: str, fix: str) -> None:
    """Told by the first request, before anything is sent."""
    with pytest.raises(RemoteUnreachable, match=told) as caught:
        get(transport(url))
    assert fix in caught.value.fix


def test_key_that_no_header_can_carry_is_not_quoted() -> None:
    """The HTTP library's own error would show it."""
    with ScriptedServer(saying(OK)) as server:
        carrier = transport(server.url)
        with pytest.raises(RemoteUnreachable, match="MEMORY_API_KEY") as caught:
            carrier.request("GET", "/", {"authorization": f"Bearer {KEY}\nx"}, None)
    assert KEY not in caught.value.sentence()
    assert caught.value.__context__ is None


def packed(server: ScriptedServer) -> list[bool]:
    """Tell which requests came packed."""
    return [visit.headers.get("content-encoding") == "gzip" for visit in server.visits]


def test_large_bodies_are_packed_once_the_server_says_that_it_unpacks() -> None:
    """Not before, and small ones never."""
    with ScriptedServer(saying(reply(200, b"{}", Accept_Encoding="gzip"))) as server:
        carrier = transport(server.url)
        for body in (LARGE, LARGE, LARGE[:-1]):
            post(carrier, body)
    assert packed(server) == [False, True, False]
    assert gzip.decompress(server.visits[1].body) == LARGE


@pytest.mark.parametrize("status", [400, 415, 422])
def test_server_that_no_longer_unpacks_gets_the_plain_body(status: int) -> None:
    """An older one stands there now, or something between has touched the bytes."""

    def answer(visit: Visit) -> bool:
        is_refused = "content-encoding" in visit.headers
        return saying(reply(status if is_refused else 200, b"{}", Accept_Encoding="gzip"))(visit)

    with ScriptedServer(answer) as server:
        carrier = transport(server.url)
        assert [post(carrier, LARGE).status for _ in range(3)] == [200, 200, 200]
    assert packed(server) == [False, True, False, False]


def test_packed_answer_is_unpacked() -> None:
    """What arrives is the plain body."""
    body = json.dumps({"memories": ["ä"] * 1_000}).encode()
    sent = reply(200, gzip.compress(body, mtime=0), Content_Encoding="gzip")
    with ScriptedServer(saying(sent)) as server:
        assert get(transport(server.url)).body == body


class Asking:
    """A request that runs in a thread."""

    def __init__(self, carrier: HttpTransport) -> None:
        self.errors: list[Exception] = []
        self.carrier = carrier
        self.thread = threading.Thread(target=self._ask, daemon=True)
        self.thread.start()

    def _ask(self) -> None:
        try:
            get(self.carrier)
        except RemoteUnreachable as error:
            self.errors.append(error)

    def error(self) -> Exception:
        """Wait for its end."""
        self.thread.join(HANG)
        assert not self.thread.is_alive()
        [found] = self.errors
        return found


def test_close_ends_a_running_request_and_later_ones_work() -> None:
    """It would wait for hours otherwise."""
    heard = threading.Event()

    def answer(visit: Visit) -> bool:
        heard.set()
        return visit.request == 1 or saying(OK)(visit)

    with ScriptedServer(answer) as server:
        carrier = transport(server.url, total_seconds=EVER)
        asking = Asking(carrier)
        assert heard.wait(HANG)
        carrier.close()
        assert isinstance(asking.error(), AnswerLost)
        assert "closed here" in str(asking.errors[0])
        assert get(carrier).status == 200


@pytest.fixture
def full() -> Iterator[str]:
    """The address of a server whose queue is full, so that nothing comes back."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        for one in waiting:
            one.close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux leaves a connection waiting so")
def test_close_ends_a_connection_that_is_being_made(full: str) -> None:
    """Nobody waits for it any longer."""
    carrier = transport(full, connect_seconds=EVER, total_seconds=EVER)
    asking = Asking(carrier)
    while not [line for line in list(carrier._running) if line._socket]:
        assert asking.thread.is_alive()
    carrier.close()
    assert "closed here" in str(asking.error())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux leaves a connection waiting so")
def test_close_ends_a_connection_the_moment_it_can_be_known(
    full: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no gap between a socket that may be ended and one that is connecting."""
    carrier = transport(full, connect_seconds=EVER, total_seconds=EVER)
    hold = Line._hold

    def hold_and_close(line: Line, sock: socket.socket) -> None:
        hold(line, sock)
        carrier.close()

    monkeypatch.setattr(Line, "_hold", hold_and_close)
    assert "closed here" in str(Asking(carrier).error())


def test_slow_request_holds_up_no_other() -> None:
    """Each has a connection to itself."""
    release = threading.Event()
    heard = threading.Event()

    def answer(visit: Visit) -> bool:
        if visit.request == 1:
            heard.set()
            release.wait(HANG)
        return saying(OK)(visit)

    with ScriptedServer(answer) as server:
        carrier = transport(server.url, total_seconds=HANG)
        asking = Asking(carrier)
        assert heard.wait(HANG)
        assert get(carrier).status == 200
        release.set()
        asking.thread.join(HANG)
    assert asking.errors == []
    assert server.connections == 2


def test_server_with_a_numbered_address_of_version_six_is_reached() -> None:
    """With its brackets in the address and in the header."""
    try:
        server = ScriptedServer(saying(OK), host="::1")
    except OSError:
        pytest.skip("this machine has no IPv6")
    with server:
        carrier = transport(server.url)
        assert get(carrier).status == 200
    assert server.visits[0].headers["host"] == f"[::1]:{server.port}"


def test_nothing_of_http_is_loaded_before_the_first_request() -> None:
    """A start pays for none of it."""
    program = (
        f"import sys; sys.path.insert(0, {str(CLIENT)!r})\n"
        "from claude_memory.sync.http_transport import HttpTransport\n"
        "HttpTransport('https://memory.example.com', {}).close()\n"
        "print([name for name in ('http', 'ssl', 'socket', 'email', 'gzip', 'urllib.request')"
        " if name in sys.modules])"
    )
    command = [sys.executable, "-S", "-E", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
