"""Turns a text into a vector, with a table of word vectors that comes with the plugin. Hot.

The table is mapped, not read: a process pays for the pages of the words that it meets. A text's
vector is the sum of the rows of its words; the rows are added 128 numbers at a time, as the lanes
of one large integer, since Python adds large integers fast and lists slowly. A word of another
language has no row: it means what some English words mean, or nothing.

The file: MAGIC, HEAD, then as many slots as HEAD says (each the number of a token or word, from 1,
or 0), where each one's text begins, the texts, what the words of other languages mean (MEANT: the
numbers of tokens, or 0), and a row of DIMENSIONS bytes for each token, 128 being zero.
"""

from __future__ import annotations

import functools
import math
import mmap
import os
import re
import struct
import unicodedata

from claude_memory.store import words
from claude_memory.store.vectors import ZERO

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "embedding.bin")
MAGIC = b"CMEMVEC2"
HEAD = struct.Struct("<8s4I")  # which table this is, tokens, words abroad, slots, bytes of text
SLOT = struct.Struct("<H")
SPAN = struct.Struct("<II")
MEANT = struct.Struct("<HH")
DIMENSIONS = 256
UNIT = 400  # the length of a vector; its numbers then fit into a byte
LANES = int.from_bytes(b"\xff\x00" * (DIMENSIONS // 2), "little")
AT_ONCE = 256  # rows added before a lane of sixteen bits may overflow
MOST_TOKENS = 1_024  # of one text: what it is about has been said by then
LONGEST_WORD = 32
REMEMBERED = 4_096  # words, each with its pieces
NAME = re.compile(r"[^\W_]+")
NAME_ABROAD = rf"[{words.CJK}]{{1,{LONGEST_WORD}}}|[^\W_{words.CJK}]+"  # compiled by its first use
LONGEST_ABROAD = 16
STEM = 4  # letters, by which an inflected word of another language is known
CONTINUED = "##"


class Embedding:
    """The table of word vectors, mapped."""

    def __init__(self, path: str = PATH) -> None:
        """Map the file.

        Raises:
            OSError: it cannot be read.
            ValueError: it is no table of ours.
        """
        with open(path, "rb") as file:
            self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        head = self._bytes[: len(MAGIC) + HEAD.size].ljust(len(MAGIC) + HEAD.size)
        model, self._count, abroad, self._slots, length = HEAD.unpack_from(head, len(MAGIC))
        self.model = model.hex()
        self._begin = len(MAGIC) + HEAD.size
        self._spans = self._begin + self._slots * SLOT.size
        self._texts = self._spans + (self._count + abroad + 1) * SPAN.size // 2
        self._meant = self._texts + length
        self._rows = self._meant + abroad * MEANT.size
        self._of_name = functools.lru_cache(REMEMBERED)(self._look_up)  # most words come again
        whole = self._rows + self._count * DIMENSIONS
        if not head.startswith(MAGIC) or len(self._bytes) != whole:
            message = f"{path} is no table of word vectors"
            raise ValueError(message)

    def vector(self, text: str) -> bytes:
        """Return what a text means: a byte for each dimension, or none if no word is known."""
        even = odd = count = 0
        sums = [0] * DIMENSIONS
        for count, token in enumerate(self.tokens(text), 1):
            start = self._rows + token * DIMENSIONS
            row = int.from_bytes(self._bytes[start : start + DIMENSIONS], "little")
            even += row & LANES
            odd += row >> 8 & LANES
            if not count % AT_ONCE:
                sums = _added(sums, even, odd)
                even = odd = 0
            if count == MOST_TOKENS:
                break
        return _unit([value - count * ZERO for value in _added(sums, even, odd)]) if count else b""

    def tokens(self, text: str) -> Iterator[int]:
        """Yield the numbers of a text's words, or of the pieces of what is no word."""
        for name in names(text):
            yield from self._of_name(name)

    def _look_up(self, name: str) -> list[int]:
        lower = name.lower()
        whole = self._known(lower)
        if whole is None and not name.isascii():
            if words.cjk_runs(name):
                return self._found_in(lower, 1)
            name = plain(name)
            lower = name.lower()
            whole = self._known(lower)
        if whole is not None:  # `TypeScript` is one word to its users
            return whole
        parts = words.camel_parts(name) or [lower]
        return [piece for part in parts for piece in self._pieces(part)]

    def _pieces(self, word: str) -> list[int]:
        """Cut a word into the longest pieces that the table knows; none if it cannot be."""
        found: list[int] = []
        start = 0
        while start < len(word):
            for end in range(len(word), start, -1):
                piece = word[start:end]
                number = self._number(CONTINUED + piece if start else piece)
                if number is not None and number >= self._count:
                    if end >= STEM:
                        return self._found_in(word, STEM)
                elif number is not None:
                    found.append(number)
                    start = end
                    break
            else:
                return []
        return found

    def _found_in(self, text: str, least: int) -> list[int]:
        """Return what words of other languages mean that stand in a text without blanks.

        Of words that have endings, those that mean nothing say nothing about longer ones.
        """
        found: list[int] = []
        start = 0
        while start < len(text):
            for end in range(min(len(text), start + LONGEST_ABROAD), start + least - 1, -1):
                known = self._known(text[start:end])
                if known or (known is not None and least < STEM):
                    found += known
                    start = end
                    break
            else:
                start += 1
        return found

    def _known(self, word: str) -> list[int] | None:
        """Return the tokens that stand for a whole word; none if it means nothing."""
        number = self._number(word)
        if number is None or number < self._count:
            return None if number is None else [number]
        place = self._meant + (number - self._count) * MEANT.size
        return [token - 1 for token in MEANT.unpack_from(self._bytes, place) if token]

    def _number(self, word: str) -> int | None:
        """Look a token or a word up: a slot holds its number, from 1, or 0 where none is."""
        text = word.encode(errors="replace")
        slot = int.from_bytes(text, "little") % self._slots
        while True:
            number = SLOT.unpack_from(self._bytes, self._begin + slot * SLOT.size)[0]
            if not number:
                return None
            start, end = SPAN.unpack_from(self._bytes, self._spans + (number - 1) * SPAN.size // 2)
            if self._bytes[self._texts + start : self._texts + end] == text:
                return int(number) - 1
            slot = (slot + 1) % self._slots


def names(text: str) -> list[str]:
    """Return the words of a text, and names in code whole; Chinese and its like as it stands."""
    if text.isascii():
        return [name[:LONGEST_WORD] for name in NAME.findall(text)]
    composed = unicodedata.normalize("NFKC", text)
    return [name[:LONGEST_WORD] for name in re.findall(NAME_ABROAD, composed)]


def plain(name: str) -> str:
    """Return a name without accents."""
    signs = unicodedata.normalize("NFKD", name)
    return "".join(sign for sign in signs if not unicodedata.combining(sign))


def _added(sums: list[int], even: int, odd: int) -> list[int]:
    half = DIMENSIONS // 2
    shape = struct.Struct(f"<{half}H")
    sums[::2] = map(int.__add__, sums[::2], shape.unpack(even.to_bytes(DIMENSIONS, "little")))
    sums[1::2] = map(int.__add__, sums[1::2], shape.unpack(odd.to_bytes(DIMENSIONS, "little")))
    return sums


def _unit(sums: list[int]) -> bytes:
    length = math.sqrt(sum(map(int.__mul__, sums, sums)))
    if not length:
        return b""
    part = UNIT / length
    numbers = [ZERO + round(value * part) for value in sums]
    try:
        return bytes(numbers)
    except ValueError:  # a text of few words may point very much one way
        return bytes([min(255, max(0, number)) for number in numbers])
