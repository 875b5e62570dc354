"""What a person can type: each command expands, and what it asks for is allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.claude_code.script import Reply, call, say

if TYPE_CHECKING:
    from tests.support.claude_code.client import Client

pytestmark = [pytest.mark.heavy, pytest.mark.once]


@pytest.mark.parametrize(
    ("prompt", "tool", "said"),
    [
        (
            "/memory:remember The staging server is called Heron",
            call("memory_store", content="The staging server is called Heron"),
            "Stored memory L2",
        ),
        (
            "/memory:recall archive server",
            call("memory_recall", context="archive server"),
            "The archive server is called Stork",
        ),
        ("/memory:forget L1", call("memory_delete", id="L1"), "L1"),
        ("/memory:status", call("memory_status"), "SQLite-only"),
        ("/memory:setup", call("memory_status"), "SQLite-only"),
    ],
)
def test_typed_command_expands_and_runs(
    client: Client, prompt: str, tool: Reply, said: str
) -> None:
    """The model is given the command's text with its arguments, and no call asks."""
    client.play(
        ["Remember."],
        [call("memory_store", content="The archive server is called Stork"), say("Done.")],
    )

    session = client.play([prompt], [tool, say("Done.")])

    name, _, arguments = prompt.partition(" ")
    conversation = session.main[0].conversation
    assert f"<command-name>{name}</command-name>" in conversation
    # Once in the client's own record of what was typed, once where the command's text has it.
    assert conversation.count(arguments) >= 2
    assert tool.tool in conversation
    assert session.denied == []
    [result] = session.results
    assert result.is_error is False
    assert said in result.text
