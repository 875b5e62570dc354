"""What the server answers to each kind of message."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.stdio_peer import Peer


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("2024-11-05", "2024-11-05"),
        ("2025-03-26", "2025-03-26"),
        ("2025-06-18", "2025-06-18"),
        ("2025-11-25", "2025-11-25"),
        ("2026-07-28", "2025-11-25"),
        ("1999-01-01", "2025-11-25"),
    ],
)
def test_initialize_answers_the_version_asked_for_or_the_newest_known(
    peer: Peer, asked: str, answered: str
) -> None:
    """A known protocol version is kept; for an unknown one the client decides."""
    assert peer.answer("initialize", {"protocolVersion": asked})["result"] == {
        "protocolVersion": answered,
        "capabilities": {"tools": {"listChanged": False}},
        "serverInfo": {"name": "test-server", "version": "1.2.3"},
        "instructions": "Use echo.",
    }


def test_ping_is_answered_with_an_empty_result(peer: Peer) -> None:
    """A ping needs no initialize before it."""
    assert peer.answer("ping") == {"jsonrpc": "2.0", "id": "asked", "result": {}}


def test_list_shows_each_tool_but_the_hidden_one(peer: Peer) -> None:
    """Name, description, schema, hints and meta are shown; empty ones are left out."""
    tools = {tool["name"]: tool for tool in peer.answer("tools/list")["result"]["tools"]}
    assert tools["echo"] == {
        "name": "echo",
        "description": "Returns the text.",
        "inputSchema": {
            "type": "object",
            "properties": {"text": {"type": "string"}},
            "required": ["text"],
        },
        "annotations": {"readOnlyHint": True},
        "_meta": {"x/alwaysLoad": True},
    }
    assert set(tools["slow"]) == {"name", "description", "inputSchema"}
    assert "hook" not in tools


def test_a_cursor_is_tolerated(peer: Peer) -> None:
    """One page holds all tools, and no further page is promised."""
    result = peer.answer("tools/list", {"cursor": "2"})["result"]
    assert set(result) == {"tools"}
    assert result["tools"]


@pytest.mark.parametrize(
    "method",
    ["server/discover", "prompts/list", "resources/list", "logging/setLevel", "tools/other", ""],
)
def test_unknown_method_is_refused_at_once(peer: Peer, method: str) -> None:
    """A client that probes for something newer is not left waiting."""
    answer = peer.answer(method, {"_meta": {"x": 1}})
    assert answer["id"] == "asked"
    assert answer["error"]["code"] == -32601


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("initialize", {}),
        ("initialize", {"protocolVersion": 20250618}),
        ("ping", [1]),
        ("ping", "text"),
        ("tools/call", {}),
        ("tools/call", {"name": None}),
        ("tools/call", {"name": ["echo"]}),
        ("tools/call", {"name": "nowhere"}),
        ("tools/call", {"name": "echo", "arguments": ["text"]}),
        ("tools/call", {"name": "echo", "arguments": "text"}),
    ],
)
def test_wrong_types_are_invalid_params(peer: Peer, method: str, params: object) -> None:
    """The error carries the id, so that the client's call ends."""
    answer = peer.answer(method, params)
    assert answer["id"] == "asked"
    assert answer["error"]["code"] == -32602


@pytest.mark.parametrize(
    ("line", "request_id"),
    [
        (b"1", None),
        (b"null", None),
        (b'"ping"', None),
        (b"{}", None),
        (b"[]", None),
        (b'{"id": 1, "method": "ping"}', 1),
        (b'{"jsonrpc": "1.0", "id": 1, "method": "ping"}', 1),
        (b'{"jsonrpc": "2.0", "id": 1}', 1),
        (b'{"jsonrpc": "2.0", "id": 1, "method": 5}', 1),
        (b'{"jsonrpc": "2.0", "id": null, "method": "ping"}', None),
        (b'{"jsonrpc": "2.0", "id": 1.5, "method": "ping"}', None),
        (b'{"jsonrpc": "2.0", "id": true, "method": "ping"}', None),
        (b'{"jsonrpc": "2.0", "id": {}, "method": "ping"}', None),
        (b"[" + b",".join([b"1"] * 1001) + b"]", None),
    ],
)
def test_what_is_no_request_is_an_invalid_request(
    peer: Peer, line: bytes, request_id: object
) -> None:
    """The id is given back where it can be trusted."""
    peer.say(line + b"\n")
    answer = peer.hear()
    assert answer["id"] == request_id
    assert answer["error"]["code"] == -32600


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"Content-Length: 20\r",
        b"\x00",
        b"\xff\xfe{}",
        b'"\xed\xa0\x80"',
        b'{"jsonrpc": "2.0", "id": 1, "method": "ping\x00"}',
        b'{"jsonrpc": "2.0", "id": ' + b"9" * 5000 + b', "method": "ping"}',
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    ],
    ids=lambda line: ascii(line[:24]),
)
def test_what_is_no_json_is_a_parse_error(peer: Peer, line: bytes) -> None:
    """The server says so and goes on."""
    peer.say(line + b"\n")
    answer = peer.hear()
    assert answer["id"] is None
    assert answer["error"]["code"] == -32700
    assert peer.answer("ping")["result"] == {}


