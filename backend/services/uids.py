"""Makes uids: UUIDv7 (RFC 9562, 5.7) for new memories, and names of what may be asked for again."""

from __future__ import annotations

import os
import time
from uuid import UUID, uuid5

KEYS = UUID("6d1f8a3e-52cb-4f0e-9a53-6f0f3c2b7f10")  # names Idempotency-Keys among other op ids


def new_uid() -> UUID:
    """Return a UUIDv7 of this moment."""
    milliseconds = time.time_ns() // 1_000_000
    tail = int.from_bytes(os.urandom(10), "big")
    number = (milliseconds & 0xFFFFFFFFFFFF) << 80 | 0x7 << 76 | (tail >> 62 & 0xFFF) << 64
    return UUID(int=number | 0b10 << 62 | tail & 0x3FFFFFFFFFFFFFFF)


def heir_uid(account: UUID, name: UUID | str) -> UUID:
    """Return the uid under which a memory comes back when its delete is undone."""
    return uuid5(KEYS, f"{account}:restore:{name}")
