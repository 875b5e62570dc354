"""Seals each value with AES-256-GCM under a data key of its own, which a wrapper wraps."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from backend.errors import ApiError, SecretLost
from backend.secrets.bundle import join, split
from backend.secrets.envelope import NONCE, Envelope, bound, parse
from backend.secrets.marks import Marks
from backend.tracing import part

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from backend.secrets.marks import Keys
    from backend.secrets.wrapping import Wrapped, Wrapper

DATA_KEY = 32
PRESENT = 60.0  # seconds for which the key that wraps is taken to be the same
SOURCES = {"aes": "encrypted", "vault": "vault", "kms": "kms"}
NOBODY = UUID(int=0)


class EnvelopeKeeper:
    """A Keeper that seals under its first wrapper and opens what any of them wrapped."""

    def __init__(
        self,
        wrappers: Sequence[Wrapper],
        random: Callable[[int], bytes] = os.urandom,
        keys: Keys | None = None,
    ) -> None:
        """Take at least one wrapper; `random` makes data keys and nonces, `keys` are for marks."""
        self.marks = Marks(keys)
        self._newest = wrappers[0]
        self._wrappers = {wrapper.name: wrapper for wrapper in wrappers}
        self._random = random
        self._present, self._present_until = "", 0.0

    def __repr__(self) -> str:
        """Name the wrappers and nothing they hold."""
        return f"EnvelopeKeeper({', '.join(self._wrappers)})"

    async def seal(self, account: UUID, uid: UUID, clear: str) -> bytes:
        """Return `clear` sealed under a data key that is used once."""
        data_key, nonce = self._random(DATA_KEY), self._random(NONCE)
        wrapped = await self._wrap(account, data_key)
        # A strict encoder would quote the secret in its error.
        text = clear.encode("utf-8", "surrogatepass")
        body = AESGCM(data_key).encrypt(nonce, text, bound(account, uid))
        return Envelope(self._newest.name, wrapped, nonce, body).pack()

    async def open(self, account: UUID, uid: UUID, blob: bytes) -> tuple[str, str]:
        """Return the clear text and who kept it; of several seals, a line each."""
        opened = [await self._open(account, one.uid, one.seal) for one in split(blob, uid)]
        return "\n".join(clear for clear, _ in opened), opened[0][1]

    async def _open(self, account: UUID, uid: UUID, seal: bytes) -> tuple[str, str]:
        envelope = parse(seal)
        data_key = await self._data_key(account, envelope)
        clear = _decrypted(data_key, envelope, bound(account, uid))
        if clear is None:
            raise SecretLost("The secret was sealed for another memory, or it was changed.")
        return clear.decode("utf-8", "surrogatepass"), SOURCES[envelope.keeper]

    async def rewrap(self, account: UUID, uid: UUID, blob: bytes) -> bytes:
        """Return the seals with their data keys wrapped by the first wrapper's newest key."""
        fresh = [
            replace(one, seal=await self._rewrap(account, one.seal)) for one in split(blob, uid)
        ]
        value, _ = join(fresh)
        assert value is not None  # noqa: S101  (there is at least one)
        return value

    async def _rewrap(self, account: UUID, seal: bytes) -> bytes:
        envelope = parse(seal)
        if _key(envelope.keeper, envelope.wrapped) == await self._present_key():
            return seal
        data_key = await self._data_key(account, envelope)
        wrapped = await self._wrap(account, data_key)
        return replace(envelope, keeper=self._newest.name, wrapped=wrapped).pack()

    def key_id(self, blob: bytes) -> str:
        """Name keeper and key of a sealed secret; of several seals, of the first."""
        envelope = parse(split(blob, NOBODY)[0].seal)
        return _key(envelope.keeper, envelope.wrapped)

    async def _present_key(self) -> str:
        """Name the key that wraps now; it is asked for anew once in a while."""
        if time.monotonic() >= self._present_until:
            wrapped = await self._wrap(NOBODY, bytes(DATA_KEY))
            self._present = _key(self._newest.name, wrapped)
            self._present_until = time.monotonic() + PRESENT
        return self._present

    async def check(self) -> str:
        """Wrap a key that opens nothing: that proves the way, the login and the right to seal."""
        try:
            await self._wrap(NOBODY, bytes(DATA_KEY))
        except ApiError as error:
            return str(error)
        return ""

    async def _data_key(self, account: UUID, envelope: Envelope) -> bytes:
        wrapper = self._wrappers.get(envelope.keeper)
        if wrapper is None:
            message = f"The secret is kept by {envelope.keeper}, which is not set up here."
            raise SecretLost(message, fix=SecretLost.unset)
        with part(f"keeper {wrapper.name} unwrap"):
            return await wrapper.unwrap(account, envelope.wrapped)

    async def _wrap(self, account: UUID, data_key: bytes) -> Wrapped:
        with part(f"keeper {self._newest.name} wrap"):
            return await self._newest.wrap(account, data_key)


def _key(keeper: str, wrapped: Wrapped) -> str:
    return f"{keeper}:{wrapped.key}"


def _decrypted(data_key: bytes, envelope: Envelope, associated: bytes) -> bytes | None:
    try:
        return AESGCM(data_key).decrypt(envelope.nonce, envelope.body, associated)
    except (InvalidTag, ValueError):  # ValueError: what was unwrapped is no key
        return None
