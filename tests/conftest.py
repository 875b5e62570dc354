"""What holds for every test: no network, an empty environment, and a word about what is left out."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

PRIVATE = ("MEMORY_", "CLAUDE", "VAULT_", "ANTHROPIC_", "DEBUG_CLAUDE", "DISABLE_CLAUDE", "BAO_")
HEAVY = "needs a large download or minutes of time; `./dev test --all` runs it"
ONCE = "does not depend on the Python version and runs in the main suite"
left_out: dict[str, int] = {}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the two switches that `./dev test` uses."""
    parser.addoption("--all", action="store_true", help="also run the tests marked heavy")
    parser.addoption(
        "--other-interpreter", action="store_true", help="leave out the tests marked once"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect what this run is not for, and count it for the closing lines."""
    left_out.clear()
    wanted: list[pytest.Item] = []
    unwanted: list[pytest.Item] = []
    for item in items:
        reason = _reason_to_leave_out(config, item)
        if reason:
            left_out[reason] = left_out.get(reason, 0) + 1
        (unwanted if reason else wanted).append(item)
    if unwanted:
        config.hook.pytest_deselected(items=unwanted)
        items[:] = wanted


def _reason_to_leave_out(config: pytest.Config, item: pytest.Item) -> str:
    if item.get_closest_marker("heavy") and not config.getoption("--all"):
        return HEAVY
    if item.get_closest_marker("once") and config.getoption("--other-interpreter"):
        return ONCE
    return ""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests were left out, and why."""
    for reason, count in left_out.items():
        terminalreporter.write_line(f"left out: {count} tests, because each {reason}")


@pytest.fixture(autouse=True)
def _clear_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test a home of its own and none of the developer's settings."""
    for name in list(os.environ):
        if name.startswith(PRIVATE):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(home))
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "APPDATA", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def _stay_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection that would leave the loopback interface."""
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def guarded(self: socket.socket, address: object) -> None:
        _refuse_unless_loopback(self, address)
        connect(self, address)  # type: ignore[arg-type]  # whatever the caller gave

    def guarded_ex(self: socket.socket, address: object) -> int:
        _refuse_unless_loopback(self, address)
        return connect_ex(self, address)  # type: ignore[arg-type]  # whatever the caller gave

    monkeypatch.setattr(socket.socket, "connect", guarded)
    monkeypatch.setattr(socket.socket, "connect_ex", guarded_ex)


def _refuse_unless_loopback(sock: socket.socket, address: object) -> None:
    if sock.family not in (socket.AF_INET, socket.AF_INET6) or not isinstance(address, tuple):
        return
    host = str(address[0])
    if host not in ("localhost", "::1", "") and not host.startswith("127."):
        raise AssertionError(f"A test tried to reach {host}: tests stay on this machine.")
