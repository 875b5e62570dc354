"""Every hook is called by the real client on its event, and answers without an error."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.support.claude_code.script import call, say

if TYPE_CHECKING:
    from tests.support.claude_code.client import Client

pytestmark = [pytest.mark.heavy, pytest.mark.once]


def test_every_hook_is_called_and_answers(client: Client) -> None:
    """An ordinary session with a compaction calls each hook, and none reports an error."""
    session = client.play(
        ["Remember.", "/compact", "Go on."],
        [call("memory_store", content="The lamp is green"), say("Done."), say("Fine.")],
    )

    assert session.returncode == 0
    assert sorted({hook.name for hook in session.hooks}) == [
        "PreToolUse:mcp__plugin_memory_memory__memory_store",
        "SessionStart:compact",
        "SessionStart:startup",
        "Stop",
        "UserPromptSubmit",
    ]
    assert [h for h in session.hooks if h.outcome != "success" or h.exit or h.stderr] == []
    # The event stream leaves these two out.
    assert "PreCompact [plugin:memory:memory/hook] completed successfully" in (
        session.main[-1].conversation
    )
    assert re.search(r"SessionEnd:other \[python3 .*session-end\.py\].* with status 0", session.log)
    assert "hook error" not in session.log + session.main[-1].conversation


def test_permission_hook_answers_where_plan_mode_asks(client: Client) -> None:
    """In plan mode a store needs, and gets, an answer to the permission request."""
    session = client.play(
        ["Remember."],
        [call("memory_store", content="The lamp is green"), say("Done.")],
        options=("--permission-mode", "plan"),
    )

    assert session.denied == []
    assert [hook.outcome for hook in session.hooks_of("PermissionRequest")] == ["success"]


def test_greeting_counts_the_memories(client: Client) -> None:
    """A session starts with one line that says how many memories there are."""
    client.play(["Remember."], [call("memory_store", content="The lamp is green"), say("Done.")])

    session = client.play(["Hello."])

    greeting = session.main[0].given_by("SessionStart")
    assert "1 memory" in greeting


def test_session_is_marked_closed(client: Client) -> None:
    """The end of a session is on disk when the client has gone."""
    session = client.play(["Hello."])

    assert client.query(f"SELECT id FROM sessions WHERE ended_at <> '' AND id = '{session.id}'")


def test_server_ends_with_the_session(client: Client) -> None:
    """No process of the plugin is left when the client has gone."""
    client.play(["Hello."])

    assert client.processes() == []
