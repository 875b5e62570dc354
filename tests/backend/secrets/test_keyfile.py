"""The key file of a server on one machine: made once, whole, for its owner alone."""

from __future__ import annotations

import os
import stat
import threading
from typing import TYPE_CHECKING

import pytest

from backend.errors import ConfigurationError
from backend.secrets import keyfile

if TYPE_CHECKING:
    from pathlib import Path


def test_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    """File 0600 in a folder 0700, whatever the umask; the second call reads the first's key."""
    path = tmp_path / "data" / "encryption.key"
    before = os.umask(0)
    try:
        key = keyfile.read_or_make(path)
    finally:
        os.umask(before)
    assert len(bytes.fromhex(key)) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert keyfile.read_or_make(path) == keyfile.read(path) == key
    assert list(path.parent.iterdir()) == [path]


def test_no_file_is_no_key(tmp_path: Path) -> None:
    """Reading alone makes nothing."""
    assert keyfile.read(tmp_path / "encryption.key") == ""
    assert list(tmp_path.iterdir()) == []


def test_of_many_that_make_one_all_get_the_same(tmp_path: Path) -> None:
    """Two servers starting at once seal under one key."""
    path = tmp_path / "encryption.key"
    start, found = threading.Barrier(8), []

    def make() -> None:
        start.wait()
        found.append(keyfile.read_or_make(path))

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("text", ["", "0f" * 31, "0f" * 33, "zz" * 32, "\xff" * 64])
def test_damaged_file_is_neither_used_nor_replaced(tmp_path: Path, text: str) -> None:
    """A new key in its place would lose every secret without a word."""
    path = tmp_path / "encryption.key"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(ConfigurationError, match="backup") as caught:
        keyfile.read_or_make(path)
    assert path.read_text(encoding="latin-1") == text
    assert not text or text not in str(caught.value)


def test_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """The operator reads which file, and what to set instead."""
    (tmp_path / "data").write_text("a file in the way", encoding="ascii")
    with pytest.raises(ConfigurationError, match=r"encryption\.key"):
        keyfile.read_or_make(tmp_path / "data" / "encryption.key")
