"""Two people's homes, one server: told to Claude in one, given by itself in the other."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.support import components
from tests.support.claude_code.client import Client
from tests.support.claude_code.player import PATIENCE, Until
from tests.support.claude_code.script import call, say
from tests.support.readme import blocks, commands
from tests.support.serving import Serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.claude_code.messages import Messages

pytestmark = [pytest.mark.heavy, pytest.mark.once]

PRINTER = "The printer for invoices is called Heron"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Run a server; return its address and key as the plugin's options name them."""
    serving = Serving({"MEMORY_DATA": str(tmp_path_factory.mktemp("server"))})
    try:
        said = serving.settings()
        yield {"api_url": said["MEMORY_API_URL"], "api_key": said["MEMORY_API_KEY"]}
    finally:
        serving.stop()


@pytest.fixture
def second(messages: Messages, gitconfig: str, tmp_path: Path) -> Client:
    """The same user's other machine, with the plugin installed."""
    found = Client(components.claude_code(), tmp_path / "second", messages, gitconfig)
    found.install()
    return found


def configure(client: Client, options: dict[str, str], folder: Path) -> None:
    """Set options with the README's line, which reads them from the README's file."""
    [line] = commands("claude plugin configure")
    [shown] = [json.loads(block) for block in blocks("json") if "api_key" in block]
    assert sorted(shown) == sorted(options)
    (folder / "settings.json").write_text(json.dumps(options))
    done = subprocess.run(
        ["/bin/sh", "-euc", line],
        cwd=folder,
        env=client.env,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def on_server(server: dict[str, str]) -> str:
    """Return what the server lists for the key."""
    asked = {"Authorization": f"Bearer {server['api_key']}"}
    return httpx.get(f"{server['api_url']}/api/memories", headers=asked).text


def server_py(client: Client) -> str:
    """Return where /memory:setup finds the commands; no option of the plugin is set in a shell."""
    [plugin] = client.installed()
    return f"{plugin['installPath']}/mcp/server.py"


def test_fact_told_on_one_machine_is_given_on_the_other(
    client: Client, second: Client, server: dict[str, str], tmp_path: Path
) -> None:
    """With address and key in the plugin's options, and nothing else done."""
    for machine in (client, second):
        configure(machine, server, tmp_path)
    told = client.play(
        ["Remember the printer, please.", Until(lambda: PRINTER in on_server(server))],
        [call("memory_store", content=PRINTER), say("Done.")],
    )
    assert told.denied == []

    arrived = "SELECT 1 FROM memories WHERE live = 1"
    asked = second.play(
        ["Hello.", Until(lambda: bool(second.query(arrived))), "Which printer prints invoices?"],
        [say("Hello."), say("That one.")],
        project="elsewhere",
    )
    assert PRINTER in asked.main[-1].given_by("UserPromptSubmit")
    later = second.play(["Hello."])
    assert "claude-memory: 1 memory here" in later.main[0].given_by("SessionStart")


def test_mistaken_key_is_told_and_what_was_stored_under_it_is_not_forgotten(
    client: Client, server: dict[str, str], tmp_path: Path
) -> None:
    """The next greeting says what to do; with the key corrected, it says where the memories are."""
    configure(client, {**server, "api_key": "a-mistaken-key"}, tmp_path)
    refused = "SELECT 1 FROM sync_state WHERE k = 'blocked' AND v = 'key'"
    client.play(
        ["Remember it.", Until(lambda: bool(client.query(refused)))],
        [call("memory_store", content="The cellar is dry"), say("Done.")],
    )
    greeting = client.play(["Hello."]).main[0].given_by("SessionStart")
    assert "claude-memory does not sync yet" in greeting
    assert "/plugin configure memory" in greeting

    configure(client, server, tmp_path)
    stores = client.database.parent
    client.play(["Hello.", Until(lambda: len(list(stores.glob("memory*.db"))) > 1)])
    greeting = client.play(["Hello."]).main[0].given_by("SessionStart")
    assert "1 memory waits in memory.db" in greeting

    done = subprocess.run(
        ["/bin/sh", "-euc", f"python3 '{server_py(client)}' import '{client.database}'"],
        env=client.env,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.stdout == "1 memory imported, 0 already here.\n", done.stderr
    asked = client.play(["Is the cellar dry?"])
    assert "The cellar is dry" in asked.main[0].given_by("UserPromptSubmit")
