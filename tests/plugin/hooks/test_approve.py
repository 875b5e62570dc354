"""Exactly this plugin's harmless calls are allowed; grave ones ask; others are left alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.hook_calls import asked, context_in

if TYPE_CHECKING:
    from pathlib import Path

OWN = "mcp__plugin_memory_memory__"
ALLOWED: dict[str, dict[str, Any]] = {
    "PreToolUse": {
        "hookSpecificOutput": {
            "hookEventName": "PreToolUse",
            "permissionDecision": "allow",
            "permissionDecisionReason": "A memory tool of this plugin; what it does can be undone.",
        }
    },
    "PermissionRequest": {
        "hookSpecificOutput": {
            "hookEventName": "PermissionRequest",
            "decision": {"behavior": "allow"},
        }
    },
}
EVENTS = sorted(ALLOWED)
GRAVE: list[Any] = [
    {"id": "L1", "purge": True},
    {"id": "L1", "purge": "true"},
    {"id": "L1", "purge": "false"},
    {"id": "L1", "purge": 1},
    {"id": "L1", "purge": 0},
    {"id": "L1", "purge": []},
    {"id": ["L1", "L2"]},
    {"id": []},
    {"id": [["L1", "L2"]]},
    {"id": [True]},
    {"id": "L1, L2"},
    {"id": "L1 L2"},
    {"id": "L1,L2"},
    {"id": "L1\nL2"},
    {"id": '["L1","L2"]'},
    {"id": "L1;L2"},
    {"id": "*"},
    {"id": ""},
    {"id": None},
    {"id": True},
    {"id": 1.5},
    {"id": {"a": 1}},
    {"ids": ["L1", "L2"]},
    {"id": "L1", "all": True},
    {},
    None,
    [],
    "",
    "not json",
    "[" * 100_000,
    '{"id": "L1", "purge": tru',
    7,
]


@pytest.mark.parametrize(
    ("tool", "given", "why"),
    [
        ("memory_delete", {"id": "L1", "purge": True}, "A purge cannot be undone"),
        ("memory_delete", {"id": ["L1", "L2"]}, "This deletes more than one memory at once"),
        ("secret_get", {"id": "L1"}, "This shows a secret"),
    ],
)
def test_reason_is_that_of_the_call(
    tmp_path: Path, tool: str, given: dict[str, Any], why: str
) -> None:
    """What can be undone is not called final, and with MEMORY_APPROVE=all nothing is promised."""
    asked_for = decision(tmp_path, "PreToolUse", OWN + tool, given)["hookSpecificOutput"]
    assert asked_for["permissionDecisionReason"].startswith(f"{why}, so claude-memory leaves it")
    allowed = decision(tmp_path, "PreToolUse", OWN + tool, given, MEMORY_APPROVE="all")
    reason = allowed["hookSpecificOutput"]["permissionDecisionReason"]
    assert reason == "MEMORY_APPROVE=all allows every memory tool."


def decision(
    tmp_path: Path, event: str, tool: object, tool_input: object = None, **environ: str
) -> dict[str, Any]:
    """Return what the hook answers to one tool call."""
    fields = {"tool_name": tool, "tool_input": tool_input, "permission_mode": "default"}
    return asked({"event": event, **fields}, context_in(tmp_path, None, environ))


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("name", ["store", "recall", "list", "update", "status"])
def test_harmless_tools_are_allowed(tmp_path: Path, event: str, name: str) -> None:
    """No prompt for what can be undone, whatever the arguments look like."""
    for given in ({"content": "x"}, '{"content": "x"}', "broken", None):
        assert decision(tmp_path, event, f"{OWN}memory_{name}", given) == ALLOWED[event]


@pytest.mark.parametrize(
    "given",
    [
        {"id": "L1", "review": "reject"},
        {"id": "L1", "review": ["reject"]},  # a list of texts is read as one text
        {"id": "L1", "review": {}},
        '{"review": "reject"}',
    ],
)
def test_rejecting_a_proposal_asks_first(tmp_path: Path, given: object) -> None:
    """It cannot be undone: what is rejected is forgotten. To accept one can be."""
    said = decision(tmp_path, "PreToolUse", OWN + "memory_update", given)
    assert said["hookSpecificOutput"]["permissionDecision"] == "ask"
    accepted = {"id": "L1", "review": "accept"}
    said = decision(tmp_path, "PreToolUse", OWN + "memory_update", accepted)
    assert said == ALLOWED["PreToolUse"]


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize(
    "given",
    [
        {"id": "L1"},
        {"id": "#42"},
        {"id": " 42 "},
        {"id": 42},
        {"id": ["L1"]},
        {"id": "0195f2b4-7c1e-7d3a-9f00-1234567890ab"},
        {"id": "L1", "purge": False},
        {"id": "L1", "purge": None},
    ],
)
def test_delete_of_one_memory_is_allowed(tmp_path: Path, event: str, given: object) -> None:
    """It can be undone for 30 days; arguments come as an object or as its JSON text."""
    assert decision(tmp_path, event, OWN + "memory_delete", given) == ALLOWED[event]
    assert decision(tmp_path, event, OWN + "memory_delete", json.dumps(given)) == ALLOWED[event]


@pytest.mark.parametrize("given", GRAVE, ids=repr)
def test_grave_or_unclear_delete_is_never_allowed(tmp_path: Path, given: object) -> None:
    """A purge, a delete of several, and whatever cannot be read, wait for the user."""
    for form in (given, json.dumps(given)):
        before = decision(tmp_path, "PreToolUse", OWN + "memory_delete", form)
        assert before["hookSpecificOutput"]["permissionDecision"] == "ask"
        assert decision(tmp_path, "PermissionRequest", OWN + "memory_delete", form) == {}


def test_secret_is_never_allowed(tmp_path: Path) -> None:
    """Reading a secret asks, with the reason."""
    said = decision(tmp_path, "PreToolUse", OWN + "secret_get", {"id": "L1"})
    assert said["hookSpecificOutput"]["permissionDecision"] == "ask"
    assert "MEMORY_APPROVE" in said["hookSpecificOutput"]["permissionDecisionReason"]
    assert decision(tmp_path, "PermissionRequest", OWN + "secret_get", {"id": "L1"}) == {}


def test_user_who_wants_no_questions_is_asked_none(tmp_path: Path) -> None:
    """In the mode that bypasses permissions the hook adds no question of its own."""
    fields = {"tool_name": OWN + "secret_get", "permission_mode": "bypassPermissions"}
    assert asked({"event": "PreToolUse", **fields}, context_in(tmp_path)) == {}


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize(
    "tool",
    [
        "memory_store",
        "mcp__memory__memory_store",
        "mcp__plugin_memory_memory__memory_storex",
        "mcp__plugin_memory_memory__memory_store ",
        " mcp__plugin_memory_memory__memory_store",
        "mcp__plugin_memory_memory__memory_store\n",
        "xmcp__plugin_memory_memory__memory_store",
        "mcp__plugin_memory_memory__MEMORY_STORE",
        "mcp__plugin_memory_memory__memory_stоre",  # a Cyrillic o
        "mcp__plugin_memory_memory2__memory_store",
        "mcp__plugin_memory_other__memory_store",
        "mcp__plugin_memory-probe_memory__memory_store",
        "mcp__evil_plugin_memory_memory__memory_store",
        "mcp__plugin_memory_memory__hook",
        "mcp__plugin_memory_memory__memory_purge",
        "mcp__plugin_memory_memory__",
        "Bash",
        "",
        None,
        7,
        ["mcp__plugin_memory_memory__memory_store"],
        {"a": 1},
    ],
    ids=repr,
)
def test_look_alike_tools_are_left_to_the_client(tmp_path: Path, event: str, tool: object) -> None:
    """A name that is not exactly ours gets no answer, even when everything is to be allowed."""
    assert decision(tmp_path, event, tool, {"id": "L1"}) == {}
    assert decision(tmp_path, event, tool, {"id": "L1"}, MEMORY_APPROVE="all") == {}


@pytest.mark.parametrize("event", EVENTS)
def test_everything_is_allowed_when_the_user_says_so(tmp_path: Path, event: str) -> None:
    """MEMORY_APPROVE=all is the earlier rule, one setting away."""
    for tool, given in (("memory_delete", GRAVE[0]), ("secret_get", {"id": "L1"})):
        said = decision(tmp_path, event, OWN + tool, given, MEMORY_APPROVE="all")
        said["hookSpecificOutput"].pop("permissionDecisionReason", None)
        wanted = dict(ALLOWED[event]["hookSpecificOutput"])
        wanted.pop("permissionDecisionReason", None)
        assert said == {"hookSpecificOutput": wanted}


@pytest.mark.parametrize("event", EVENTS)
def test_nothing_is_answered_when_approval_is_off(tmp_path: Path, event: str) -> None:
    """DISABLE_CLAUDE_MEMORY_AUTO_APPROVE=1 wins over everything."""
    off = {"DISABLE_CLAUDE_MEMORY_AUTO_APPROVE": "1", "MEMORY_APPROVE": "all"}
    for tool in ("memory_store", "memory_delete", "secret_get"):
        assert decision(tmp_path, event, OWN + tool, {"id": "L1"}, **off) == {}


def test_unknown_setting_is_the_safe_one(tmp_path: Path) -> None:
    """A spelling mistake does not open the door."""
    said = decision(tmp_path, "PreToolUse", OWN + "secret_get", {}, MEMORY_APPROVE="everything")
    assert said["hookSpecificOutput"]["permissionDecision"] == "ask"


def test_switch_that_takes_rights_away_is_on_unless_it_says_no(tmp_path: Path) -> None:
    """A spelling that nobody thought of must not allow what its writer forbade."""
    for value, answers in (("y", False), ("1", False), ("off", True), ("0", True)):
        environ = {"DISABLE_CLAUDE_MEMORY_AUTO_APPROVE": value}
        said = decision(tmp_path, "PreToolUse", OWN + "memory_recall", {"context": "x"}, **environ)
        assert bool(said) is answers, value
