"""What a secret keeper is: the Protocol, and the value it hands back."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Sealed(NamedTuple):
    """A secret that only its keeper can open, bound to one memory; safe to write anywhere."""

    keeper: str
    key_id: str
    blob: bytes


class Keeper(Protocol):
    """Seals the secrets of a memory and opens them again.

    No message, `repr` or log of a keeper ever holds a key, a token or a secret.
    """

    @property
    def name(self) -> str:
        """Name the keeper, as `Sealed.keeper` does."""

    def seal(self, uid: str, clear: str) -> Sealed:
        """Keep `clear` for the memory `uid`.

        Raises:
            KeeperUnavailable: it cannot be kept now; later may work.
            KeeperRefused: it will not be kept before a person changes something.
        """

    def open(self, uid: str, sealed: Sealed) -> str:
        """Return the clear text that was sealed for the memory `uid`.

        Raises:
            KeeperUnavailable: the keeper does not answer; later may work.
            KeeperRefused: the seal was made for another memory or by another key, or is damaged.
        """

    def forget(self, uid: str, sealed: Sealed) -> None:
        """Destroy what the keeper itself holds of the memory `uid`; doing it twice is no error.

        Raises:
            KeeperUnavailable: the keeper does not answer; later may work.
            KeeperRefused: the keeper does not allow it.
        """

    def check(self) -> str:
        """Return an empty text, or what is wrong and how to repair it; never raises."""
