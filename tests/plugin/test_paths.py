"""Where files live: private from the first moment, whatever the user's umask."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest
from claude_memory import paths

from tests.support.promises import promise
from tests.support.sessions import Session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOKEN = "ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"


@pytest.fixture
def open_umask() -> Iterator[None]:
    """Let new files be open to everybody unless their maker says otherwise."""
    before = os.umask(0)
    yield
    os.umask(before)


@promise("store.is-private")
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
@pytest.mark.usefixtures("open_umask")
def test_no_file_is_open_to_others(tmp_path: Path) -> None:
    """Neither database and log, nor the key, nor what a hook notes, nor the folders around them."""
    home = tmp_path / "new" / "home"
    with Session(home) as session:
        session.store(f"The deploy token is {TOKEN}")
        (home / "memory" / "memory.db-wal").stat()
        (home / "keys" / "seal.key").stat()
        modes = {
            str(path.relative_to(home)): path.stat().st_mode & 0o777
            for path in [home, *home.rglob("*")]
        }
    wrong = {
        name: oct(mode)
        for name, mode in modes.items()
        if mode != (0o700 if (home / name).is_dir() else 0o600)
    }
    assert wrong == {}


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, "/home/you/.claude/claude-memory"),
        ({"MEMORY_HOME": "  "}, "/home/you/.claude/claude-memory"),
        ({"MEMORY_HOME": "${MEMORY_HOME}"}, "/home/you/.claude/claude-memory"),
        ({"MEMORY_HOME": "~/notes/"}, "/home/you/notes"),
        ({"MEMORY_HOME": "/data//notes/"}, "/data/notes"),
    ],
)
def test_data_folder_is_what_the_user_means(
    environ: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unset, empty and left literal are the same; a tilde and a closing slash are understood."""
    monkeypatch.setenv("HOME", "/home/you")
    assert paths.home(environ) == expected
