"""What PostgreSQL's own parser does not see in a text, and how it is asked for a term.

To it `fetchUser` is one word, and so are `config.yaml` and a whole Chinese sentence. What it misses
is written beside a memory when it is stored, and asked for in the same way when it is recalled.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from backend.ranking import words
from backend.ranking.terms import NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backend.ranking.terms import Term

EDITION = "1"  # of what is written beside a memory; another one is written anew in the background
# Where a name of ASCII letters may be cut, or a language ends: else no word is missing. It begins
# with one class of signs, none of which most texts have, so those are skipped at once.
CUT = re.compile(
    r"[A-Z0-9+#](?:(?<=[a-z][A-Z])|(?<=[A-Za-z][0-9])|(?<=[0-9])(?=[A-Za-z])"
    r"|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[+#]))"
)
JOINED = re.compile(r"[.\-/:\\@](?<=\w.)[.\-/:\\@]{0,2}\w")  # at `_` the parser cuts by itself
VERSION = re.compile(r"v(\d+(?:\.\d+)+)")
FIRST = re.compile(r'"([^"]*)"(\*?)')  # of what the plugin asks its index for
LONGEST = 200  # characters; longer ones are no words


def extra_words(content: str, tags: str, expanded_keywords: str) -> str:
    """Return what else a memory is to be found by: parts of names, pairs of CJK characters."""
    text = f"{content}\n{tags}\n{expanded_keywords}"
    found: dict[str, None] = {}
    if not text.isascii() or CUT.search(text):
        known = words.extra_words(content, tags, expanded_keywords).split(" ")
        found.update(dict.fromkeys(known))
        found.update(dict.fromkeys(_without_accents(text)))
    if JOINED.search(text):
        found.update(dict.fromkeys(_in_parts(text)))
    return " ".join(one for one in found if 0 < len(one) <= LONGEST)


def asked(term: Term) -> str:
    """Return a term as `memory_term` reads it: a word, words in a row, or a beginning*."""
    match = FIRST.match(term.match)
    text, star = match.groups() if match else (term.text, "")
    return f"{plain(text)}{star}"


def plain(word: str) -> str:
    """Return a word without accents, if nothing but ASCII is left of it then."""
    if word.isascii():
        return word
    parts = unicodedata.normalize("NFD", word)
    bare = "".join(sign for sign in parts if not unicodedata.combining(sign))
    return bare if bare.isascii() else word


def _without_accents(text: str) -> Iterator[str]:
    if not text.isascii():
        for word in words.of(text):
            bare = plain(word)
            if bare != word:
                yield bare.lower()


def _in_parts(text: str) -> Iterator[str]:
    """Yield the words of each name that the parser may take for a host, a file or a number."""
    for name in NAME.findall(text):
        if JOINED.search(name):
            version = VERSION.fullmatch(name)
            yield " ".join(words.of(version[1] if version else name)).lower()
