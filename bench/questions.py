"""What recall is asked for: people, what they keep, what they type, and which memories answer it.

Our own set lies in bench/evaluation. Other conversations come from a folder that somebody names:
JSON files with `corpora`, each with `memories` by granularity and `queries` with `gold`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

EVALUATION = Path(__file__).resolve().parent / "evaluation"
SPLITS = ("dev", "test")
NONE = "none"  # the kind of prompts for which nothing should be given
PRESENT = "2026-10-01T09:00:00Z"  # when everything is asked
SUBJECTS = {"locomo": ("turn", "obs"), "beam": ("turn",)}  # by the start of a file's name


@dataclass(frozen=True)
class Note:
    """One memory as it is stored."""

    id: str
    content: str
    session: str
    category: str = "facts"
    tags: str = ""
    scope: str = "global"
    project: str = ""
    created_at: str = ""
    supersedes: str = ""


@dataclass(frozen=True)
class Prompt:
    """What somebody types, where, and the ids of the memories that it needs."""

    id: str
    kind: str
    text: str
    project: str
    gold: frozenset[str]


@dataclass(frozen=True)
class Person:
    """One store: its memories in the order of storing, and what is asked of it."""

    name: str
    group: str  # what the figures are told apart by
    notes: tuple[Note, ...]
    prompts: tuple[Prompt, ...]


def own(split: str) -> list[Person]:
    """Return the people of one half of our own set."""
    folder = EVALUATION / split
    names = sorted(path.name.split(".")[0] for path in folder.glob("*.memories.jsonl"))
    return [_own_person(folder, name, split) for name in names]


def others(folder: Path) -> list[Person]:
    """Return the conversations that lie in a folder, one person for each granularity."""
    return [
        _other_person(corpus, path.stem, granularity)
        for path in sorted(folder.glob("*.json"))
        for corpus in json.loads(path.read_text(encoding="utf-8"))["corpora"]
        for granularity in SUBJECTS.get(path.stem.split("-")[0], ())
    ]


def _own_person(folder: Path, name: str, split: str) -> Person:
    notes = tuple(_own_note(line) for line in _lines(folder / f"{name}.memories.jsonl"))
    prompts = tuple(_own_prompt(line) for line in _lines(folder / f"{name}.prompts.jsonl"))
    return Person(name, split, notes, prompts)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def _own_note(line: dict[str, Any]) -> Note:
    return Note(
        id=line["id"],
        content=line["content"],
        session=line["session"],
        category=line["category"],
        tags=",".join(line["tags"]),
        scope=line["scope"],
        project=line["project"],
        created_at=line["created_at"],
        supersedes=line["supersedes"] or "",
    )


def _own_prompt(line: dict[str, Any]) -> Prompt:
    return Prompt(line["id"], line["kind"], line["text"], line["project"], frozenset(line["gold"]))


def _other_person(corpus: dict[str, Any], file: str, granularity: str) -> Person:
    notes = tuple(
        Note(
            id=str(memory["id"]),
            content=memory["text"],
            session=f"{corpus['id']}-{memory['session']}",
            created_at=memory["date"] or "",
        )
        for memory in corpus["memories"][granularity]
    )
    prompts = tuple(
        Prompt(query["id"], query["category"], query["text"], "", frozenset(map(str, gold)))
        for query in corpus["queries"]
        if (gold := query["gold"].get(granularity))
    )
    return Person(f"{file} {corpus['id']}", f"{file} {granularity}", notes, prompts)
