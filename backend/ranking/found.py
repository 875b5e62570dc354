"""What the ranking reads of a memory and of a term: the backend's side of the copied modules."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from backend.ranking.terms import Term


class Memory(Protocol):
    """A memory as it is ranked."""

    @property
    def no(self) -> int:
        """Its number."""

    @property
    def content(self) -> str:
        """Its text."""

    @property
    def tags(self) -> str:
        """Its tags."""

    @property
    def expanded_keywords(self) -> str:
        """Words that are only searched."""

    @property
    def importance(self) -> float:
        """From 0 to 1."""

    @property
    def created_at(self) -> str:
        """When it was stored, in UTC."""

    @property
    def session(self) -> str:
        """Where it was stored, or nothing."""

    @property
    def session_seq(self) -> int:
        """Its place there."""


class Posting(NamedTuple):
    """How many memories hold a term."""

    term: Term
    df: int


class Hit(NamedTuple):
    """A memory that was found, and the asked words that it holds."""

    memory: Memory
    score: float
    matched: tuple[str, ...]
