"""Makes sentences as developers and people say them, in pairs of a fact and a later question."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

HERE = Path(__file__).parent
SLOT = re.compile(r"\{(\w+)\}")
OF_TOOLS = 0.5  # share of the pairs that are about tools


def pairs(chance: random.Random, count: int) -> Iterator[tuple[str, str]]:
    """Yield pairs of a fact and a question that it answers or bears upon."""
    speech = tomllib.loads((HERE / "speech.toml").read_text(encoding="utf-8"))
    kinds = [line.split("\t") for line in _lines("kinds.tsv")]
    topics = [_topic(block) for block in "\n".join(_lines("topics.txt")).split("\n\n")]
    for _ in range(count):
        if chance.random() < OF_TOOLS:
            told, asked = speech["tools"]["told"], speech["tools"]["asked"]
            own = _tool(chance, *chance.choice(kinds))
        else:
            told, asked = chance.choice(topics)
            own = {}
        # What both sides name is the same thing: a slot is filled once for a pair.
        once = {slot: [chance.choice(words)] for slot, words in speech["slots"].items()}
        slots = {**speech["slots"], **once, **own}
        yield (
            _filled(chance, chance.choice(told), slots),
            _filled(chance, chance.choice(asked), slots),
        )


def _lines(name: str) -> list[str]:
    text = (HERE / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if not line.startswith("#")]


def _topic(block: str) -> tuple[list[str], list[str]]:
    told, asked = block.strip().split("\n?\n")
    return told.splitlines(), asked.splitlines()


def _tool(chance: random.Random, kind: str, tools: str, purposes: str) -> dict[str, list[str]]:
    tool, other = chance.sample(tools.split(", "), 2)
    purpose = chance.choice(purposes.split(" | "))
    return {"tool": [tool], "other": [other], "kind": [kind], "purpose": [purpose]}


def _filled(chance: random.Random, text: str, slots: dict[str, list[str]]) -> str:
    filled = SLOT.sub(lambda slot: chance.choice(slots[slot[1]]), text)
    return filled[0].upper() + filled[1:] if text[0] == "{" else filled
