# Generated from plugin/mcp/claude_memory/store/embedding.py by tools/copy_ranking.py: change that, not this.
"""Turns a text into a vector, with a table of word vectors that comes with the plugin. Hot.

The table is mapped, not read: a process pays for the pages of the words that it meets. A text's
vector is the sum of the rows of its words; the rows are added 128 numbers at a time, as the lanes
of one large integer, since Python adds large integers fast and lists slowly.

The file: MAGIC, HEAD, then as many slots as HEAD says (each the number of a token or 0), where
each token's text begins, the texts, and a row of DIMENSIONS bytes for each token, 128 being zero.
"""

from __future__ import annotations

import functools
import math
import mmap
import os
import re
import struct
import unicodedata

from backend.ranking import words
from backend.ranking.vectors import ZERO

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "embedding.bin")
MAGIC = b"CMEMVEC1"
HEAD = struct.Struct("<8sIII")  # which table this is, tokens, slots, bytes of text
SLOT = struct.Struct("<H")
SPAN = struct.Struct("<II")
DIMENSIONS = 256
UNIT = 400  # the length of a vector; its numbers then fit into a byte
LANES = int.from_bytes(b"\xff\x00" * (DIMENSIONS // 2), "little")
AT_ONCE = 256  # rows added before a lane of sixteen bits may overflow
MOST_TOKENS = 1_024  # of one text: what it is about has been said by then
LONGEST_WORD = 32
REMEMBERED = 4_096  # words, each with its pieces
NAME = re.compile(r"[^\W_]+")
CONTINUED = b"##"


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
        model, count, self._slots, length = HEAD.unpack_from(head, len(MAGIC))
        self.model = model.hex()
        self._begin = len(MAGIC) + HEAD.size
        self._spans = self._begin + self._slots * SLOT.size
        self._texts = self._spans + (count + 1) * SPAN.size // 2
        self._rows = self._texts + length
        self._of_name = functools.lru_cache(REMEMBERED)(self._look_up)  # most words come again
        whole = self._rows + count * DIMENSIONS
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
        whole = self._number(name.lower().encode())
        if whole is not None:  # `TypeScript` is one word to its users
            return [whole]
        parts = words.camel_parts(name) or [name.lower()]
        return [piece for part in parts for piece in self._pieces(part.encode())]

    def _pieces(self, word: bytes) -> list[int]:
        """Cut a word into the longest pieces that the table knows; none if it cannot be."""
        whole = self._number(word)
        if whole is not None:
            return [whole]
        found, start = [], 0
        while start < len(word):
            for end in range(len(word), start, -1):
                piece = word[start:end]
                number = self._number(CONTINUED + piece if start else piece)
                if number is not None:
                    found.append(number)
                    start = end
                    break
            else:
                return []
        return found

    def _number(self, token: bytes) -> int | None:
        """Look a token up: a slot holds the number of a token, from 1, or 0 where none is."""
        slot = int.from_bytes(token, "little") % self._slots
        while True:
            number = SLOT.unpack_from(self._bytes, self._begin + slot * SLOT.size)[0]
            if not number:
                return None
            start, end = SPAN.unpack_from(self._bytes, self._spans + (number - 1) * SPAN.size // 2)
            if self._bytes[self._texts + start : self._texts + end] == token:
                return int(number) - 1
            slot = (slot + 1) % self._slots


def names(text: str) -> list[str]:
    """Return the words of a text, and names in code whole, in plain letters."""
    if not text.isascii():
        plain = unicodedata.normalize("NFKD", text)
        text = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return [name[:LONGEST_WORD] for name in NAME.findall(text)]


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
