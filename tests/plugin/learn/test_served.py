"""Auto-learn in a real server process: prompts are heard across calls, no end loses a turn."""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import TYPE_CHECKING

import pytest
from claude_memory.store import turns

from tests.support.stand_in_claude import ends
from tests.support.stdio_peer import CLIENT, Peer

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.learning import Learning
    from tests.support.stand_in_claude import StandIn

SERVER = [sys.executable, "-S", "-E", str(CLIENT / "server.py")]
CUE = "no, please use pnpm instead of npm for the webshop"


def served(machine: Learning, claude: StandIn) -> Peer:
    """Start the server as this user's client does."""
    path = f"{claude.folder}{os.pathsep}{os.defpath}"
    return Peer(SERVER, {**os.environ, "MEMORY_HOME": machine.home, "PATH": path})


def call_hook(peer: Peer, event: str, **fields: object) -> None:
    """Call the tool of the hooks and wait for its answer, which is silence."""
    arguments = {"event": event, "session_id": "s", "prompt_id": "p", **fields}
    answer = peer.answer("tools/call", {"name": "hook", "arguments": arguments})
    assert answer["result"]["content"] == [{"type": "text", "text": "{}"}]


def test_prompt_is_queued_at_the_end_of_its_turn(
    make_machine: Callable[..., Learning], claude: StandIn
) -> None:
    """Both events reach one process, which has no transcript to read from."""
    machine = make_machine()
    with served(machine, claude) as peer:
        call_hook(peer, "UserPromptSubmit", prompt="make it work")
        call_hook(peer, "UserPromptSubmit", prompt=CUE)
        assert machine.store.execute("SELECT count(*) FROM turns").fetchone() == (0,)
        call_hook(peer, "Stop", last_assistant_message="Done.")
        [(body,)] = machine.store.execute("SELECT body FROM turns").fetchall()
    assert json.loads(body)["words"] == ["make it work", CUE]


@pytest.mark.parametrize("end", ["SIGINT", "SIGTERM", "stdin"])
def test_server_that_ends_while_the_judge_works_loses_no_turn(
    make_machine: Callable[..., Learning], claude: StandIn, end: str
) -> None:
    """The judge dies with it, and whoever learns next may take the turn at once."""
    machine = make_machine(claude.path)
    machine.hear(CUE)
    claude.hangs()
    with served(machine, claude) as peer:
        pids = claude.wait_until_started()
        if end == "stdin":
            peer.close()
        else:
            peer.process.send_signal(getattr(signal, end))
        assert peer.end() == 0
        assert peer.errors() == ""
    assert all(map(ends, pids))
    assert turns.count(machine.store) == (1, 0)
    assert turns.ready_in(machine.store, machine.now) == 0
