"""Failures are noted wherever that is possible, without secrets, and shown once."""

from __future__ import annotations

import json
import stat
from datetime import datetime, timezone
from pathlib import Path

import pytest
from claude_memory import paths
from claude_memory.store import failures

NOW = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)


@pytest.fixture
def home(tmp_path: Path) -> str:
    """A data folder."""
    paths.make_private_folder(str(tmp_path / "data" / "memory"))
    return str(tmp_path / "data")


def test_noted_failure_is_shown_once(home: str) -> None:
    """The first who takes it gets it; after that it is only remembered."""
    failures.note(home, "prompt", "The disk is full.", NOW)

    [one] = failures.unseen(home)
    assert (one.where, one.text, one.times) == ("prompt", "The disk is full.", 1)
    assert failures.take(home) == [one]
    assert failures.take(home) == []
    assert failures.unseen(home) == []
    assert failures.shown(home) == [one]


def test_same_failure_is_told_once_with_its_count(home: str) -> None:
    """A hook that fails at every prompt fills one line, and the latest comes first."""
    for text in ("a", "b", "a", "a"):
        failures.note(home, "prompt", text, NOW)

    assert [(one.text, one.times) for one in failures.unseen(home)] == [("a", 3), ("b", 1)]


def test_secret_in_a_failure_is_not_written(home: str) -> None:
    """What a failing program said is redacted like everything else."""
    token = "ghp_" + "A1b2C3d4E5f6G7h8I9j0" + "K1l2M3n4O5p6Q7r8"
    failures.note(home, "judge", "it said: " + token, NOW)

    raw = Path(paths.failures(home)).read_text()
    assert token not in raw
    assert "it said: [secret:" in raw


def test_file_is_private_and_bounded(home: str) -> None:
    """Nobody else reads it, and a year of failing does not fill the disk."""
    for number in range(3000):
        failures.note(home, "prompt", f"failure {number} " + "x" * 600, NOW)

    found = Path(paths.failures(home)).stat()
    assert stat.S_IMODE(found.st_mode) == 0o600
    assert found.st_size < 70_000
    assert len(failures.unseen(home)) > 50


def test_torn_and_foreign_lines_are_passed_over(home: str) -> None:
    """A crash in the middle of a line costs that line only."""
    failures.note(home, "prompt", "whole", NOW)
    with Path(paths.failures(home)).open("ab") as file:
        file.write(b'{"at": "2026"\n[1]\n\xff\xfe\n7\nnull\n' + json.dumps({"text": 1}).encode())

    assert [one.text for one in failures.unseen(home)] == ["whole"]


def test_text_cannot_span_lines(home: str) -> None:
    """One failure is one line, whatever its text."""
    failures.note(home, "prompt", "a\nb\r\n\u2028c", NOW)

    assert [one.text for one in failures.unseen(home)] == ["a b c"]


def test_noting_without_a_folder_does_nothing(tmp_path: Path) -> None:
    """The folder itself may be what failed."""
    (tmp_path / "file").write_text("")
    for home in (tmp_path / "missing", tmp_path / "file"):
        failures.note(str(home), "prompt", "text", NOW)
        assert failures.take(str(home)) == []
    assert not (tmp_path / "missing").exists()