def test_line_of_64_megabytes_is_refused(peer: Peer) -> None:
    """It is read to its end, never held in memory whole, and the next line is served."""
    before = peak_memory(peer.process.pid)
    request = b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"x": "'
    peer.say(request + b"x" * 64 * 1024 * 1024 + b'"}}\n')
    answer = peer.hear()
    assert answer["id"] is None
    assert answer["error"]["code"] == -32600
    assert peer.answer("ping")["result"] == {}
    assert peak_memory(peer.process.pid) - before < 50_000


def peak_memory(process: int) -> int:
    """Return the most memory a process ever had, in KB, where the system tells it; else 0."""
    status = Path(f"/proc/{process}/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)


@pytest.mark.parametrize(
    "message",
    [
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "method": "notifications/unheard-of", "params": [1]},
        {"jsonrpc": "2.0", "method": "notifications/cancelled"},
        {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": [1]}},
        {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 77}},
        {"jsonrpc": "2.0", "method": "ping"},
        {"jsonrpc": "2.0", "id": 5, "result": {}},
        {"jsonrpc": "2.0", "id": 5, "error": {"code": 1, "message": ""}},
        [{"jsonrpc": "2.0", "method": "notifications/initialized"}],
    ],
)
def test_what_asks_for_nothing_gets_no_answer(peer: Peer, message: object) -> None:
    """The next thing heard is the answer to the ping."""
    peer.send(message)
    assert peer.answer("ping") == {"jsonrpc": "2.0", "id": "asked", "result": {}}


def test_request_that_also_looks_like_an_answer_is_answered(peer: Peer) -> None:
    """Whoever names a method waits for something."""
    peer.send({"jsonrpc": "2.0", "id": 1, "method": "ping", "result": {}})
    assert peer.hear() == {"jsonrpc": "2.0", "id": 1, "result": {}}


def test_blank_lines_and_windows_line_ends_are_skipped(peer: Peer) -> None:
    """White space between messages means nothing."""
    peer.say(b'\n  \r\n\t\n{"jsonrpc": "2.0", "id": 1, "method": "ping"}\r\n')
    assert peer.hear() == {"jsonrpc": "2.0", "id": 1, "result": {}}


def test_line_that_arrives_in_pieces_is_read_whole(peer: Peer) -> None:
    """Where the pipe cuts a line does not matter, not even within a character."""
    line = '{"jsonrpc": "2.0", "id": "é", "method": "ping"}\n'.encode()
    for at in range(len(line)):
        peer.say(line[at : at + 1])
    assert peer.hear()["id"] == "é"


def test_batch_is_answered_as_a_batch(peer: Peer) -> None:
    """Requests, calls and errors come back in one list, notifications do not."""
    peer.send(
        [
            {"jsonrpc": "2.0", "id": 1, "method": "ping"},
            {"jsonrpc": "2.0", "method": "notifications/initialized"},
            {
                "jsonrpc": "2.0",
                "id": 2,
                "method": "tools/call",
                "params": {"name": "echo", "arguments": {"text": "hello"}},
            },
            {"jsonrpc": "2.0", "id": 3, "method": "nothing"},
            7,
        ]
    )
    answers = {answer["id"]: answer for answer in peer.hear()}
    assert set(answers) == {1, 2, 3, None}
    assert answers[1]["result"] == {}
    assert answers[2]["result"]["content"][0]["text"] == "hello"
    assert answers[3]["error"]["code"] == -32601
    assert answers[None]["error"]["code"] == -32600


def test_huge_and_endless_numbers_are_tolerated(peer: Peer) -> None:
    """What a number means is the tool's business; a long id comes back as it was."""
    long_id = "9" * 4000
    peer.say(
        b'{"jsonrpc": "2.0", "id": %s, "method": "tools/call", "params": '
        b'{"name": "echo", "arguments": {"n": NaN, "i": -Infinity, "e": 1e999}}}\n'
        % long_id.encode()
    )
    line = peer.hear_line()
    assert b'"id":' + long_id.encode() + b"," in line
    assert b"['e', 'i', 'n']" in line


def test_output_is_ascii_with_a_bare_line_feed(peer: Peer) -> None:
    """No reader can split a line elsewhere, on any platform, and lone surrogates do not pass."""
    peer.call(1, "echo", text="a\u2028b\x85c\r\nd \U0001f600 \ud800 \x00")
    line = peer.hear_line()
    assert line.isascii()
    assert line.endswith(b"}\n")
    assert line.count(b"\n") == 1
    assert b"\r" not in line
    assert b"a\\u2028b\\u0085c\\r\\nd \\ud83d\\ude00 ? \\u0000" in line
