"""TLS and proxies: real handshakes with an authority of the test's own, through a real proxy."""

from __future__ import annotations

import base64
import shutil
import subprocess
import threading
from typing import TYPE_CHECKING

import pytest
from claude_memory.errors import AnswerLost, RemoteUnreachable
from claude_memory.sync import address as addresses
from claude_memory.sync import proxy
from claude_memory.sync.http_transport import HttpTransport

from tests.support.promises import promise
from tests.support.scripted_server import ConnectProxy, ScriptedServer, Visit, reply, saying
from tests.support.stdio_peer import HANG

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from claude_memory.sync.transport import Response

    from tests.support.certificates import Authority

pytestmark = pytest.mark.once  # `cryptography` makes the certificates

KEY = "key-of-" + "this-test"
HERE, ELSEWHERE = "127.0.0.1", "memory.example.com"
EVER = 10_000.0  # seconds
OK = reply(200, b"{}")
made: list[HttpTransport] = []


@pytest.fixture(autouse=True)
def _close_transports() -> Iterator[None]:
    """Let go of what the test's transports have kept."""
    yield
    while made:
        made.pop().close()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Make an authority for all tests here."""
    from tests.support.certificates import Authority  # the other interpreters lack what it needs

    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def server(authority: Authority) -> Iterator[ScriptedServer]:
    """Serve with a certificate for this machine and for a name elsewhere."""
    with ScriptedServer(saying(OK), tls=authority.server(HERE, ELSEWHERE)) as found:
        yield found


def get(url: str, environ: Mapping[str, str] | None = None, limit: float = HANG) -> Response:
    """Send a request in an environment."""
    made.append(HttpTransport(url, environ or {}, connect_seconds=limit, total_seconds=limit))
    return again()


def again() -> Response:
    """Send a request with the latest transport."""
    return made[-1].request("GET", "/", {"authorization": f"Bearer {KEY}"}, None)


def trusted(authority: Authority) -> dict[str, str]:
    """Return the environment of one who trusts the authority."""
    return {"SSL_CERT_FILE": str(authority.file)}


def test_authority_comes_from_ssl_cert_file(server: ScriptedServer, authority: Authority) -> None:
    """And the connection is kept, as without TLS."""
    assert get(server.url, trusted(authority)).status == 200
    assert again().status == 200
    assert server.connections == 1


def test_authority_comes_from_the_process_too(
    server: ScriptedServer, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenSSL reads the variable by itself."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    assert get(server.url).status == 200


def test_authority_comes_from_ssl_cert_dir(
    server: ScriptedServer, authority: Authority, tmp_path: Path
) -> None:
    """Its file there has the name that OpenSSL gives it."""
    openssl = shutil.which("openssl")
    assert openssl, "the command openssl makes the name"
    command = [openssl, "x509", "-hash", "-noout", "-in", str(authority.file)]
    digest = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    shutil.copy(authority.file, tmp_path / f"{digest}.0")
    assert get(server.url, {"SSL_CERT_DIR": str(tmp_path)}).status == 200


@promise("network.key-travels-encrypted")
def test_unknown_authority_is_refused(server: ScriptedServer) -> None:
    """Nothing is sent, and the fix names the variable."""
    with pytest.raises(RemoteUnreachable, match="not trusted") as caught:
        get(server.url)
    assert not isinstance(caught.value, AnswerLost)
    assert "SSL_CERT_FILE" in caught.value.fix
    assert server.visits == []


def test_certificate_for_another_host_is_refused(authority: Authority) -> None:
    """The right authority is not enough."""
    with ScriptedServer(saying(OK), tls=authority.server(ELSEWHERE)) as server:
        url = server.url
        with pytest.raises(RemoteUnreachable, match="not trusted"):
            get(url, trusted(authority))
    assert server.visits == []


def test_file_of_authorities_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """OpenSSL would pass over it, and trust nobody for no visible reason."""
    for content in (None, "no certificate"):
        file = tmp_path / "authority.pem"
        if content:
            file.write_text(content)
        with pytest.raises(RemoteUnreachable, match=r"SSL_CERT_FILE=.*authority\.pem"):
            get("https://127.0.0.1:1", {"SSL_CERT_FILE": str(file)})


def test_server_without_tls_is_told_apart(authority: Authority) -> None:
    """The scheme or the port of the address is wrong."""

    class Plain(ScriptedServer):
        def serve(self, sock: socket.socket, number: int) -> None:
            del number
            sock.recv(1_024)
            sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with Plain(saying(OK)) as server, pytest.raises(RemoteUnreachable, match="TLS") as caught:
        get(f"https://127.0.0.1:{server.port}", trusted(authority))
    assert not isinstance(caught.value, AnswerLost)


def test_silent_handshake_is_given_up(authority: Authority) -> None:
    """A server that takes the connection and says nothing."""

    class Silent(ScriptedServer):
        def serve(self, sock: socket.socket, number: int) -> None:
            del number
            while sock.recv(1_024):
                pass

    with Silent(saying(OK)) as server:
        port = server.port
        with pytest.raises(RemoteUnreachable, match="in time") as caught:
            get(f"https://127.0.0.1:{port}", trusted(authority), 0.2)
    assert not isinstance(caught.value, AnswerLost)


def test_connection_that_was_closed_while_idle_is_made_anew(authority: Authority) -> None:
    """Under TLS the end looks different, and is as harmless."""

    def answer(visit: Visit) -> bool:
        return saying(OK, goes_on=visit.request != 1)(visit)

    with ScriptedServer(answer, tls=authority.server(HERE)) as server:
        assert get(server.url, trusted(authority)).status == 200
        assert again().status == 200
        assert [visit.connection for visit in server.visits] == [1, 2]


def test_answer_that_breaks_off_is_none(authority: Authority) -> None:
    """An end without TLS's own word for it is no end of an answer."""
    data = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}"
    answer = saying(data, goes_on=False)
    with ScriptedServer(answer, tls=authority.server(HERE)) as server:
        url = server.url
        with pytest.raises(AnswerLost):
            get(url, trusted(authority))


