"""The plugin's own server as its clients see it: definitions, and a journey with the SDK."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from tests.support.stdio_peer import CLIENT, Peer

if TYPE_CHECKING:
    from tests.contract.mcp.conftest import Play

SERVER = [sys.executable, "-S", "-E", str(CLIENT / "server.py")]
NAMES = [
    *("memory_store", "memory_recall", "memory_list", "memory_update"),
    *("memory_delete", "memory_status", "secret_get"),
]
UP_FRONT = ["memory_store", "memory_recall"]
READ_ONLY = ["memory_recall", "memory_list", "memory_status"]


@pytest.fixture
def listed() -> list[dict[str, Any]]:
    """Return the tools as the server lists them."""
    with Peer(SERVER) as peer:
        tools = peer.answer("tools/list")["result"]["tools"]
        assert isinstance(tools, list)
        return tools


def test_server_lists_the_seven_tools(listed: list[dict[str, Any]]) -> None:
    """Names are the public surface; what hooks call is not among them."""
    assert [tool["name"] for tool in listed] == NAMES


def test_definitions_are_json_schema(listed: list[dict[str, Any]]) -> None:
    """Each input is a sound JSON Schema of an object whose every property says what it is."""
    for tool in listed:
        schema = tool["inputSchema"]
        Draft202012Validator.check_schema(schema)
        assert schema["type"] == "object"
        assert set(schema.get("required", [])) <= set(schema["properties"])
        assert all("type" in each for each in schema["properties"].values()), tool["name"]
        assert re.fullmatch(r"[a-z_]{1,64}", tool["name"])
        assert tool["description"].endswith(".")


def test_defaults_fit_their_own_schema(listed: list[dict[str, Any]]) -> None:
    """A default that the schema refuses would mislead the model."""
    for tool in listed:
        for each in tool["inputSchema"]["properties"].values():
            if "default" in each:
                Draft202012Validator(each).validate(each["default"])


def test_hints_are_true(listed: list[dict[str, Any]]) -> None:
    """Store and recall are loaded up front; only what changes nothing is called read-only."""
    up_front = [t["name"] for t in listed if t.get("_meta", {}).get("anthropic/alwaysLoad")]
    read_only = [t["name"] for t in listed if t.get("annotations", {}).get("readOnlyHint")]
    assert up_front == UP_FRONT
    assert read_only == READ_ONLY


def test_definitions_cost_at_most_1000_tokens(listed: list[dict[str, Any]]) -> None:
    """Four characters a token: name, description and schema are what the model is given."""
    shown = [{key: tool[key] for key in ("name", "description", "inputSchema")} for tool in listed]
    assert len(json.dumps(shown, separators=(",", ":"))) / 4 <= 1000


def test_instructions_are_not_cut() -> None:
    """Clients cut them at 2 KB."""
    with Peer(SERVER) as peer:
        result = peer.answer("initialize", {"protocolVersion": "2025-11-25"})["result"]
    assert 0 < len(result["instructions"]) <= 2048


def test_sdk_stores_and_recalls(play: Play) -> None:
    """What one session stores the next one finds, and refusals are readable results."""
    fact = "The staging cluster of Ostrava runs on Debian."
    first = play(command=SERVER, calls=[["memory_store", {"content": fact}]])
    second = play(
        command=SERVER,
        calls=[
            ["memory_recall", {"context": "Ostrava staging"}],
            ["memory_list", {}],
            ["memory_status", {}],
            ["memory_update", {"id": "L1", "tags": "hosts"}],
            ["memory_delete", {"id": "L1"}],
            ["memory_store", {"content": ""}],
            ["memory_store", {"content": 7}],
            ["memory_recall", {"context": 'NEAR( "* OR ^'}],
        ],
        together=[["memory_store", {"content": f"Fact number {n}."}] for n in range(20)],
    )
    texts = [each["result"]["content"][0]["text"] for each in second["calls"]]
    errors = [each["result"]["isError"] for each in second["calls"]]
    stored = first["calls"][0]["result"]["content"][0]["text"]
    assert stored.startswith("Stored memory L1 in category 'facts'")
    assert texts[0].startswith("Found 1 memor")
    assert "L1 [facts]" in texts[0]
    assert json.dumps(fact) in texts[0]
    assert errors == [False, False, False, False, False, True, True, False]
    assert len({each["result"]["content"][0]["text"] for each in second["together"]}) == 20
    assert [first["malformed"], second["malformed"]] == [[], []]
