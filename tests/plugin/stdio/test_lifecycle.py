"""How the server ends. The time it may take is measured by the bench, not here."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from claude_memory.stdio.ending import PATIENCE

from tests.support.stdio_peer import CLIENT, HANG, TEST_SERVER, Peer

if TYPE_CHECKING:
    from pathlib import Path

posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")


def test_closed_input_ends_the_server(peer: Peer) -> None:
    """Exit code 0, and nothing on stderr."""
    assert peer.answer("ping")["result"] == {}
    peer.close()
    peer.process.wait(PATIENCE - 1)  # a hang guard: with no call in flight there is no patience
    assert peer.end() == 0
    assert peer.errors() == ""


def test_input_closed_at_once_ends_the_server(peer: Peer) -> None:
    """A client may leave before it has said anything."""
    peer.close()
    assert peer.end() == 0
    assert peer.errors() == ""


def test_calls_in_flight_are_answered_after_the_input_closed(peer: Peer, tmp_path: Path) -> None:
    """What was asked is answered, the last line without its line feed included."""
    peer.start_slow("slow", tmp_path / "go")
    peer.say(b'{"jsonrpc": "2.0", "id": "last", "method": "ping"}')
    peer.close()
    assert peer.hear()["id"] == "last"
    (tmp_path / "go").touch()
    assert peer.hear()["id"] == "slow"
    assert peer.end() == 0
    assert peer.errors() == ""


@posix
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_signal_ends_the_idle_server(peer: Peer, name: str) -> None:
    """Exit code 0, no traceback."""
    assert peer.answer("ping")["result"] == {}
    peer.process.send_signal(getattr(signal, name))
    assert peer.end() == 0
    assert peer.errors() == ""


@posix
@pytest.mark.parametrize("closes_first", [False, True])
def test_signal_ends_the_server_in_the_middle_of_calls(
    peer: Peer, tmp_path: Path, closes_first: bool
) -> None:
    """A call that goes on for a minute does not hold it, nor does a second signal disturb it."""
    peer.start_slow("slow", tmp_path / "never")
    if closes_first:
        peer.close()
    peer.process.send_signal(signal.SIGINT)
    peer.process.send_signal(signal.SIGTERM)
    peer.process.wait(PATIENCE - 1)  # a hang guard, below what a closed input alone would take
    assert peer.end() == 0
    assert peer.errors() == ""
    assert not (tmp_path / "never").exists()


@posix
def test_signal_ends_the_server_whose_answers_nobody_reads(tmp_path: Path) -> None:
    """A full pipe blocks the threads that write, never the one that ends."""
    process = subprocess.Popen(TEST_SERVER, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin
    assert process.stdout
    with process:
        call = (
            b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": '
            b'{"name": "echo", "arguments": {"text": "' + b"x" * 1_000_000 + b'"}}}\n'
        )
        process.stdin.write(call)
        process.stdin.flush()
        assert process.stdout.read(1) == b"{"
        process.send_signal(signal.SIGTERM)
        assert process.wait(HANG) == 0


def test_client_that_reads_no_more_ends_the_server(tmp_path: Path) -> None:
    """The first answer that finds the pipe broken ends it cleanly."""
    with subprocess.Popen(
        TEST_SERVER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        ping = b'{"jsonrpc": "2.0", "id": 1, "method": "ping"}\n'
        process.stdin.write(ping)
        process.stdin.flush()
        assert process.stdout.readline()
        process.stdout.close()
        process.stdin.write(ping * 3)
        process.stdin.flush()
        assert process.wait(HANG) == 0
        assert process.stderr.read() == b""


@posix
@pytest.mark.parametrize("closed", ["0<&-", "1>&-", "2>&-"])
def test_missing_stream_is_no_crash(closed: str) -> None:
    """Started without one of its streams the server ends or serves, without a traceback."""
    command = ["sh", "-c", f'exec "$@" {closed}', "sh", *TEST_SERVER]
    ping = b'{"jsonrpc": "2.0", "id": 1, "method": "ping"}\n'
    done = subprocess.run(command, input=ping, capture_output=True, timeout=HANG, check=False)
    assert done.returncode == 0
    assert done.stderr == b""
    assert done.stdout == (b'{"jsonrpc":"2.0","id":1,"result":{}}\n' if closed == "2>&-" else b"")


def loaded_by(work: str) -> set[str]:
    """Return the modules that a fresh Python loads for a piece of work."""
    code = (
        "import sys; before = set(sys.modules); "
        f"sys.path.insert(0, {str(CLIENT)!r}); {work}; "
        "print(*sorted(set(sys.modules) - before))"
    )
    command = [sys.executable, "-S", "-E", "-c", code]
    return set(subprocess.check_output(command, text=True).split())


def test_start_beside_a_server_loads_nothing_of_the_way_there() -> None:
    """The thread that syncs loads it, after the first answers."""
    settings = {"MEMORY_API_URL": "https://memory.example.com", "MEMORY_API_KEY": "key-for-tests"}
    loaded = loaded_by(
        "import threading; threading.Thread.start = lambda thread: None; "
        f"from claude_memory import __main__; __main__.build({settings!r}).sync(print)"
    )
    assert "claude_memory.sync.worker" in loaded
    assert not loaded & {"random", "hashlib", "http", "urllib", "ssl", "socket", "selectors"}
    assert not loaded & {f"claude_memory.sync.{name}" for name in ("engine", "remote", "files")}


def test_server_loads_no_expensive_module() -> None:
    """Start is paid by every session: none of these is needed to speak JSON-RPC."""
    loaded = loaded_by("import claude_memory.stdio.server")
    expensive = {"typing", "dataclasses", "logging", "asyncio", "concurrent", "inspect", "pathlib"}
    assert "claude_memory.stdio.server" in loaded
    assert not loaded & expensive
