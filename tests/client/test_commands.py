"""What a person can type: each command expands, and what it asks for is allowed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.claude_code.script import Reply, call, say

if TYPE_CHECKING:
    from tests.support.claude_code.client import Client

pytestmark = [pytest.mark.heavy, pytest.mark.once]


def body_of(client: Client, prompt: str) -> str:
    """Return the text of a typed command, with its arguments in their place."""
    name, _, arguments = prompt.removeprefix("/memory:").partition(" ")
    [plugin] = client.installed()
    text = Path(plugin["installPath"], "commands", f"{name}.md").read_text(encoding="utf-8")
    _, _, body = text.removeprefix("---\n").partition("\n---\n")
    filled = body.replace("$ARGUMENTS", arguments)
    return filled.replace("${CLAUDE_PLUGIN_ROOT}", plugin["installPath"]).strip()


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

    assert body_of(client, prompt) in session.main[0].conversation
    assert session.denied == []
    [result] = session.results
    assert result.is_error is False
    assert said in result.text
