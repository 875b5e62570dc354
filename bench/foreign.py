"""Memories that nobody asks for: made-up text of real words, as many as a store may collect.

A chain of word pairs learnt from other people's memories writes them, so they share vocabulary
with what is asked but answer nothing.
"""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

from claude_memory import paths
from claude_memory.memory import CATEGORIES, Draft, moment
from claude_memory.store import memories
from claude_memory.store.connection import open_store, write

from bench.corpus import SEED
from bench.questions import PRESENT

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from pathlib import Path

SHORTEST, LONGEST = 8, 45  # words
PER_SESSION = 20
START, END = "", ""
BEFORE_PRESENT = timedelta(days=400)
BETWEEN = timedelta(minutes=15)


class Chain:
    """Which words follow which in some texts."""

    def __init__(self, texts: Iterable[str]) -> None:
        """Learn the pairs of neighbouring words."""
        self._after: defaultdict[str, list[str]] = defaultdict(list)
        self._chance = random.Random(SEED)
        for text in texts:
            words = text.split()
            for word, following in zip([START, *words], words, strict=False):
                self._after[word].append(following)

    def text(self) -> str:
        """Write one text; where nothing follows a word, a new sentence begins."""
        wanted = self._chance.randint(SHORTEST, LONGEST)
        words: list[str] = []
        word = START
        while len(words) < wanted:
            word = self._chance.choice(self._after.get(word) or self._after[START])
            words.append(word)
        return " ".join(words)


def fill(home: Path, texts: Iterable[str], count: int) -> None:
    """Put so many foreign memories, which every project sees, into the store of a data folder."""
    chain, chance = Chain(texts), random.Random(SEED)
    connection = open_store(paths.database(str(home)))
    try:
        with write(connection, durable=False):
            for number in range(count):
                _put(connection, number, chain.text(), chance.choice(CATEGORIES))
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()


def _put(connection: sqlite3.Connection, number: int, content: str, category: str) -> None:
    draft = Draft(
        content=content,
        category=category,
        tags="",
        expanded_keywords="",
        importance=0.5,
        is_sensitive=False,
        scope="global",
        project="",
        session=f"foreign-{number // PER_SESSION}",
        source="model",
        supersedes="",
        expires_at="",
    )
    at = moment(PRESENT) - BEFORE_PRESENT + number * BETWEEN
    memories.add(connection, draft, at, seq=number % PER_SESSION + 1)
