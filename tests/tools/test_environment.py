"""Environments are made once, re-made on a change, and never half made in silence."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from tools.environment import SetupFailed, python_of, ready

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a place for an environment, in a path with a space, made by venv and pip."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    return tmp_path / "a clone" / "env"


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    """Return a lock that asks for nothing."""
    path = tmp_path / "empty.lock"
    path.write_text("# nothing\n")
    return path


def wheel(folder: Path) -> Path:
    """Make the smallest package that can be installed, so that no index is asked."""
    path = folder / "demo-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in (
            ("METADATA", "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n"),
            ("WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"),
            ("RECORD", ""),
        ):
            archive.writestr(f"demo-1.0.dist-info/{name}", text)
    return path


def test_environment_is_kept_until_its_lock_changes(folder: Path, lock: Path) -> None:
    """A second call costs nothing; another lock starts afresh."""
    python = ready(folder, lock, sys.executable, "a test")
    assert subprocess.run([python, "-c", ""], check=True).returncode == 0
    witness = folder / "witness"
    witness.touch()
    ready(folder, lock, sys.executable, "a test")
    assert witness.exists()
    lock.write_text("# still nothing, in other words\n")
    ready(folder, lock, sys.executable, "a test")
    assert not witness.exists()


def test_a_package_without_a_hash_is_refused(folder: Path, lock: Path) -> None:
    """What is not pinned by its hash is not installed, and the next call tries again."""
    lock.write_text(f"demo @ {wheel(lock.parent).as_uri()}\n")
    with pytest.raises(SetupFailed, match="hash"):
        ready(folder, lock, sys.executable, "a test")
    with pytest.raises(SetupFailed, match="hash"):
        ready(folder, lock, sys.executable, "a test")


def test_a_python_without_venv_is_told_what_to_install(folder: Path, lock: Path) -> None:
    """Debian's python3 comes without venv; the message names the package."""
    base = lock.with_name("python3")
    base.write_text("#!/bin/sh\nexit 1\n")
    base.chmod(0o755)
    with pytest.raises(SetupFailed, match="apt install python3-venv"):
        ready(folder, lock, str(base), "a test")
    assert not python_of(folder).exists()
