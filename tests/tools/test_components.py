"""The real programs are the pinned ones, or the run that needs them stops and says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.components import there
from tools import components
from tools.environment import SetupFailed

if TYPE_CHECKING:
    from pathlib import Path


def test_a_missing_program_fails_the_test_that_asks_and_names_the_fix(tmp_path: Path) -> None:
    """A heavy test never passes by not running."""
    with pytest.raises(pytest.fail.Exception, match=r"`\./dev test --all` installs it"):
        there(tmp_path / "bao", "OpenBao")


def test_a_client_that_is_not_the_pinned_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever npm delivers is checked before it is unpacked."""
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\necho changed > client.tgz\n")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(SetupFailed, match="not the file that was pinned"):
        components.fetch_claude_code(tmp_path)


def test_without_npm_the_message_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one thing that cannot be brought along is named."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupFailed, match=r"Install Node\.js"):
        components.fetch_claude_code(tmp_path)
