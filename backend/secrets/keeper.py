"""What a keeper of secrets is, as the rest of the server sees it.

A sealed secret is opaque bytes for one memory of one account. Text is never kept otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from uuid import UUID

    from backend.secrets.marks import Marks


class Keeper(Protocol):
    """Seals the secrets of memories and opens them again.

    No message, `repr` or log of a keeper ever holds a key, a token or a secret. It must not be
    asked while an account is locked: it may take seconds to answer.
    """

    marks: Marks  # by which an operation that holds a secret is known again

    async def seal(self, account: UUID, uid: UUID, clear: str) -> bytes:
        """Return `clear` sealed for the memory `uid` of `account`.

        Raises:
            KeeperDown: it cannot be sealed now; later may work.
        """

    async def open(self, account: UUID, uid: UUID, blob: bytes) -> tuple[str, str]:
        """Return the clear text, and who kept it: `encrypted`, `vault` or `kms`.

        Raises:
            KeeperDown: it cannot be opened now; later may work.
            SecretLost: it was sealed for another memory or by a key that is gone, or is damaged.
        """

    async def rewrap(self, account: UUID, uid: UUID, blob: bytes) -> bytes:
        """Return the same sealed value under the newest key, without looking at the value.

        What is under it already comes back as it is, and its key is not asked to open it.

        Raises:
            KeeperDown: it cannot be done now; later may work.
            SecretLost: the key that sealed it is gone, or the envelope is damaged.
        """

    def key_id(self, blob: bytes) -> str:
        """Name the key that sealed this, such as `aes:0f1e2d3c4b5a6978`.

        Raises:
            SecretLost: this is no sealed secret.
        """

    async def check(self) -> str:
        """Return an empty text, or what is wrong with the keeper of new secrets; never raises.

        Asked every few minutes it also keeps a login that can be renewed from running out.
        """
