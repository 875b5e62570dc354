"""Installing, finding the tools, and removing the plugin again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.claude_code.script import TOOL_PREFIX, call, say

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.claude_code.client import Client

pytestmark = [pytest.mark.heavy, pytest.mark.once]

TOOLS = [
    "memory_delete",
    "memory_list",
    "memory_recall",
    "memory_status",
    "memory_store",
    "memory_update",
    "secret_get",
]


def test_marketplace_passes_the_strict_validator(newcomer: Client, checkout: Path) -> None:
    """The client finds nothing to complain about in the repository."""
    done = newcomer.run("plugin", "validate", "--strict", str(checkout))

    assert done.returncode == 0, done.stdout + done.stderr


def test_plugin_passes_the_validator_of_the_directory(newcomer: Client, checkout: Path) -> None:
    """The plugin folder could be listed in a plugin directory today."""
    plugin = str(checkout / "plugin")

    done = newcomer.run("plugin", "validate", "--strict", "--profile", "directory", plugin)

    assert done.returncode == 0, done.stdout + done.stderr


def test_one_line_installs_from_a_git_host(newcomer: Client) -> None:
    """The README's first command installs a copy that is switched on, with nothing to configure."""
    newcomer.install("acme/claude-memory")

    [plugin] = newcomer.installed()
    assert plugin["id"] == "memory@claude-memory"
    assert plugin["enabled"] is True
    copy = newcomer.home / ".claude/plugins/cache/claude-memory/memory" / plugin["version"]
    assert plugin["installPath"] == str(copy)
    assert (copy / "mcp/server.py").is_file()
    assert not (copy / "pyproject.toml").exists()


def test_one_line_installs_from_the_path_of_a_clone(newcomer: Client, checkout: Path) -> None:
    """A clone on this machine works as a source, and its memories are kept and found."""
    newcomer.install(str(checkout))

    told = newcomer.play(
        ["Remember the port, please."],
        [call("memory_store", content="The admin page listens on port 8471"), say("Done.")],
    )
    asked = newcomer.play(["On which port does the admin page listen?"])

    assert told.denied == []
    assert "port 8471" in asked.main[0].given_by("UserPromptSubmit")


def test_tools_are_visible_and_only_two_are_loaded_up_front(client: Client) -> None:
    """All seven tools can be called; store and recall cost the model no look-up."""
    session = client.play(["Hello.", "Hello again."])

    [server] = [s for s in session.init["mcp_servers"] if s["name"] == "plugin:memory:memory"]
    assert server["status"] == "connected"
    offered = sorted(t for t in session.init["tools"] if t.startswith("mcp__"))
    assert offered == [TOOL_PREFIX + name for name in TOOLS]
    loaded = sorted(t for t in session.main[-1].tools if t.startswith("mcp__"))
    assert loaded == [TOOL_PREFIX + "memory_recall", TOOL_PREFIX + "memory_store"]


def test_commands_and_skill_are_offered(client: Client) -> None:
    """Everything that can be typed is known to the client under the plugin's name."""
    session = client.play(["Hello."])

    typed = [name for name in session.init["slash_commands"] if name.startswith("memory:")]
    assert sorted(typed) == [
        "memory:forget",
        "memory:memory-management",
        "memory:recall",
        "memory:remember",
        "memory:setup",
        "memory:status",
    ]


def test_memories_outlive_the_plugin(client: Client) -> None:
    """Removing the plugin deletes no memory, and installing it again finds them all."""
    client.play(
        ["Remember the name of the test server."],
        [call("memory_store", content="The test server is called Kingfisher"), say("Done.")],
    )
    client.uninstall()
    assert client.installed() == []
    assert client.database.is_file()

    client.install()
    session = client.play(["What is the test server called?"], project="elsewhere")

    assert "Kingfisher" in session.main[0].given_by("UserPromptSubmit")
