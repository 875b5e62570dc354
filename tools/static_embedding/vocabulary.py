"""Chooses the tokens of the table: the teacher's own, and whole words that developers use."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from claude_memory.store.embedding import names, plain

if TYPE_CHECKING:
    from collections.abc import Iterable

SIZE = 28_000  # with rows of 256 bytes, and the lexicon, the file stays below eight megabytes
KNOWN_BY_ALL = 15_000  # of the teacher's tokens are kept also where the text here lacks them
PLAIN = re.compile(r"(?:##)?[a-z0-9]+")
SEEN = 4  # times a word of our own is there at least
OWN_WORD = re.compile(r"[a-z][a-z0-9]{2,23}")


def chosen(teachers: Iterable[str], texts: Iterable[str]) -> list[str]:
    """Return the tokens, the most frequent first: their rows then share pages of the file."""
    counts = Counter(plain(name).lower() for text in texts for name in names(text))
    plain = [token for token in teachers if PLAIN.fullmatch(token)]
    known = set(plain)
    own = [
        word
        for word, count in counts.most_common()
        if count >= SEEN and word not in known and OWN_WORD.fullmatch(word)
    ]
    kept = [
        token
        for place, token in enumerate(plain)
        if place < KNOWN_BY_ALL or counts[token] or token.startswith("##")
    ]
    kept += own[: SIZE - len(kept)]
    # The teacher's list is sorted by how frequent a token was where it learned.
    place = {token: number for number, token in enumerate(plain)}
    return sorted(kept, key=lambda token: (-counts[token], place.get(token, SIZE), token))
