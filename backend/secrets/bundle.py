"""The seals of one memory as one value: each of its texts that holds a secret has its own.

    bundle = 2 (1 byte) | number of pieces (2, big-endian) | piece | piece ...
    piece  = text (1 byte) | uid that the seal is bound to (16) | length (4, big-endian) | seal

A seal of the content alone is kept as it is; it begins with another byte. So when one text changes,
the seals of the others stay, and no keeper has to open them.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from backend.fields import CONTENT, TEXTS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

MARK = b"\x02"
COUNT = struct.Struct(">H")
HEAD = struct.Struct(">B16sI")


@dataclass(frozen=True, repr=False)
class Piece:
    """The seal of one text, and the uid that it is bound to."""

    text: str
    uid: UUID
    seal: bytes


def split(value: bytes, uid: UUID) -> list[Piece]:
    """Return the seals in a value; one that stands alone is of the content and bound to `uid`."""
    at = len(MARK) + COUNT.size
    if value[:1] == MARK and len(value) > at:
        found = _pieces(value[at:])
        if COUNT.unpack_from(value, len(MARK)) == (len(found),):
            return found
    return [Piece(CONTENT, uid, value)]  # also what is damaged: its keeper will say so


def join(pieces: Iterable[Piece]) -> tuple[bytes | None, UUID | None]:
    """Return the value that holds the seals, and what it is bound to if it is a lone one."""
    ordered = sorted(pieces, key=lambda piece: TEXTS.index(piece.text))
    if not ordered:
        return None, None
    if [piece.text for piece in ordered] == [CONTENT]:
        return ordered[0].seal, ordered[0].uid
    return MARK + COUNT.pack(len(ordered)) + b"".join(map(_packed, ordered)), None


def changed(
    before: tuple[bytes | None, UUID],
    fresh: tuple[bytes | None, UUID],
    *,
    replaced: Collection[str] = (),
    spoken: Collection[str] = (),
) -> tuple[bytes | None, UUID | None]:
    """Add fresh seals to those of before, less those of the texts that were replaced.

    Where a text speaks of a secret (`spoken`) that no seal of its own would hold, all stay.
    """
    earlier, added = (split(value, uid) if value else [] for value, uid in (before, fresh))
    kept = [piece for piece in earlier if piece.text not in replaced]
    if set(spoken) - {piece.text for piece in (*kept, *added)}:
        kept = earlier
    return join([*kept, *(piece for piece in added if piece not in kept)])


def _packed(piece: Piece) -> bytes:
    head = HEAD.pack(TEXTS.index(piece.text), piece.uid.bytes, len(piece.seal))
    return head + piece.seal


def _pieces(body: bytes) -> list[Piece]:
    """Read pieces that are exactly as long as they say; nothing of what is damaged."""
    found = []
    while body:
        if len(body) < HEAD.size:
            return []
        text, uid, length = HEAD.unpack_from(body)
        end = HEAD.size + length
        if text >= len(TEXTS) or len(body) < end:
            return []
        found.append(Piece(TEXTS[text], UUID(bytes=uid), body[HEAD.size : end]))
        body = body[end:]
    return found
