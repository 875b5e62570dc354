"""The guards that hold for every test do hold."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def test_a_connection_beyond_loopback_is_refused() -> None:
    """A test that would reach the network fails at once."""
    with socket.socket() as sock, pytest.raises(AssertionError, match="stay on this machine"):
        sock.connect(("192.0.2.1", 80))
    with pytest.raises(AssertionError, match="stay on this machine"):
        socket.getaddrinfo("example.org", 80)


def test_a_connection_on_loopback_works() -> None:
    """Servers that tests start are reached."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()


def test_home_is_empty_and_nobodys_settings_are_left() -> None:
    """No test depends on who runs it."""
    assert list(Path.home().iterdir()) == []
    assert [name for name in os.environ if name.startswith(("MEMORY_", "CLAUDE", "VAULT_"))] == []


@pytest.mark.parametrize(
    ("options", "ran", "said"),
    [
        ([], "2 passed, 1 deselected", "left out: 1 tests, because each needs a large download"),
        (["--all"], "3 passed", ""),
        (["--other-interpreter"], "1 passed, 2 deselected", "does not depend on the Python"),
        (["-n", "2"], "2 passed", "left out: 1 tests, because each needs a large download"),
    ],
)
def test_what_is_left_out_is_said(tmp_path: Path, options: list[str], ran: str, said: str) -> None:
    """Nothing is left out in silence, also when tests run in parallel."""
    (tmp_path / "conftest.py").write_text((ROOT / "tests" / "conftest.py").read_text())
    (tmp_path / "test_three.py").write_text(
        "import pytest\n@pytest.mark.heavy\ndef test_a(): pass\n"
        "@pytest.mark.once\ndef test_b(): pass\ndef test_c(): pass\n"
    )
    command = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), str(tmp_path)]
    environment = {**os.environ, "MEMORY_HOME": "/nowhere", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [*command, "-p", "no:cacheprovider", "--confcutdir", str(tmp_path), *options],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran in done.stdout
    assert said in done.stdout
