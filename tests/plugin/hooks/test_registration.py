"""hooks.json registers each hook once, where the real client can run it, with what it needs."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from claude_memory.hooks import approve, rule_at_use, runtime

from tests.support.hook_calls import HOOKS

REGISTERED: dict[str, list[dict[str, Any]]] = json.loads((HOOKS / "hooks.json").read_text())[
    "hooks"
]
COMMANDS = {("SessionStart", "startup|resume|clear"), ("SessionEnd", "")}


def each() -> list[tuple[str, str, dict[str, Any]]]:
    """List every registered hook with its event and matcher."""
    return [
        (event, group.get("matcher", ""), hook)
        for event, groups in REGISTERED.items()
        for group in groups
        for hook in group["hooks"]
    ]


def test_each_hook_is_registered_once() -> None:
    """Twice registered, a memory would be given twice."""
    assert [(event, matcher) for event, matcher, _ in each()] == [
        ("SessionStart", "startup|resume|clear"),
        ("SessionStart", "compact"),
        ("UserPromptSubmit", ""),
        ("PreCompact", ""),
        ("PreToolUse", TOOLS),
        ("PreToolUse", COMMANDS_RUN),
        ("PermissionRequest", TOOLS),
        ("Stop", ""),
        ("SessionEnd", ""),
    ]


COMMANDS_RUN = "Bash|PowerShell"
TOOLS = "mcp__plugin_memory_memory__(memory_(store|recall|list|update|delete|status)|secret_get)"


def test_commands_stand_only_where_the_client_cannot_call_the_server() -> None:
    """A process costs a hundred times what a call costs."""
    commands = {(event, matcher) for event, matcher, hook in each() if hook["type"] == "command"}
    assert commands == COMMANDS


def test_commands_start_an_existing_doorway_without_a_shell() -> None:
    """Paths with spaces work, and neither site-packages nor the user's PYTHONPATH slow a start."""
    for _, _, hook in (one for one in each() if one[2]["type"] == "command"):
        assert hook["command"] == "python3"
        assert hook["args"][:-1] == ["-S", "-E"]
        path = hook["args"][-1]
        assert path.startswith("${CLAUDE_PLUGIN_ROOT}/hooks/")
        assert (HOOKS / path.rpartition("/")[2]).is_file()
        assert path.rpartition("/")[2][: -len(".py")] in runtime.DOORWAYS


def test_calls_go_to_the_hooks_tool_of_our_server() -> None:
    """Short limits: the client waits that long for a server that does not come up."""
    for event, _, hook in (one for one in each() if one[2]["type"] == "mcp_tool"):
        assert (hook["server"], hook["tool"]) == ("plugin:memory:memory", "hook")
        assert hook["timeout"] <= 5
        assert hook["input"]["event"] == event


def test_every_field_of_a_call_is_handed_over_under_its_own_name() -> None:
    """An argument is the field of the client's event that has its name."""
    for _, _, hook in (one for one in each() if one[2]["type"] == "mcp_tool"):
        fields = {name: value for name, value in hook["input"].items() if name != "event"}
        assert all(value == "${" + name + "}" for name, value in fields.items())
        assert "session_id" in fields


@pytest.mark.parametrize(
    ("event", "fields"),
    [
        ("UserPromptSubmit", {"prompt", "prompt_id"}),
        ("PreToolUse", {"tool_name", "tool_input"}),
        ("PermissionRequest", {"tool_name", "tool_input", "permission_mode"}),
        ("Stop", {"transcript_path", "last_assistant_message", "prompt_id", "stop_hook_active"}),
    ],
)
def test_hooks_are_handed_what_they_read(event: str, fields: set[str]) -> None:
    """A field that is not listed would always be empty."""
    hooks = [hook for named, _, hook in each() if named == event]
    assert hooks
    assert all(fields <= set(hook["input"]) for hook in hooks)


def test_approval_before_a_call_is_told_the_permission_mode() -> None:
    """Somebody who chose to be asked nothing is asked nothing."""
    [hook] = [hook for event, matcher, hook in each() if (event, matcher) == ("PreToolUse", TOOLS)]
    assert "permission_mode" in hook["input"]


def test_rules_are_looked_for_exactly_where_a_command_runs() -> None:
    """Each call costs; the memory tools are none of them."""
    for tool in rule_at_use.TOOLS:
        assert re.fullmatch(COMMANDS_RUN, tool)
    assert not re.fullmatch(COMMANDS_RUN, approve.SECRET)


def test_start_after_a_compaction_says_so() -> None:
    """The server tells both starts apart by the source."""
    [hook] = [hook for _, matcher, hook in each() if matcher == "compact"]
    assert hook["input"]["source"] == "${source}"


def test_approval_is_asked_for_exactly_our_tools() -> None:
    """The matcher saves calls; what is allowed is decided by full equality of names."""
    ours = {*approve.HARMLESS, approve.DELETE, approve.SECRET}
    assert len(ours) == 7
    for tool in ours:
        assert re.fullmatch(TOOLS, tool)
    assert not re.fullmatch(TOOLS, approve.PREFIX + "hook")
