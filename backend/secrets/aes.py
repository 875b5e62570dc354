"""Data keys wrapped with AES-256-GCM under a key of the server's own, by `cryptography`.

    wrapped = nonce (12 bytes) | encrypted data key (32) | tag (16)

The key is 64 hex digits, or comes from a passphrase through scrypt. The salt is no secret, but all
replicas need the same one: it lies in the database.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from anyio import Lock, to_thread
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from backend.errors import ConfigurationError, SecretLost
from backend.secrets.wrapping import Wrapped

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from uuid import UUID

    # Keeps bytes under a name for ever; gives back what was kept first, whoever asked.
    Keep = Callable[[str, bytes], Awaitable[bytes]]

HEX_KEY = re.compile(r"[0-9a-fA-F]{64}")
NONCE = 12
SALT = 16
SALT_NAME = "aes-salt"
SHORTEST = 8  # characters of a passphrase
# OWASP's recommendation for scrypt at 32 MiB, so that a worker stays small; about 0.2 s, once.
WORK, BLOCK, PARALLEL = 2**15, 8, 3
MEMORY = 48 * 2**20


@dataclass(frozen=True, repr=False)
class Key:
    """A key and its public id."""

    id: str
    secret: bytes


class AesWrapper:
    """A Wrapper whose keys come from the server's settings."""

    name = "aes"

    def __init__(
        self,
        secrets: Sequence[str],
        keep: Keep,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        """Take the present key or passphrase and then earlier ones, which only unwrap.

        Raises:
            ConfigurationError: a passphrase is too short.
        """
        if any(len(secret) < SHORTEST for secret in secrets):
            raise ConfigurationError(
                f"MEMORY_ENCRYPTION_KEY, or the one in MEMORY_ENCRYPTION_KEY_PREVIOUS, is shorter "
                f"than {SHORTEST} characters. Make one with: openssl rand -hex 32"
            )
        self._secrets, self._keep, self._random = secrets, keep, random
        self._keys: tuple[Key, ...] = ()
        self._lock = Lock()

    async def wrap(self, account: UUID, data_key: bytes) -> Wrapped:
        """Wrap a data key under the first of the keys."""
        key = (await self.keys())[0]
        nonce = self._random(NONCE)
        body = AESGCM(key.secret).encrypt(nonce, data_key, _bound(key, account))
        return Wrapped(key.id, nonce + body)

    async def unwrap(self, account: UUID, wrapped: Wrapped) -> bytes:
        """Return the data key, if its wrapping key is among the settings."""
        for key in await self.keys():
            if key.id == wrapped.key_id:
                data_key = _decrypted(key, wrapped.data, _bound(key, account))
                if data_key is None:
                    raise SecretLost("The secret was sealed for another account, or was changed.")
                return data_key
        raise SecretLost(
            f"The secret needs the encryption key {wrapped.key_id}. If the operator has it still, "
            "it belongs into MEMORY_ENCRYPTION_KEY_PREVIOUS.",
            fix=SecretLost.unset,
        )

    async def keys(self) -> tuple[Key, ...]:
        """Return the present key and then earlier ones; the first time, they are derived."""
        async with self._lock:  # scrypt takes its memory once, however many wait
            if not self._keys:
                self._keys = tuple([await self._key(secret) for secret in self._secrets])
        return self._keys

    async def _key(self, secret: str) -> Key:
        if HEX_KEY.fullmatch(secret):
            return _named(bytes.fromhex(secret))
        salt = await self._keep(SALT_NAME, self._random(SALT))
        return _named(await to_thread.run_sync(_from_passphrase, secret, salt))


def _from_passphrase(passphrase: str, salt: bytes) -> bytes:
    text = passphrase.encode("utf-8", "surrogateescape")
    return hashlib.scrypt(text, salt=salt, n=WORK, r=BLOCK, p=PARALLEL, maxmem=MEMORY, dklen=32)


def _named(secret: bytes) -> Key:
    return Key(hashlib.sha256(b"claude-memory key id" + secret).hexdigest()[:16], secret)


def _bound(key: Key, account: UUID) -> bytes:
    return f"claude-memory data key 1 {key.id} ".encode() + account.bytes


def _decrypted(key: Key, data: bytes, associated: bytes) -> bytes | None:
    try:
        return AESGCM(key.secret).decrypt(data[:NONCE], data[NONCE:], associated)
    except (InvalidTag, ValueError):  # ValueError: shorter than a nonce
        return None
