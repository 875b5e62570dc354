"""What each part of the ranking earns: recall without it, asked the same."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from claude_memory.store import copies, ranking, recall

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from bench.filled import Filled
    from bench.questions import Prompt
    from bench.stages import Find

    Changes = tuple[tuple[ModuleType, str, Any], ...]

WITHOUT = "without "
NOBODY = "SELECT 0, 0 LIMIT 0"
# A part, and what the constants of the plugin are where it is missing.
PARTS: dict[str, Changes] = {
    "neighbours": ((ranking, "NEIGHBOURS", ()),),
    "meaning": ((ranking, "MEANING", 0.0), (recall, "LEAST_ALIKE", 2.0)),
    "trust": ((ranking, "SCARCE", 1.0),),
    "names": ((ranking, "NAME", 0.0),),
    "every word first": ((ranking, "EVERY_WORD", 0.0),),
    "recency": ((ranking, "RECENCY", 0.0),),
    "successors": ((recall, "HEIRS", NOBODY),),
    "few copies": ((copies, "LESS", 1.0),),
}


def stages(filled: Filled) -> dict[str, Find]:
    """Return recall without each of its parts, by name."""
    return {f"{WITHOUT}{part}": _without(filled, changes) for part, changes in PARTS.items()}


def _without(filled: Filled, changes: Changes) -> Find:
    def find(prompt: Prompt, limit: int) -> list[int]:
        with ExitStack() as kept:
            for change in changes:
                kept.enter_context(_changed(*change))
            return filled.recall(prompt, limit)

    return find


@contextmanager
def _changed(module: ModuleType, name: str, value: object) -> Iterator[None]:
    usual = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, usual)
