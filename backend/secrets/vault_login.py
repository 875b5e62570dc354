"""The way to Vault or OpenBao: a login that is renewed in time, and errors that say who is to act.

hvac is imported when Vault is first asked. It verifies certificates; VAULT_CACERT names an
authority of one's own. Redirects are not followed: the token would go along.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from backend.errors import ApiError, ConfigurationError, KeeperDown, SecretLost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Client = Any  # hvac ships no types

T = TypeVar("T")
SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
TIMEOUT = 5  # seconds


class VaultLogin:
    """Logs in with a token, an AppRole (role and secret id) or a pod's service account (role)."""

    def __init__(
        self,
        address: str,
        *,
        token: str = "",
        role: str = "",
        secret_id: str = "",
        service_account: Path = SERVICE_ACCOUNT,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take how to log in; nothing is asked yet.

        Raises:
            ConfigurationError: the address is none, or there is no way to log in.
        """
        if not address.startswith(("https://", "http://")):
            raise ConfigurationError("VAULT_ADDR must begin with https:// (or http://).")
        if not token and not role:
            raise ConfigurationError(
                "VAULT_ADDR is set without a login. Set VAULT_TOKEN, or VAULT_ROLE and "
                "VAULT_SECRET_ID (AppRole), or VAULT_ROLE alone in a pod (Kubernetes)."
            )
        self._address, self._token, self._role = address, token, role
        self._secret_id, self._service_account, self._now = secret_id, service_account, now
        self._client: Client = None
        self._renew_at: float | None = None
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        """Show where to, and no token."""
        return f"VaultLogin({self._address!r})"

    def ask(self, question: Callable[[Client], T], *, opens: bool = False) -> T:
        """Return what Vault answers; blocks, so call it in a thread.

        Raises:
            KeeperDown: Vault does not answer, or refuses until somebody changes something.
            SecretLost: the question `opens` something that Vault cannot open any more.
        """
        import requests
        from hvac.exceptions import VaultError

        refused: ApiError
        try:
            return self._asked(question)
        except VaultError as error:
            refused = _explained(error, opens=opens)
        except requests.RequestException as error:
            refused = KeeperDown(f"Vault cannot be reached: {type(error).__name__}.")
        except OSError as error:
            refused = KeeperDown(f"The service account's token cannot be read: {error.strerror}.")
        except (AttributeError, KeyError, TypeError, ValueError):
            refused = KeeperDown("What answers at VAULT_ADDR is not Vault.")
        raise refused  # out here, so that no log of it shows hvac's error, which knows the request

    def _asked(self, question: Callable[[Client], T]) -> T:
        from hvac.exceptions import Forbidden

        client = self._ready()
        try:
            return question(client)
        except Forbidden:
            if self._token:
                raise
        with self._alone():  # the login ran out or was revoked: once more with a new one
            self._log_in(client)
        return question(client)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let one thread log in; those behind it do not each wait for a Vault that hangs."""
        if not self._lock.acquire(timeout=TIMEOUT):
            raise KeeperDown("Vault cannot be reached: a login takes too long.")
        try:
            yield
        finally:
            self._lock.release()

    def _ready(self) -> Client:
        with self._alone():
            if self._client is None:
                self._client = self._connected()
            elif self._renew_at is not None and self._now() >= self._renew_at:
                self._renew(self._client)
            return self._client

    def _connected(self) -> Client:
        import hvac

        client = hvac.Client(
            self._address, token=self._token, timeout=TIMEOUT, allow_redirects=False
        )
        if self._token:
            self._look_up(client)
        else:
            self._log_in(client)
        return client

    def _look_up(self, client: Client) -> None:
        from hvac.exceptions import Forbidden

        try:
            found = client.auth.token.lookup_self()["data"]
        except Forbidden:  # a policy without look-up: the question will show what the token may
            return
        self._note(found["ttl"] if found.get("renewable") else 0)

    def _log_in(self, client: Client) -> None:
        if self._secret_id:
            answer = client.auth.approle.login(self._role, self._secret_id)
        else:
            jwt = self._service_account.read_text(encoding="ascii").strip()
            answer = client.auth.kubernetes.login(self._role, jwt)
        self._note(answer["auth"]["lease_duration"])

    def _renew(self, client: Client) -> None:
        from hvac.exceptions import Forbidden, InvalidRequest

        try:
            self._note(client.auth.token.renew_self()["auth"]["lease_duration"])
        except (Forbidden, InvalidRequest):  # at the end of its life, or not made to be renewed
            if self._token:
                self._renew_at = None
            else:
                self._log_in(client)

    def _note(self, seconds: int) -> None:
        """Plan the renewal at half of the login's life; a life of 0 has no end."""
        self._renew_at = self._now() + max(seconds / 2, 1) if seconds else None


def _explained(error: Any, *, opens: bool) -> ApiError:  # noqa: ANN401  (hvac ships no types)
    """Say what an answer means here; its text is not quoted, it may repeat the request."""
    from hvac import exceptions

    if isinstance(error, (exceptions.Forbidden, exceptions.Unauthorized)):
        return KeeperDown("Vault refuses this server: its login ran out, or a policy forbids it.")
    is_missing = isinstance(error, exceptions.InvalidPath)
    # Of a missing path Vault says nothing more; of a missing engine it does.
    is_gone = isinstance(error, exceptions.InvalidRequest) or (is_missing and not error.errors)
    if opens and is_gone:
        return SecretLost("Vault cannot open the key of this secret any more.")
    if is_missing:
        return KeeperDown("Vault has no engine at VAULT_MOUNT, or no such login.")
    if isinstance(error, exceptions.VaultDown):
        return KeeperDown("Vault is sealed or in maintenance.")
    return KeeperDown(f"Vault cannot do it now: {type(error).__name__}.")
