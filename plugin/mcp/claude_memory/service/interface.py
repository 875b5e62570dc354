"""What a tool can ask for, whatever the mode: the requests, the answers, the Protocols."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from claude_memory.memory import Memory


@dataclass(frozen=True)
class NewMemory:
    """A fact to keep, as someone said it: not yet checked, not yet redacted."""

    content: str
    category: str = "facts"
    tags: str = ""
    importance: float = 0.5
    expanded_keywords: str = ""
    force_sensitive: bool = False
    scope: str = "global"
    supersedes: str = ""
    expires_at: str = ""
    source: str = "model"
    project: str | None = None  # None: the project of this session
    session: str | None = None  # None: this session
    created_at: str = ""  # empty: now; imports keep the time they bring


@dataclass(frozen=True)
class Stored:
    """What became of a NewMemory."""

    memory: Memory
    outcome: str  # stored | already (the same text is kept once)
    twin: Memory | None = None  # very like this one, and left alone
    superseded: Memory | None = None
    kinds: tuple[str, ...] = ()  # what was redacted
    secret_kept: bool = False
    notes: tuple[str, ...] = ()  # sentences for the user


@dataclass(frozen=True)
class Question:
    """A recall: words that matter (`context`) and words that may help (`expanded_query`)."""

    context: str
    expanded_query: str = ""
    category: str = ""
    limit: int = 10
    sort_by: str = "relevance"
    scope: str = ""  # empty: global plus this project; global | project | all
    explain: bool = False  # tell in the notes why each memory was found


@dataclass(frozen=True)
class Found:
    """The memories that answer a Question, best first."""

    memories: tuple[Memory, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Page:
    """What to list, newest first."""

    category: str = ""
    tag: str = ""
    limit: int = 20
    scope: str = ""


@dataclass(frozen=True)
class Edit:
    """Changes to one memory; None leaves a field as it is."""

    id: str
    content: str | None = None
    category: str | None = None
    tags: str | None = None
    importance: float | None = None
    expanded_keywords: str | None = None
    expires_at: str | None = None
    review: str = ""  # accept | reject
    restore: bool = False


@dataclass(frozen=True)
class Edited:
    """The memory after an edit and a sentence on what changed."""

    memory: Memory | None
    sentence: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Deleted:
    """One deleted memory: its label, from where the text is gone, and the uid that it had."""

    label: str
    sentence: str
    uid: str = ""


@dataclass(frozen=True)
class Status:
    """The state of the memory, ready to show: a headline and labelled lines."""

    lines: tuple[tuple[str, str], ...]
    attention: tuple[str, ...] = ()


class MemoryService(Protocol):
    """Stores, finds, lists, changes and deletes memories."""

    def store(self, new: NewMemory) -> Stored:
        """Keep a fact; durable when it returns."""

    def recall(self, question: Question) -> Found:
        """Find what fits the question."""

    def list_newest(self, page: Page) -> Found:
        """Return the newest memories first."""

    def update(self, edit: Edit) -> Edited:
        """Change, restore, accept or reject one memory."""

    def delete(self, ids: tuple[str, ...], *, purge: bool) -> tuple[Deleted, ...]:
        """Delete memories, so that they can be undone, or for good."""


class StatusService(Protocol):
    """Tells how the memory is doing, and opens sensitive memories."""

    def status(self) -> Status:
        """Return mode, counts and everything that needs a person."""

    def open_secret(self, memory_id: str) -> str:
        """Return the clear text of a sensitive memory; the access is recorded."""


class Service(MemoryService, StatusService, Protocol):
    """All that tools ask for."""
