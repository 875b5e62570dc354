"""Marks by which an operation that holds a secret is known when it comes again.

Whoever steals the database must not be able to try passwords on them. Where the server has a key of
its own, a mark is made with that, at once:

    mark = key id (8 bytes) | HMAC-SHA256, its first 16 bytes

Vault and KMS lend no key. With those alone a mark is 16 bytes of scrypt, made slowly.
"""

from __future__ import annotations

import hashlib
import hmac
from functools import partial
from typing import TYPE_CHECKING

from anyio import CapacityLimiter, to_thread

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from uuid import UUID

    from backend.secrets.aes import Key

    Keys = Callable[[], Awaitable[Sequence[Key]]]

SIZE = 16  # bytes
PURPOSE = b"claude-memory mark of a request"  # the key seals as well
SLOWLY = {"n": 2**14, "r": 8, "p": 1, "dklen": SIZE}  # scrypt: 16 MiB and some 40 ms
ONE_BY_ONE = CapacityLimiter(1)


def plain(text: str) -> bytes:
    """Return the mark of an operation that holds no secret."""
    return hashlib.blake2b(text.encode(), digest_size=SIZE).digest()


class Marks:
    """Makes marks with the first of the server's keys, or slowly where there are none."""

    def __init__(self, keys: Keys | None = None) -> None:
        """Take what gives the keys, the present one first."""
        self._keys = keys

    async def make(self, op_id: UUID, text: str) -> bytes:
        """Return the mark of an operation; that of another with the same text is another one."""
        keys = await self._keys() if self._keys else ()
        return _keyed(keys[0], op_id, text) if keys else await _slow(op_id, text)

    async def again(self, op_id: UUID, text: str, recorded: bytes) -> bytes:
        """Return the mark in the form of one that was recorded before.

        One whose key is gone cannot be made anew: that one is taken for it.
        """
        if len(recorded) == SIZE:
            mark = plain(text)  # it was no secret to the server then
            return mark if mark == recorded else await _slow(op_id, text)
        for key in await self._keys() if self._keys else ():
            if recorded.startswith(bytes.fromhex(key.id)):
                return _keyed(key, op_id, text)
        return recorded


def _keyed(key: Key, op_id: UUID, text: str) -> bytes:
    own = hmac.digest(key.secret, PURPOSE, "sha256")
    return bytes.fromhex(key.id) + hmac.digest(own, op_id.bytes + text.encode(), "sha256")[:SIZE]


async def _slow(op_id: UUID, text: str) -> bytes:
    slowly = partial(hashlib.scrypt, text.encode(), salt=op_id.bytes, **SLOWLY)
    return await to_thread.run_sync(slowly, limiter=ONE_BY_ONE)
