"""Which tool calls run without a question, in every permission mode of the client."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.claude_code.script import TOOL_PREFIX, call, say

if TYPE_CHECKING:
    from tests.support.claude_code.client import Client

pytestmark = [pytest.mark.heavy, pytest.mark.once]

MODES = ("default", "auto", "dontAsk", "plan")
HARMLESS = (
    call("memory_store", content="The gate code changes every Monday"),
    call("memory_recall", context="gate code"),
    call("memory_list"),
    call("memory_update", id="L1", tags="office"),
    call("memory_status"),
    call("memory_delete", id="L1"),
)
GRAVE = (
    call("memory_delete", id="L1", purge=True),
    call("memory_delete", id=["L2", "L3"]),
    call("secret_get", id="L1"),
)


@pytest.fixture
def keeper_of_three(client: Client) -> Client:
    """A user with the memories L1, L2 and L3."""
    client.play(
        ["Remember them, please."],
        [
            call("memory_store", content="The gate code changes every Monday"),
            call("memory_store", content="The roof garden is open to all"),
            call("memory_store", content="The lift was repaired in May"),
            say("Done."),
        ],
    )
    return client


@pytest.mark.parametrize("mode", MODES)
def test_what_can_be_undone_never_asks(client: Client, mode: str) -> None:
    """Storing, finding, changing and deleting one memory run at once in every mode."""
    session = client.play(
        ["Do all of it."], [*HARMLESS, say("Done.")], options=("--permission-mode", mode)
    )

    assert session.denied == []
    assert [(r.tool, r.is_error) for r in session.results] == [
        (TOOL_PREFIX + "memory_store", False),
        (TOOL_PREFIX + "memory_recall", False),
        (TOOL_PREFIX + "memory_list", False),
        (TOOL_PREFIX + "memory_update", False),
        (TOOL_PREFIX + "memory_status", False),
        (TOOL_PREFIX + "memory_delete", False),
    ]


@pytest.mark.parametrize("mode", MODES)
def test_what_cannot_be_undone_asks(keeper_of_three: Client, mode: str) -> None:
    """A purge, a delete of several and a secret's text wait for the user, whatever the mode."""
    session = keeper_of_three.play(
        ["Do all of it."], [*GRAVE, say("Done.")], options=("--permission-mode", mode)
    )

    assert session.denied == [
        TOOL_PREFIX + "memory_delete",
        TOOL_PREFIX + "memory_delete",
        TOOL_PREFIX + "secret_get",
    ]
    assert keeper_of_three.query("SELECT count(*) FROM memories WHERE live = 1") == [(3,)]


def test_everything_runs_when_the_user_says_so(keeper_of_three: Client) -> None:
    """MEMORY_APPROVE=all allows the grave calls as well."""
    session = keeper_of_three.play(
        ["Do all of it."], [*GRAVE, say("Done.")], env={"MEMORY_APPROVE": "all"}
    )

    assert session.denied == []
    assert keeper_of_three.query("SELECT count(*) FROM memories WHERE live = 1") == [(0,)]


def test_every_call_asks_when_approval_is_switched_off(client: Client) -> None:
    """DISABLE_CLAUDE_MEMORY_AUTO_APPROVE=1 leaves each decision to the user."""
    session = client.play(
        ["Do all of it."],
        [*HARMLESS[:2], say("Done.")],
        env={"DISABLE_CLAUDE_MEMORY_AUTO_APPROVE": "1"},
    )

    assert session.denied == [TOOL_PREFIX + "memory_store", TOOL_PREFIX + "memory_recall"]


def test_other_tools_are_left_to_the_client(client: Client) -> None:
    """The plugin says nothing about a tool that is not its own."""
    session = client.play(["Write it."], [call("Write", file_path="/x", content=""), say("Done.")])

    assert session.denied == ["Write"]
    assert session.hooks_of("PreToolUse") == []
