"""The real client, with the plugin of this working tree installed as a user would install it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support import components
from tests.support.claude_code.client import Client
from tests.support.claude_code.messages import Messages
from tests.support.claude_code.publication import clone_working_tree, publish

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of this repository as it stands in the working tree."""
    folder = tmp_path_factory.mktemp("checkout")
    clone_working_tree(ROOT, folder)
    return folder


@pytest.fixture(scope="session")
def gitconfig(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The git configuration under which github.com holds that clone."""
    return publish(checkout, tmp_path_factory.mktemp("host"))


@pytest.fixture
def messages() -> Iterator[Messages]:
    """The stand-in for the Messages API."""
    running = Messages()
    running.start()
    yield running
    running.stop()


@pytest.fixture
def newcomer(messages: Messages, gitconfig: str, tmp_path: Path) -> Client:
    """A user who has Claude Code and has not installed the plugin."""
    return Client(components.claude_code(), tmp_path / "user", messages, gitconfig)


@pytest.fixture
def client(newcomer: Client) -> Client:
    """A user who has installed the plugin from a git host, and done nothing else."""
    newcomer.install()
    return newcomer
