"""Only programs that answer as a Python with FTS5 count as found."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tools import interpreters

if TYPE_CHECKING:
    import pytest


def test_a_python_on_the_path_is_found_and_a_dead_shim_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A version manager's shim may exist for a version that was never installed."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    shim = tmp_path / "python3.9"
    shim.write_text("#!/bin/sh\nexit 127\n")
    shim.chmod(0o755)
    (tmp_path / "python3").symlink_to(sys.executable)
    series = f"{sys.version_info.major}.{sys.version_info.minor}"
    found = interpreters.found(usual=())
    assert list(found) == [series]
    assert found[series].path == str(Path(sys.executable).resolve())
