"""Reads the invented people that training learns from: what they keep, and what they ask.

tools/training/README.md tells the form of a file. Nobody of the evaluation set is among them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).with_name("training")
WORK, LIVES = "people", "lives"  # folders: at coding work, and in everyday life
UNANSWERED = "unanswered"  # about own work, of which nothing was kept
GENERAL = ("general", "pointing")  # would be answered alike for everybody, or by what is on screen
EVERYWHERE = "*"
NEWLINE = "\\n"  # as it stands in a line


@dataclass(frozen=True)
class Memory:
    """One memory: its number, where it holds, its text, and the number of the one it replaces."""

    number: int
    project: str
    category: str
    replaces: int
    content: str


@dataclass(frozen=True)
class Prompt:
    """What somebody types, where, and the numbers of the memories that it needs."""

    kind: str
    project: str
    gold: tuple[int, ...]
    text: str


@dataclass(frozen=True)
class Person:
    """Somebody's memories in the order of storing, and prompts."""

    name: str
    memories: tuple[Memory, ...]
    prompts: tuple[Prompt, ...]

    def live(self) -> list[Memory]:
        """Return the memories whose place no other one took."""
        replaced = {one.replaces for one in self.memories}
        return [one for one in self.memories if one.number not in replaced]


def read(folder: str) -> list[Person]:
    """Return the people of a folder, by their names."""
    return [_person(path) for path in sorted((FOLDER / folder).glob("*.tsv"))]


def _person(path: Path) -> Person:
    memories, prompts = [], []
    for kind, *fields, text in _lines(path):
        plain = text.replace(NEWLINE, "\n")
        if kind == "M":
            number, project, _, category, _, replaces = fields
            memories.append(Memory(int(number), project, category, int(replaces or 0), plain))
        else:
            asked, project, gold = fields
            numbers = tuple(int(one) for one in gold.split(",") if one)
            prompts.append(Prompt(asked, project, numbers, plain))
    return Person(path.stem, tuple(memories), tuple(prompts))


def _lines(path: Path) -> Iterator[list[str]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        yield line.split("\t")
