"""The door to Vault: one HTTPS request, bounded in time, never redirected, always verified.

With sync the only door to the network. It knows no secret engine.
"""

from __future__ import annotations

import http.client
import queue
import re
import ssl
import threading
from typing import NamedTuple

from claude_memory.errors import KeeperError, KeeperRefused, KeeperUnavailable
from claude_memory.sync.address import is_loopback
from claude_memory.sync.connecting import Deadline
from claude_memory.sync.exchange import Asked, Wire, ask

ADDRESS = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s/:@\[\]?#]+)"
    r"(?::(?P<port>\d{1,5}))?(?P<prefix>(?:/[\w.~-]+)*)/?"
)
LONGEST_ANSWER = 1 << 20  # bytes; a secret is at most a tenth of it


class Answer(NamedTuple):
    """What came back: the HTTP status and the whole body."""

    status: int
    body: bytes


class VaultHttp:
    """Sends requests to the Vault at one address, with one token."""

    def __init__(
        self,
        address: str,
        token: str,
        *,
        namespace: str = "",
        authority: str = "",
        connect_seconds: float = 2,
        total_seconds: float = 5,
    ) -> None:
        """Take the settings as they are; a wrong one is reported by the first request."""
        self._address, self._token, self._namespace = address, token, namespace
        self._authority = authority
        self._connect_seconds, self._total_seconds = connect_seconds, total_seconds
        self._context: ssl.SSLContext | None = None

    def send(self, method: str, path: str, body: bytes | None = None) -> Answer:
        """Return the answer to one request under `/v1/`.

        Raises:
            KeeperUnavailable: there was no answer in time.
            KeeperRefused: the address, the token or the certificate cannot be used.
        """
        address = ADDRESS.fullmatch(self._address)
        if address is None:
            raise KeeperRefused("VAULT_ADDR is no address.", "Write it as https://HOST:PORT.")
        target = f"{address['prefix']}/v1/{path}"
        asked = Asked(method, target, self._headers(), body)
        outcome = _outcome(self._connection(address), asked, self._total_seconds)
        if isinstance(outcome, Answer):
            return outcome
        # Raised here, outside any `except`: an error of the HTTP library may quote a header.
        raise _explained(outcome, address["host"])

    def _headers(self) -> dict[str, str]:
        headers = {
            "X-Vault-Token": self._token,
            "X-Vault-Request": "true",
            "Content-Type": "application/json",
        }
        if self._namespace:
            headers["X-Vault-Namespace"] = self._namespace
        return headers

    def _connection(self, address: re.Match[str]) -> http.client.HTTPConnection:
        host = address["host"].strip("[]")
        port = int(address["port"] or 8200)
        if address["scheme"] == "https":
            return http.client.HTTPSConnection(
                host, port, timeout=self._connect_seconds, context=self._verifying()
            )
        if not is_loopback(host):
            raise KeeperRefused(
                f"VAULT_ADDR would send secrets unencrypted to {host}.",
                "Use https://; http:// is for a Vault on this machine only.",
            )
        return http.client.HTTPConnection(host, port, timeout=self._connect_seconds)

    def _verifying(self) -> ssl.SSLContext:
        if self._context is None:  # reading the authorities costs more than a request
            try:
                self._context = ssl.create_default_context(cafile=self._authority or None)
            except OSError as error:  # ssl.SSLError is one
                raise KeeperRefused(
                    f"VAULT_CACERT={self._authority!r} cannot be read as a certificate.",
                    "Name the PEM file of the authority that signed Vault's certificate.",
                ) from error
        return self._context


def _outcome(
    connection: http.client.HTTPConnection, asked: Asked, seconds: float
) -> Answer | Exception:
    """Return the answer, or the error that came instead.

    The exchange has a thread of its own, since nothing else bounds the look-up of a name.
    """
    outcome: queue.SimpleQueue[Answer | Exception] = queue.SimpleQueue()
    deadline = Deadline(seconds)

    def run() -> None:
        try:
            outcome.put(_exchange(connection, asked, deadline))
        except Exception as error:  # noqa: BLE001  # every error is an outcome, explained by `send`
            outcome.put(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        return outcome.get(timeout=seconds)
    except queue.Empty:
        return TimeoutError()


def _exchange(connection: http.client.HTTPConnection, asked: Asked, deadline: Deadline) -> Answer:
    connection.connect()
    with connection.sock as sock:
        wire = Wire(sock)
        wire.begin(deadline)
        answer, _ = ask(connection, wire, asked, LONGEST_ANSWER)
    return Answer(answer.status, answer.body)


def _explained(error: Exception, host: str) -> KeeperError:
    """Say what happened without quoting the error: it may hold the token."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return KeeperRefused(
            f"The certificate of Vault at {host} is not trusted: {error.verify_message}.",
            "Name the file of its authority in VAULT_CACERT.",
        )
    if isinstance(error, ssl.SSLError):
        return KeeperUnavailable(
            f"Vault at {host} does not speak TLS there.", "Check VAULT_ADDR and its port."
        )
    if isinstance(error, OSError):
        return KeeperUnavailable(
            f"Vault at {host} cannot be reached: {error.strerror or 'no answer in time'}.",
            "Start it or check VAULT_ADDR, then try again.",
        )
    if isinstance(error, ValueError):
        return KeeperRefused(
            "VAULT_TOKEN or VAULT_NAMESPACE holds a character that no request can carry.",
            "Set it again, without line breaks.",
        )
    if isinstance(error, http.client.IncompleteRead):
        return KeeperUnavailable(f"The answer of Vault at {host} broke off.", "Check VAULT_ADDR.")
    return KeeperUnavailable(
        f"What answers at {host} is not Vault ({type(error).__name__}).", "Check VAULT_ADDR."
    )
