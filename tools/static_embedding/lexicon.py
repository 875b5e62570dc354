"""Reads the lexicon: words of other languages, and the English ones that mean the same.

A file for each language in lexicon/, of lines `word TAB English words`; `-` in their place means
nothing, as of an article. English spells some words the same: there the English reading counts.

    PYTHONPATH=.:plugin/mcp python -m tools.static_embedding.lexicon TABLE   # puts it into a table
"""

from __future__ import annotations

import sys
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

from claude_memory.store.embedding import plain

from tools.static_embedding import table

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).with_name("lexicon")
FIRST = ("de", "es", "fr", "ja", "ko", "zh")  # decide where languages spell a word alike
NOTHING = "-"
SHORTEST_PLAIN = 4  # letters of a word that is known without its accents as well


def read(tokens: list[str]) -> dict[str, list[int]]:
    """Return the words that are no tokens, each with the numbers of the tokens it stands for."""
    numbers = {token: number for number, token in enumerate(tokens)}
    found: dict[str, list[int]] = {}
    bare: dict[str, list[int]] = {}
    for word, meant in _lines():
        known = [numbers[one] for one in meant if one in numbers][: table.MOST_MEANT]
        if known or meant == [NOTHING]:
            found.setdefault(word, known)
            bare.setdefault(_without_accents(word), known)
    found |= {
        word: known
        for word, known in bare.items()
        if word not in found and len(word) >= SHORTEST_PLAIN
    }
    return {word: known for word, known in found.items() if word not in numbers}


def _lines() -> Iterator[tuple[str, list[str]]]:
    paths = sorted(FOLDER.glob("*.tsv"), key=lambda path: (path.stem not in FIRST, path.stem))
    for path in paths:
        for line in path.read_text(encoding="utf-8").splitlines():
            word, meant = line.split("\t")
            yield unicodedata.normalize("NFKC", word), meant.split()


def _without_accents(word: str) -> str:
    bare = plain(word)
    return bare if bare.isascii() else word


def main(path: Path) -> None:
    """Put the lexicon as it is now into a table, in the place of the one in it."""
    tokens, rows = table.read(path)
    table.write(path, tokens, rows, read(tokens))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
