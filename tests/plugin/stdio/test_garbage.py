"""Nothing on stdin stops the server: seeded random lines, a ping after each handful."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.stdio_peer import Peer

LINES = 1_000
HANDFUL = 20
SEEDS = (1, 20_26)
WORDS = (
    *("jsonrpc", "2.0", "id", "method", "params", "name", "arguments", "_meta", "progressToken"),
    *("initialize", "ping", "tools/list", "tools/call", "echo", "hook", "noisy", "refused"),
    *(
        "notifications/cancelled",
        "requestId",
        "protocolVersion",
        "\ud800",
        "\x00",
        "é",
        "",
        "result",
    ),
)


def random_value(chance: random.Random, depth: int = 0) -> object:
    """Make any JSON value, with the words that matter to the server in it."""
    kind = chance.randrange(9 if depth < 4 else 6)
    if kind < 2:
        return chance.choice(WORDS)
    if kind < 6:
        return chance.choice([None, True, 0, -1, 10**30, 1.5, float("nan"), float("inf"), "x" * 99])
    if kind == 6:
        return [random_value(chance, depth + 1) for _ in range(chance.randrange(4))]
    return {
        chance.choice(WORDS): random_value(chance, depth + 1) for _ in range(chance.randrange(5))
    }


def random_request(chance: random.Random) -> object:
    """Make what is nearly a request: each part is right most of the time."""
    right = {
        "jsonrpc": "2.0",
        "id": chance.choice([1, "a"]),
        "method": chance.choice(["tools/call", "ping", "notifications/cancelled", "initialize"]),
        "params": {"name": chance.choice(["echo", "hook", "refused"]), "arguments": {}},
    }
    return {
        key: value if chance.random() < 0.8 else random_value(chance)
        for key, value in right.items()
        if chance.random() < 0.9
    }


def random_line(chance: random.Random) -> bytes:
    """Make noise, a wrong message, a batch of them, or a right one with some bytes changed."""
    kind = chance.randrange(5)
    if kind == 0:
        return bytes(chance.randrange(256) for _ in range(chance.randrange(200)))
    if kind == 1:
        return json.dumps(random_value(chance)).encode()
    if kind == 2:
        return json.dumps([random_request(chance) for _ in range(chance.randrange(4))]).encode()
    line = bytearray(json.dumps(random_request(chance)).encode())
    for _ in range(chance.randrange(3) if kind == 3 else 0):
        line[chance.randrange(len(line))] = chance.randrange(256)
    return bytes(line)


@pytest.mark.parametrize("seed", SEEDS)
def test_random_lines_never_stop_the_server(peer: Peer, seed: int) -> None:
    """After each handful a ping is answered, and every line heard is one JSON message."""
    chance = random.Random(seed)  # noqa: S311  (to be repeated, not to be secret)
    for handful in range(LINES // HANDFUL):
        for _ in range(HANDFUL):
            peer.say(random_line(chance).replace(b"\n", b"") + b"\n")
        peer.ask(f"after {handful}", "ping")
        while True:
            heard = peer.hear()
            if isinstance(heard, dict) and heard.get("id") == f"after {handful}":
                assert heard["result"] == {}
                break
    peer.close()
    assert peer.end() == 0
    assert peer.errors() == ""
