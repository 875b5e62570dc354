"""Undo is the same through every door: in a store of one's own, in HTTP-only mode, over /mcp."""

from __future__ import annotations

import random
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import httpx
import pytest
from claude_memory.errors import ClaudeMemoryError
from claude_memory.store.memories import ELSEWHERE, NOTHING_KEPT

from tests.support.desk import Desk
from tests.support.hybrid import a_key, all_sent, machine
from tests.support.promises import promise
from tests.support.sessions import Answer, Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

pytestmark = pytest.mark.once

STEPS = 50
SEEDS = (6, 7, 9, 11)
TOKENS = [
    "ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8",
    "ghp_" + "Z9y8X7w6V5u4T3s2R1q0P9o8N7m6L5k4J3i2",
]
TEXTS = [
    *("Deploys are on Monday", "Deploys are on Friday"),
    *(f"The token is {token}" for token in TOKENS),
    *(f"The bot deploys with {token}" for token in TOKENS),
]
EDITS: dict[str, list[Any]] = {
    "content": TEXTS,
    "category": ["facts", "decisions"],
    "tags": ["ops", "ops, bot", ""],
    "importance": [0.25, 0.75],
    "expanded_keywords": ["release", ""],
}
LABEL = re.compile(r"[#L]\d+")
SHOWN = re.compile(r'(\[\w+\]) \S+ (".*)')  # without the number and the day


class Door(Protocol):
    """Where the tools can be called."""

    def call(self, tool: str, **arguments: Any) -> Answer:
        """Call a tool."""


class OwnStore:
    """The plugin without a server."""

    def __init__(self, home: Path) -> None:
        """Open a store."""
        self._desk = Desk(home)

    def call(self, tool: str, **arguments: Any) -> Answer:
        """Call a tool."""
        try:
            return Answer(self._desk.call(tool, **arguments), refused=False)
        except ClaudeMemoryError as error:
            return Answer(error.sentence(), refused=True)


class Remote:
    """The server, for clients without the plugin."""

    def __init__(self, server: str, key: str) -> None:
        """Keep whom to ask."""
        headers = {
            "Authorization": f"Bearer {key}",
            "Accept": "application/json, text/event-stream",
        }
        self._client = httpx.Client(base_url=server, headers=headers)

    def __enter__(self) -> Remote:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def call(self, tool: str, **arguments: Any) -> Answer:
        """Call a tool."""
        params = {"name": tool, "arguments": arguments}
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        result = self._client.post("/mcp", json=message).raise_for_status().json()["result"]
        return Answer(result["content"][0]["text"], refused=result["isError"])


class Walk:
    """One memory, changed through a door by the draw of a seed."""

    def __init__(self, door: Door, seed: int) -> None:
        """Store the memory."""
        self._door = door
        self._draw = random.Random(seed)  # noqa: S311  (no secret comes of it)
        said = door.call("memory_store", content=TEXTS[0], tags="ops")
        self._label = LABEL.findall(said.text)[0]

    def step(self) -> tuple[str, list[str], str]:
        """Do something; return what was said of a restore, what is shown then, and the secret."""
        kind = self._draw.choices(["restore", "edit", "delete"], [5, 4, 1])[0]
        said = self._restore() if kind == "restore" else ""
        if kind == "edit":
            name = self._draw.choice(list(EDITS))
            given = {name: self._draw.choice(EDITS[name])}
            self._door.call("memory_update", id=self._label, **given)
        elif kind == "delete":
            self._door.call("memory_delete", id=self._label)
        return said, self._shown(), self._secret()

    def _restore(self) -> str:
        answer = self._door.call("memory_update", id=self._label, restore=True)
        if answer.refused:
            return LABEL.sub("it", answer.text)
        self._label = LABEL.findall(answer.text)[0]  # a server gives another number
        return LABEL.sub("it", answer.text.splitlines()[0].split(" It was ")[0])

    def _shown(self) -> list[str]:
        lines = self._door.call("memory_list").text.splitlines()
        return ["".join(found.groups()) for line in lines if (found := SHOWN.search(line))]

    def _secret(self) -> str:
        answer = self._door.call("secret_get", id=self._label)
        found = [token for token in TOKENS if token in answer.text]
        return "none" if answer.refused or not found else found[0]


@contextmanager
def http_only(home: Path, server: str) -> Iterator[Door]:
    """Start a session that keeps nothing."""
    environ = {"MEMORY_API_URL": server, "MEMORY_API_KEY": a_key(), "MEMORY_SYNC_DISABLE": "1"}
    with Session(home, environ=environ) as session:
        yield session


@contextmanager
def over_mcp(_home: Path, server: str) -> Iterator[Door]:
    """Speak to the server without the plugin."""
    with Remote(server, a_key()) as remote:
        yield remote


class Synced:
    """A session whose every change is on the server before the next one is made."""

    def __init__(self, session: Session) -> None:
        """Keep the session."""
        self._session = session

    def call(self, tool: str, **arguments: Any) -> Answer:
        """Call a tool, and wait until nothing is left to send."""
        answer = self._session.call(tool, **arguments)
        all_sent(self._session)
        return Answer(answer.text.replace(ELSEWHERE, NOTHING_KEPT), refused=answer.refused)


@contextmanager
def hybrid(home: Path, server: str) -> Iterator[Door]:
    """Start a session with a store of its own, whose secrets the server keeps."""
    with machine(home, server, a_key()) as session:
        yield Synced(session)


@promise("store.edits-can-be-undone")
@pytest.mark.parametrize("door", [http_only, over_mcp, hybrid])
@pytest.mark.parametrize("seed", SEEDS)
def test_undo_is_the_same_through_every_door(
    tmp_path: Path,
    server: str,
    door: Callable[[Path, str], AbstractContextManager[Door]],
    seed: int,
) -> None:
    """Edits, secrets, deletes and restores, drawn by a seed: each says and shows the same."""
    here = Walk(OwnStore(tmp_path / "own"), seed)
    with door(tmp_path / "other", server) as found:
        there = Walk(found, seed)
        for number in range(STEPS):
            expected = here.step()
            assert there.step() == expected, f"seed {seed}, step {number}"