def test_close_ends_a_running_request(authority: Authority) -> None:
    """Within TLS as well as without."""
    heard = threading.Event()

    def answer(_: Visit) -> bool:
        heard.set()
        return True

    with ScriptedServer(answer, tls=authority.server(HERE)) as server:
        errors: list[RemoteUnreachable] = []

        def ask() -> None:
            with pytest.raises(AnswerLost, match="closed here") as caught:
                get(server.url, trusted(authority), EVER)
            errors.append(caught.value)

        thread = threading.Thread(target=ask)
        thread.start()
        assert heard.wait(HANG)
        made[-1].close()
        thread.join(HANG)
        assert len(errors) == 1


def basic(login: str) -> str:
    """Return the header for a login."""
    return "Basic " + base64.b64encode(login.encode()).decode()


def test_proxy_leads_to_the_server(server: ScriptedServer, authority: Authority) -> None:
    """By CONNECT, with its login; the certificate is the server's, and the key stays within TLS."""
    with ConnectProxy(server.port, basic("joe:p@ss")) as way:
        around = {"HTTPS_PROXY": f"http://joe:p%40ss@127.0.0.1:{way.port}", **trusted(authority)}
        assert get(f"https://{ELSEWHERE}", around).status == 200
        assert again().status == 200
        made.pop().close()
    goal = f"{ELSEWHERE}:443"
    assert way.asked == [f"CONNECT {goal} {goal}"]
    [first, _] = server.visits
    assert first.headers["host"] == ELSEWHERE
    assert "proxy-authorization" not in first.headers


@pytest.mark.parametrize("name", ["https_proxy", "HTTP_PROXY", "http_proxy"])
def test_other_names_of_the_proxy_are_read(
    server: ScriptedServer, authority: Authority, name: str
) -> None:
    """As the client around this plugin reads them; the scheme may be left out."""
    with ConnectProxy(server.port) as way:
        around = {name: f"127.0.0.1:{way.port}", **trusted(authority)}
        assert get(f"https://{ELSEWHERE}:8443", around).status == 200
        made.pop().close()
    assert way.asked == [f"CONNECT {ELSEWHERE}:8443 {ELSEWHERE}:8443"]


