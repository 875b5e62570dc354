"""The official SDK as a client of our server: what it sees is what was meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.stdio_peer import TEST_SERVER

if TYPE_CHECKING:
    from pathlib import Path

    from tests.contract.mcp.conftest import Play

NEWEST = "2025-11-25"


@pytest.mark.parametrize("version", ["2024-11-05", "2025-03-26", "2025-06-18", NEWEST])
def test_sdk_shakes_hands_in_every_version(play: Play, version: str) -> None:
    """The version it asks for is the one that is spoken, and calls work in it."""
    seen = play(command=TEST_SERVER, version=version, calls=[["echo", {"text": "hello"}]])
    assert seen["initialize"] == {
        "protocolVersion": version,
        "capabilities": {"tools": {"listChanged": False}},
        "serverInfo": {"name": "test-server", "version": "1.2.3"},
        "instructions": "Use echo.",
    }
    assert seen["calls"][0]["result"]["content"] == [{"type": "text", "text": "hello"}]
    assert seen["malformed"] == []


def test_sdk_sees_tools_results_and_errors(play: Play) -> None:
    """Every kind of answer arrives as the SDK's own type for it."""
    seen = play(
        command=TEST_SERVER,
        calls=[
            ["echo", {"text": "é \u2028 \U0001f600 \x00\r\n"}],
            ["refused", {}],
            ["broken", {}],
            ["nowhere", {}],
            ["hook", {"text": "{}"}],
            ["noisy", {}],
        ],
    )
    assert seen["initialize"]["protocolVersion"] == NEWEST
    assert seen["ping"] == {}
    assert [tool["name"] for tool in seen["tools"]] == [
        *("echo", "slow", "refused", "broken", "noisy")
    ]
    assert seen["tools"][0]["annotations"] == {"readOnlyHint": True}
    assert seen["tools"][0]["_meta"] == {"x/alwaysLoad": True}
    assert seen["prompts"]["code"] == -32601
    echo, refused, broken, nowhere, hook, noisy = seen["calls"]
    (content,) = echo["result"]["content"]
    assert content == {"type": "text", "text": "é \u2028 \U0001f600 \x00\r\n"}
    assert echo["result"]["isError"] is False
    (content,) = refused["result"]["content"]
    assert content == {"type": "text", "text": "The text is too long. Split it."}
    assert refused["result"]["isError"] is True
    assert broken["result"]["isError"] is True
    assert "private words" not in str(broken)
    assert nowhere["error"]["code"] == -32602
    assert hook["result"]["content"][0]["text"] == "{}"
    assert noisy["result"]["content"][0]["text"] == "quiet"
    assert seen["malformed"] == []


def test_sdk_gets_each_of_many_answers(play: Play) -> None:
    """Calls at once are told apart, large answers included."""
    texts = [str(number) * 5_000 for number in range(50)]
    seen = play(command=TEST_SERVER, together=[["echo", {"text": text}] for text in texts])
    assert [each["result"]["content"][0]["text"] for each in seen["together"]] == texts
    assert seen["malformed"] == []


def test_sdk_cancels_a_call(play: Play, tmp_path: Path) -> None:
    """The handler notices, no late answer disturbs the SDK, and the session goes on."""
    until = str(tmp_path / "never")
    files = (f"{until}.started", f"{until}.cancelled")
    seen = play(command=TEST_SERVER, cancelled=["slow", {"until": until}, *files])
    assert seen["cancelled"] is True
    assert seen["after"] == {}
    assert seen["malformed"] == []
