"""What holds for every test: no network, an empty environment, and a word on what is left out."""

from __future__ import annotations

import contextlib
import os
import socket
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

PRIVATE = (
    *("MEMORY_", "CLAUDE", "VAULT_", "BAO_", "ANTHROPIC_", "AWS_", "XDG_", "GIT_"),
    *("DEBUG_CLAUDE", "DISABLE_CLAUDE"),
)
HEAVY = "needs a large download or minutes of time; `./dev test --all` runs it"
ONCE = "does not depend on the Python version and runs in the main suite"
left_out: dict[str, int] = {}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the two switches that `./dev test` uses."""
    parser.addoption("--all", action="store_true", help="also run the tests marked heavy")
    parser.addoption(
        "--other-interpreter", action="store_true", help="leave out the tests marked once"
    )
    parser.addoption(
        "--partitioned", metavar="LOG", help="use tables in partitions, and write every plan there"
    )


def pytest_configure() -> None:
    """Forget the developer's settings and proxies before the first fixture of any scope."""
    for name in list(os.environ):
        if name.startswith(PRIVATE) or name.lower().endswith("_proxy"):
            del os.environ[name]
    with contextlib.suppress(ImportError):  # the other interpreters have pytest alone
        from hypothesis import settings

        settings.register_profile("steady", deadline=None, derandomize=True)
        settings.load_profile("steady")


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


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand what a parallel worker left out to the process that reports."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["left_out"] = left_out


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    """Take the count from a worker; each of them collects the whole suite."""
    left_out.update(getattr(node, "workeroutput", {}).get("left_out", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests were left out, and why."""
    for reason, count in left_out.items():
        terminalreporter.write_line(f"left out: {count} tests, because each {reason}")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run asynchronous tests on the loop that the server uses."""
    return "asyncio"


@pytest.fixture(autouse=True)
def _live_in_an_empty_home(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Give each test a home of its own, with nobody's settings in it."""
    home = str(tmp_path_factory.mktemp("home"))
    for name in ("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA"):
        monkeypatch.setenv(name, home)


@pytest.fixture(autouse=True)
def _stay_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection and look-up that would leave the loopback interface."""

    def guard(original: Callable[..., object]) -> Callable[..., object]:
        def guarded(self: socket.socket, address: tuple[object, ...]) -> object:
            if self.family in {socket.AF_INET, socket.AF_INET6}:
                _refuse_unless_loopback(address[0])
            return original(self, address)

        return guarded

    def look_up(host: bytes | str | None, *rest: Any, **named: Any) -> object:
        _refuse_unless_loopback(host)
        return getaddrinfo(host, *rest, **named)

    getaddrinfo = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, guard(getattr(socket.socket, name)))


def _refuse_unless_loopback(host: object) -> None:
    text = host.decode() if isinstance(host, bytes) else str(host or "localhost")
    if text not in {"localhost", "::1"} and not text.startswith("127."):
        raise AssertionError(f"A test tried to reach {text}: tests stay on this machine.")
