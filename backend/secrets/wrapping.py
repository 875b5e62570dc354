"""What wraps the data keys of sealed secrets: the one thing that AES, Vault and KMS differ in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar, TypeVarTuple

from anyio import CapacityLimiter, to_thread

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

Found = TypeVar("Found")
Given = TypeVarTuple("Given")

# Threads of their own: nothing else that needs one waits for a keeper that hangs.
THREADS = CapacityLimiter(40)
VERSION = re.compile(rb"vault:(v[1-9][0-9]{0,8}):")


@dataclass(frozen=True)
class Wrapped:
    """A data key that only its wrapper can unwrap; safe to write anywhere."""

    key_id: str
    data: bytes

    @property
    def key(self) -> str:
        """Name the key and, where what it wrapped tells it as Vault's does, its version."""
        told = VERSION.match(self.data)
        return f"{self.key_id}:{told[1].decode()}" if told else self.key_id


class Wrapper(Protocol):
    """Wraps data keys for an account under a key of its own.

    Wrapping needs no right to unwrap: whoever stores secrets need not be able to read any.
    """

    name: str

    async def wrap(self, account: UUID, data_key: bytes) -> Wrapped:
        """Wrap a data key under the newest key.

        Raises:
            KeeperDown: it cannot be wrapped now; later may work.
        """

    async def unwrap(self, account: UUID, wrapped: Wrapped) -> bytes:
        """Return the data key that was wrapped for `account`.

        Raises:
            KeeperDown: it cannot be unwrapped now; later may work.
            SecretLost: it was wrapped for another account or by a key that is gone, or is damaged.
        """


async def asked(question: Callable[[*Given], Found], *given: *Given) -> Found:
    """Return what a keeper answers to a question that blocks."""
    return await to_thread.run_sync(question, *given, limiter=THREADS)
