"""Seals each value with AES-256-GCM under a data key of its own, which a wrapper wraps."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from backend.errors import ApiError, SecretLost
from backend.secrets.envelope import NONCE, Envelope, bound, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from backend.secrets.wrapping import Wrapper

DATA_KEY = 32
SOURCES = {"aes": "encrypted", "vault": "vault", "kms": "kms"}
NOBODY = UUID(int=0)


class EnvelopeKeeper:
    """A Keeper that seals under its first wrapper and opens what any of them wrapped."""

    def __init__(
        self, wrappers: Sequence[Wrapper], random: Callable[[int], bytes] = os.urandom
    ) -> None:
        """Take at least one wrapper; `random` makes data keys and nonces."""
        self._newest = wrappers[0]
        self._wrappers = {wrapper.name: wrapper for wrapper in wrappers}
        self._random = random

    def __repr__(self) -> str:
        """Name the wrappers and nothing they hold."""
        return f"EnvelopeKeeper({', '.join(self._wrappers)})"

    async def seal(self, account: UUID, uid: UUID, clear: str) -> bytes:
        """Return `clear` sealed under a data key that is used once."""
        data_key, nonce = self._random(DATA_KEY), self._random(NONCE)
        wrapped = await self._newest.wrap(account, data_key)
        # A strict encoder would quote the secret in its error.
        text = clear.encode("utf-8", "surrogatepass")
        body = AESGCM(data_key).encrypt(nonce, text, bound(account, uid))
        return Envelope(self._newest.name, wrapped, nonce, body).pack()

    async def open(self, account: UUID, uid: UUID, blob: bytes) -> tuple[str, str]:
        """Return the clear text and who kept it."""
        envelope = parse(blob)
        data_key = await self._data_key(account, envelope)
        clear = _decrypted(data_key, envelope, bound(account, uid))
        if clear is None:
            raise SecretLost("The secret was sealed for another memory, or it was changed.")
        return clear.decode("utf-8", "surrogatepass"), SOURCES[envelope.keeper]

    async def rewrap(self, account: UUID, uid: UUID, blob: bytes) -> bytes:  # noqa: ARG002  (Keeper)
        """Return the envelope with its data key wrapped by the first wrapper's newest key."""
        envelope = parse(blob)
        data_key = await self._data_key(account, envelope)
        wrapped = await self._newest.wrap(account, data_key)
        return replace(envelope, keeper=self._newest.name, wrapped=wrapped).pack()

    def key_id(self, blob: bytes) -> str:
        """Name keeper and key of a sealed secret."""
        envelope = parse(blob)
        return f"{envelope.keeper}:{envelope.wrapped.key_id}"

    async def check(self) -> str:
        """Wrap a key that opens nothing: that proves the way, the login and the right to seal."""
        try:
            await self._newest.wrap(NOBODY, bytes(DATA_KEY))
        except ApiError as error:
            return str(error)
        return ""

    async def _data_key(self, account: UUID, envelope: Envelope) -> bytes:
        wrapper = self._wrappers.get(envelope.keeper)
        if wrapper is None:
            raise SecretLost(f"The secret is kept by {envelope.keeper}, which is not set up here.")
        return await wrapper.unwrap(account, envelope.wrapped)


def _decrypted(data_key: bytes, envelope: Envelope, associated: bytes) -> bytes | None:
    try:
        return AESGCM(data_key).decrypt(envelope.nonce, envelope.body, associated)
    except (InvalidTag, ValueError):  # ValueError: what was unwrapped is no key
        return None
