"""Data keys wrapped by Vault or OpenBao, by the engine that is mounted at VAULT_MOUNT.

transit  a key named VAULT_PREFIX that never leaves Vault; the account is the context it is derived
         with. Vault makes the key at the first secret if the policy lets it.
kv       version 2: the data key itself lies in Vault at VAULT_PREFIX/account/digest, written once
         (check-and-set), and the wrapped key is that digest. To destroy it there is to destroy
         the secret.

    path "transit/encrypt/claude-memory" { capabilities = ["create", "update"] }   to seal
    path "transit/decrypt/claude-memory" { capabilities = ["update"] }             to open
    path "secret/data/claude-memory/*"   { capabilities = ["create", "update", "read"] }   for kv
"""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING, Any

from backend.errors import ConfigurationError, KeeperDown, SecretLost
from backend.secrets.wrapping import Wrapped, asked

if TYPE_CHECKING:
    from uuid import UUID

    from backend.secrets.vault_login import VaultLogin

    Client = Any  # hvac ships no types

TRANSIT = re.compile(r"vault:v[1-9][0-9]{0,8}:[A-Za-z0-9+/=]+")
PLACE = re.compile(r"[A-Za-z0-9_./-]{3,255}")
DIGEST = re.compile(r"[0-9a-f]{64}")


class VaultWrapper:
    """A Wrapper whose keys lie in Vault."""

    name = "vault"

    def __init__(self, login: VaultLogin, *, mount: str, prefix: str) -> None:
        """Take the way to Vault, the engine's mount and the name of what is ours there.

        Raises:
            ConfigurationError: mount or name hold what cannot stand in a path, or are too long.
        """
        self._login, self._mount, self._prefix = login, mount.strip("/"), prefix.strip("/")
        self._key_id = f"{self._mount}/{self._prefix}"
        if PLACE.fullmatch(self._key_id) is None:
            raise ConfigurationError(
                "VAULT_MOUNT and VAULT_PREFIX take letters, digits and _ . / - and no more than "
                "255 of them."
            )
        self._engine = ""

    async def wrap(self, account: UUID, data_key: bytes) -> Wrapped:
        """Wrap a data key with the engine that is there."""
        data = await asked(self._wrap, account, data_key)
        return Wrapped(self._key_id, data.encode("ascii"))

    async def unwrap(self, account: UUID, wrapped: Wrapped) -> bytes:
        """Return the data key, by the engine that wrapped it."""
        if wrapped.key_id != self._key_id:
            raise SecretLost(
                f"The secret is kept in Vault at {wrapped.key_id}, but VAULT_MOUNT and "
                f"VAULT_PREFIX say {self._key_id}.",
                fix=SecretLost.unset,
            )
        data = wrapped.data.decode("ascii", "replace")
        if TRANSIT.fullmatch(data):
            return await asked(self._decrypt, account, data)
        if DIGEST.fullmatch(data):
            return await asked(self._read, account, data)
        raise SecretLost("The wrapped key of this secret is damaged.")

    def _wrap(self, account: UUID, data_key: bytes) -> str:
        self._engine = self._engine or self._login.ask(self._look_up)
        if self._engine == "transit":
            return self._encrypt(account, data_key)
        if self._engine == "kv 2":
            return self._write(account, data_key)
        raise KeeperDown(
            f"The engine at VAULT_MOUNT is {self._engine!r}; transit or kv of version 2 is needed."
        )

    def _look_up(self, client: Client) -> str:
        # Any token that may use the mount may ask this.
        found = client.adapter.get(f"/v1/sys/internal/ui/mounts/{self._mount}")["data"]
        version = (found.get("options") or {}).get("version", "")
        return f"{found['type']} {version}".strip()

    def _encrypt(self, account: UUID, data_key: bytes) -> str:
        def ask(client: Client) -> str:
            answer = client.secrets.transit.encrypt_data(
                self._prefix,
                plaintext=base64.b64encode(data_key).decode(),
                context=_context(account),
                mount_point=self._mount,
            )
            return str(answer["data"]["ciphertext"])

        return self._login.ask(ask)

    def _decrypt(self, account: UUID, ciphertext: str) -> bytes:
        def ask(client: Client) -> bytes:
            answer = client.secrets.transit.decrypt_data(
                self._prefix,
                ciphertext=ciphertext,
                context=_context(account),
                mount_point=self._mount,
            )
            return base64.b64decode(answer["data"]["plaintext"])

        return self._login.ask(ask, opens=True)

    def _write(self, account: UUID, data_key: bytes) -> str:
        from hvac.exceptions import InvalidRequest

        digest = hashlib.sha256(data_key).hexdigest()
        value = {"key": base64.b64encode(data_key).decode()}

        def ask(client: Client) -> str:
            kv = client.secrets.kv.v2
            path = self._path(account, digest)
            try:
                kv.create_or_update_secret(path, value, cas=0, mount_point=self._mount)
            except InvalidRequest as error:
                # Its own digest is its name: what lies there already is this key.
                if "check-and-set" not in str(error):
                    raise
            return digest

        return self._login.ask(ask)

    def _read(self, account: UUID, digest: str) -> bytes:
        def ask(client: Client) -> bytes:
            answer = client.secrets.kv.v2.read_secret_version(
                self._path(account, digest),
                version=1,
                mount_point=self._mount,
                raise_on_deleted_version=True,
            )
            return base64.b64decode(answer["data"]["data"]["key"])

        data_key = self._login.ask(ask, opens=True)
        if hashlib.sha256(data_key).hexdigest() != digest:
            raise SecretLost("The key of this secret was changed in Vault.")
        return data_key

    def _path(self, account: UUID, digest: str) -> str:
        return f"{self._prefix}/{account}/{digest}"


def _context(account: UUID) -> str:
    return base64.b64encode(account.bytes).decode()
