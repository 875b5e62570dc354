# Generated from plugin/mcp/claude_memory/redaction/page.py by tools/copy_detector.py: change that, not this.
"""The text under examination, as every rule sees it, and what a rule reports.

Hot: hooks redact what they write, so only modules that cost nothing.
"""

from __future__ import annotations

import re
from collections import namedtuple
from functools import cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from re import Pattern
    from typing import NamedTuple

# Stands where a secret or a placeholder was already found. No rule's value may hold it.
MASK = "\x1a"

if TYPE_CHECKING:

    class Found(NamedTuple):
        """Where a secret stands and what it is; never the secret itself."""

        start: int
        end: int
        kind: str

    class Page(NamedTuple):
        """A text and its lower-case twin of the same length."""

        text: str
        lower: str

else:
    Found = namedtuple("Found", "start end kind")
    Page = namedtuple("Page", "text lower")


def open_page(text: str) -> Page:
    """Pair a text with its lower case; the few letters that grow in lower case stay as they are."""
    lower = text.lower()
    if len(lower) != len(text):
        lower = "".join(low if len(low := char.lower()) == 1 else char for char in text)
    return Page(text, lower)


@cache
def compiled(pattern: str) -> Pattern[str]:
    """Compile a pattern when a text first needs it: most texts need none, and hooks start often."""
    return re.compile(pattern)


def places(text: str, word: str) -> Iterable[int]:
    """Give every place where a word begins, in order."""
    return _places(text, word) if word in text else ()  # of hundreds, hardly one is there


def _places(text: str, word: str) -> Iterator[int]:
    at = text.find(word)
    while at >= 0:
        yield at
        at = text.find(word, at + len(word))


def starts_word(text: str, at: int) -> bool:
    r"""Tell whether a token can begin here: no letter before it, save those of `\n` and `%3D`."""
    if not at or not (text[at - 1].isascii() and text[at - 1].isalnum()):
        return True
    return text[at - 2 : at] in {"\\n", "\\r", "\\t"} or (at > 2 and text[at - 3] == "%")
