"""The README's lines for Claude Code, run as they stand there, in their order."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.claude_code.player import PATIENCE
from tests.support.claude_code.publication import REPOSITORY
from tests.support.readme import blocks, commands

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.claude_code.client import Client

pytestmark = [pytest.mark.heavy, pytest.mark.once]


def run(client: Client, lines: str, folder: Path) -> str:
    """Run lines of a shell as this user; <owner>/<repo> is a repository on the stand-in's host."""
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["/bin/sh", "-euc", lines.replace("<owner>/<repo>", REPOSITORY)],
        cwd=folder,
        env=client.env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_each_way_to_install_works_and_uninstalling_too(newcomer: Client, tmp_path: Path) -> None:
    """From a git host in one line, from the path of a clone in two; neither leaves anything."""
    ways = [block for block in blocks("sh") if "plugin install" in block]
    [update] = [block for block in blocks("sh") if "plugin update" in block]
    [goodbye] = [block for block in blocks("sh") if "plugin uninstall" in block]
    assert len(ways) == 2
    for number, way in enumerate(ways):
        run(newcomer, way, tmp_path / f"way {number}")
        [plugin] = newcomer.installed()
        assert (plugin["id"], plugin["enabled"]) == ("memory@claude-memory", True)
        session = newcomer.play(["Hello."])
        [server] = [s for s in session.init["mcp_servers"] if s["name"] == "plugin:memory:memory"]
        assert server["status"] == "connected"
        assert "already at the latest version" in run(newcomer, update, tmp_path)
        run(newcomer, goodbye, tmp_path)
        assert newcomer.installed() == []
        assert "claude-memory" not in run(newcomer, "claude plugin marketplace list", tmp_path)


def test_server_can_be_added_without_the_plugin(newcomer: Client, checkout: Path) -> None:
    """In a clone, as an MCP server of its own."""
    [line] = commands("claude mcp add")
    run(newcomer, line, checkout)
    said = run(newcomer, "claude mcp list", checkout)
    assert "memory: python3" in said
    assert "Connected" in said
    saved = json.loads((newcomer.home / ".claude.json").read_text())
    assert [list(one.get("mcpServers", {})) for one in saved["projects"].values()] == [["memory"]]