@pytest.mark.parametrize("login", ["", "joe:wrong@"])
def test_proxy_that_wants_a_login_is_told(server: ScriptedServer, login: str) -> None:
    """The fix names the variable, the error never the password."""
    with ConnectProxy(server.port, basic("joe:right")) as way:
        port = way.port
        with pytest.raises(RemoteUnreachable, match=r"The proxy 127.* wants") as caught:
            get(f"https://{ELSEWHERE}", {"HTTPS_PROXY": f"http://{login}127.0.0.1:{port}"})
    assert "HTTPS_PROXY" in caught.value.fix
    assert "wrong" not in caught.value.sentence()
    assert not isinstance(caught.value, AnswerLost)


@pytest.mark.parametrize(
    "refusal",
    [b"HTTP/1.1 403 Forbidden\r\n\r\n", b"HTTP/1.1 502 Bad Gateway\r\n\r\n", b"nonsense", b" "],
)
def test_proxy_that_does_not_connect_is_told(server: ScriptedServer, refusal: bytes) -> None:
    """It names the proxy, not the server."""
    with ConnectProxy(server.port, refusal=refusal) as way:
        port = way.port
        with pytest.raises(RemoteUnreachable, match="does not connect to") as caught:
            get(f"https://{ELSEWHERE}", {"HTTPS_PROXY": f"http://127.0.0.1:{port}"})
    assert "NO_PROXY" in caught.value.fix


def test_proxy_is_not_asked_for_this_machine(server: ScriptedServer, authority: Authority) -> None:
    """Whatever NO_PROXY says."""
    nowhere = {"HTTPS_PROXY": "http://127.0.0.1:1", "HTTP_PROXY": "http://127.0.0.1:1"}
    assert get(server.url, {**nowhere, **trusted(authority)}).status == 200


@pytest.mark.parametrize("value", ["socks5://127.0.0.1:1", "https://127.0.0.1:1", "http://a b"])
def test_proxy_that_cannot_be_used_is_told(value: str) -> None:
    """With how to write one that can."""
    with pytest.raises(RemoteUnreachable, match="HTTPS_PROXY") as caught:
        get(f"https://{ELSEWHERE}", {"HTTPS_PROXY": value})
    assert "http://HOST:PORT" in caught.value.fix


@pytest.mark.parametrize(
    ("exceptions", "url", "is_direct"),
    [
        ("", "https://memory.example.com", False),
        ("*", "https://memory.example.com", True),
        ("example.com", "https://memory.example.com", True),
        (".example.com", "https://memory.example.com", True),
        ("*.example.com", "https://memory.example.com", True),
        ("a.com, MEMORY.example.com", "https://Memory.Example.com", True),
        ("a.com memory.example.com", "https://memory.example.com", True),
        ("ample.com", "https://memory.example.com", False),
        ("memory.example.com:443", "https://memory.example.com", True),
        ("memory.example.com:444", "https://memory.example.com", False),
        ("10.0.0.0/8", "https://10.1.2.3", True),
        ("10.0.0.0/8", "https://11.1.2.3", False),
        ("10.1.2.3", "https://10.1.2.3:8443", True),
        ("2001:db8::/32", "https://[2001:db8::1]", True),
        ("10.0.0.0/8", "https://memory.example.com", False),
    ],
)
def test_no_proxy_names_what_is_reached_directly(
    exceptions: str, url: str, is_direct: bool
) -> None:
    """Names, domains, networks and ports; separated by commas or blanks."""
    environ = {"HTTPS_PROXY": "http://proxy.example.com:3128", "NO_PROXY": exceptions}
    found = proxy.choose(environ, addresses.read(url))
    assert (found is None) is is_direct


def test_credentials_of_a_proxy_are_not_shown() -> None:
    """A value may end in a traceback."""
    environ = {"HTTPS_PROXY": "http://joe:right@proxy.example.com:3128"}
    found = proxy.choose(environ, addresses.read("https://memory.example.com"))
    assert repr(found) == "Proxy(proxy.example.com:3128)"
