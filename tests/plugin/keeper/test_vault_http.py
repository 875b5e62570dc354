"""The door to Vault: addresses, time limits, headers; nothing secret in what it says."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import pytest
from claude_memory.errors import KeeperError, KeeperRefused, KeeperUnavailable
from claude_memory.keeper.vault_http import VaultHttp

from tests.support.keeper_conformance import everything_shown
from tests.support.vault_stand_in import TOKEN, VaultStandIn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Give a listening socket that accepts nobody by itself."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def _address(server: socket.socket) -> str:
    return f"http://127.0.0.1:{server.getsockname()[1]}"


def _send(address: str, token: str = TOKEN, seconds: float = 60) -> KeeperError:
    with pytest.raises(KeeperError) as caught:
        VaultHttp(address, token, connect_seconds=seconds, total_seconds=seconds).send(
            "GET", "secret/data/x"
        )
    return caught.value


@pytest.mark.parametrize(
    "address",
    [
        "vault.example.com:8200",
        "ftp://vault.example.com",
        "https://",
        "https://user:pass@vault.example.com",
        "https://vault.example.com:8200?x=1",
        "https://vault.example.com:port",
        "https://vault.example.com/a b",
        "https://vault.example.com\nX: y",
    ],
)
def test_address_that_is_none_is_refused(address: str) -> None:
    """It is refused as a whole, and not quoted: it might hold a password."""
    error = _send(address)
    assert isinstance(error, KeeperRefused)
    assert "https://HOST:PORT" in error.fix
    assert "pass" not in everything_shown(error)


@pytest.mark.parametrize(
    "address",
    [
        "http://vault.example.com:8200",
        "http://10.0.0.1:8200",
        "http://[2001:db8::1]:8200",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://0.0.0.0:8200",
    ],
)
def test_unencrypted_road_off_this_machine_is_refused(address: str) -> None:
    """A secret never crosses a network in clear."""
    error = _send(address)
    assert isinstance(error, KeeperRefused)
    assert "https://" in error.fix


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
@pytest.mark.parametrize("tail", ["", "/", "/some/prefix", "/some/prefix/"])
def test_vault_on_this_machine_may_be_unencrypted(host: str, tail: str) -> None:
    """A developer's Vault works as it is, behind a prefix too."""
    with VaultStandIn() as vault:
        VaultHttp(f"http://{host}:{vault.port}{tail}", TOKEN).send("GET", "secret/data/x")
        assert vault.paths == [f"{tail.rstrip('/')}/v1/secret/data/x"]


def test_token_and_namespace_travel_in_headers_only() -> None:
    """Neither is part of an address that a proxy may log."""
    with VaultStandIn() as vault:
        VaultHttp(vault.address, TOKEN, namespace="team-a").send("GET", "secret/data/x")
        VaultHttp(vault.address, TOKEN).send("GET", "secret/data/x")
        assert vault.headers[0]["X-Vault-Token"] == TOKEN
        assert vault.headers[0]["X-Vault-Namespace"] == "team-a"
        assert vault.headers[0]["X-Vault-Request"] == "true"
        assert "X-Vault-Namespace" not in vault.headers[1]
        assert TOKEN not in "".join(vault.paths)


@pytest.mark.parametrize("token", ["hvs.line\nbreak", "hvs.ünïcode\u2603", "hvs.\r\nX-Evil: 1"])
def test_token_that_no_header_can_carry_is_not_quoted(token: str) -> None:
    """The HTTP library would quote it in its error."""
    with VaultStandIn() as vault:
        error = _send(vault.address, token)
        assert isinstance(error, KeeperRefused)
        assert "VAULT_TOKEN" in str(error)
        assert "hvs." not in everything_shown(error)
        assert vault.headers == []


def test_nobody_listening_is_reported(listener: socket.socket) -> None:
    """A Vault that is down is unavailable, and the message names its host."""
    address = _address(listener)
    listener.close()
    error = _send(address)
    assert isinstance(error, KeeperUnavailable)
    assert "127.0.0.1 cannot be reached: Connection refused" in str(error)


def test_unknown_host_is_reported() -> None:
    """A name that does not resolve is unavailable: the network may be down."""
    assert isinstance(_send("https://vault.invalid"), KeeperUnavailable)


def test_silent_server_is_given_up(listener: socket.socket) -> None:
    """A server that accepts and says nothing holds nobody up."""
    error = _send(_address(listener), seconds=0.2)
    assert isinstance(error, KeeperUnavailable)
    assert "no answer in time" in str(error)


def test_answer_that_drips_is_given_up(listener: socket.socket) -> None:
    """Each byte in time does not make an answer in time."""
    ended = threading.Event()

    def drip() -> None:
        peer, _ = listener.accept()
        with peer:
            peer.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not ended.wait(0.02):
                try:
                    peer.sendall(b".")
                except OSError:
                    return

    server = threading.Thread(target=drip)
    server.start()
    try:
        error = _send(_address(listener), seconds=0.3)
        assert isinstance(error, KeeperUnavailable)
        server.join(60)
        assert not server.is_alive(), "the connection was not hung up"
    finally:
        ended.set()
        server.join()


def _answered(listener: socket.socket, answer: bytes) -> KeeperError:
    """Return the error that these bytes lead to."""

    def speak() -> None:
        peer, _ = listener.accept()
        with peer:
            peer.recv(65_536)
            peer.sendall(answer)

    server = threading.Thread(target=speak)
    server.start()
    error = _send(_address(listener))
    server.join()
    return error


CUT_OFF = [
    b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n",
    b"HTTP/1.1 204 No Content\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}",
]


@pytest.mark.parametrize("answer", CUT_OFF)
def test_answer_that_broke_off_is_none(listener: socket.socket, answer: bytes) -> None:
    """Half a head would tell that a secret is missing, or is gone, and nobody knows."""
    error = _answered(listener, answer)
    assert isinstance(error, KeeperUnavailable)
    assert "broke off" in str(error)


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH_9.2\r\n", b"", b"\x15\x03\x01\x00\x02\x02"])
def test_other_service_is_no_vault(listener: socket.socket, answer: bytes) -> None:
    """A wrong port is explained."""
    error = _answered(listener, answer)
    assert isinstance(error, KeeperUnavailable)
    assert "VAULT_ADDR" in error.fix


def test_https_to_a_port_without_tls_is_explained() -> None:
    """`https` for a Vault that speaks `http` is the commonest slip."""
    with VaultStandIn() as vault:
        error = _send(vault.address.replace("http:", "https:"))
        assert isinstance(error, KeeperUnavailable)
        assert "does not speak TLS" in str(error)
        assert vault.headers == []


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_authority_that_cannot_be_read_is_named(tmp_path: Path, content: str | None) -> None:
    """A wrong VAULT_CACERT is not silently replaced by the system's authorities."""
    authority = tmp_path / "authority.pem"
    if content is not None:
        authority.write_text(content)
    with pytest.raises(KeeperRefused, match="VAULT_CACERT") as caught:
        VaultHttp("https://127.0.0.1:1", TOKEN, authority=str(authority)).send("GET", "x")
    assert str(authority) in str(caught.value)


def test_repr_shows_no_token() -> None:
    """The door may be logged."""
    assert TOKEN not in repr(VaultHttp("https://127.0.0.1", TOKEN))
