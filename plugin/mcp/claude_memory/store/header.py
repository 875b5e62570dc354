"""The first 100 bytes of a store's file: what they must say, and how to put them right.

SQLite believes them before anything else: one wrong byte hides a whole file that is sound.
"""

from __future__ import annotations

SIZE = 100
MAGIC = b"SQLite format 3\x00"
PAGE = 4_096  # bytes; SQLite's default, which every store of ours has
MOST_CUT = 20  # a file that says it was longer than so many times its length is not believed
LOG = 2  # both format bytes in WAL mode, else 1


def read(path: str) -> bytes:
    """Return the header of a file; empty where there is none to be read."""
    try:
        with open(path, "rb") as file:
            return file.read(SIZE)
    except OSError:
        return b""


def has_version(header: bytes) -> bool:
    """Tell whether the schema has a version: ours does, the earlier system's had none."""
    return any(header[60:64])


def forbids_writing(header: bytes) -> bool:
    """Tell whether a format byte makes SQLite refuse writes, as no SQLite has ever written it."""
    return header[:16] == MAGIC and header[18] > LOG


def pages(header: bytes, size: int) -> int:
    """Return how many pages the file had; without those cut off, SQLite refuses the schema."""
    there, said = size // PAGE, int.from_bytes(header[28:32], "big")
    return said if there < said < MOST_CUT * there else there


def repaired(header: bytes, count: int) -> bytes:
    """Return the header that a store of `count` pages has; counters that may be any stay."""
    fixed = bytearray(header.ljust(SIZE, b"\x00"))
    fixed[:16] = MAGIC
    fixed[16:18] = PAGE.to_bytes(2, "big")
    fixed[18:20] = bytes((LOG, LOG)) if LOG in header[18:20] else b"\x01\x01"
    fixed[20:24] = bytes((0, 64, 32, 32))
    fixed[28:32] = count.to_bytes(4, "big")
    fixed[44:48] = (4).to_bytes(4, "big")  # schema format
    fixed[56:60] = (1).to_bytes(4, "big")  # UTF-8
    fixed[92:96] = fixed[24:28]  # so that the size above is believed
    return bytes(fixed)
