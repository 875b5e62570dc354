"""Makes UUIDv7 (RFC 9562, 5.7) for memories that come without a uid of their own."""

from __future__ import annotations

import os
import time
from uuid import UUID


def new_uid() -> UUID:
    """Return a UUIDv7 of this moment."""
    milliseconds = time.time_ns() // 1_000_000
    tail = int.from_bytes(os.urandom(10), "big")
    number = (milliseconds & 0xFFFFFFFFFFFF) << 80 | 0x7 << 76 | (tail >> 62 & 0xFFF) << 64
    return UUID(int=number | 0b10 << 62 | tail & 0x3FFFFFFFFFFFFFFF)
