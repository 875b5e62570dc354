"""The lock is held by one, is never waited for, and dies with its holder."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from claude_memory.store.lock import Lock

if TYPE_CHECKING:
    from pathlib import Path


def test_lock_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    """Who comes second is told so at once, and may have it afterwards."""
    path = str(tmp_path / "lock")
    with Lock(path) as first, Lock(path) as second:
        assert first.is_held
        assert not second.is_held
    with Lock(path) as third:
        assert third.is_held


def test_lock_file_is_private(tmp_path: Path) -> None:
    """Nobody else can hold up this user's learning."""
    with Lock(str(tmp_path / "lock")):
        assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o600


def test_patient_one_gets_the_lock_when_it_is_free(tmp_path: Path) -> None:
    """Waiting ends with the lock held, or with patience."""
    path = str(tmp_path / "lock")
    first = Lock(path)
    first.__enter__()
    with Lock(path, patience=0.05) as second:
        assert not second.is_held
    threading.Timer(0.05, first.__exit__, (None, None, None)).start()
    with Lock(path, patience=60) as third:
        assert third.is_held
