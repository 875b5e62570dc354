"""A week without a network: ten thousand changes, and then the cable is in again."""

from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import pytest

from tests.support.hybrid import all_sent, machine
from tests.support.island import Island
from tests.support.promises import promise
from tests.support.sessions import SERVER, Session, rows
from tests.support.waiting import comes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.heavy, pytest.mark.once, pytest.mark.timeout(1_800)]
WRITES = 10_000
PATIENCE = 600.0  # seconds; how fast it goes is for the benchmark to say


@pytest.fixture
def island(server: str) -> Iterator[Island]:
    """Return a network of its own with a way to the server."""
    parts = urlsplit(server)
    with Island(str(parts.hostname), int(parts.port or 0)) as found:
        yield found


def exported(server: str, key: str) -> list[str]:
    """Return all texts that the server has for a key."""
    asked = {"Authorization": f"Bearer {key}"}
    answer = httpx.get(f"{server}/api/export", headers=asked, timeout=60).raise_for_status()
    lines = [json.loads(line) for line in answer.text.splitlines()]
    return sorted(line["content"] for line in lines if "content" in line)


def here(home: Path) -> list[str]:
    """Return all texts that a store holds."""
    return sorted(text for (text,) in rows(home, "SELECT content FROM memories WHERE live = 1"))


def work(session: Session, writes: int, chance: Random) -> list[str]:
    """Store, edit and delete so many times; return what is there in the end."""
    texts: dict[str, str] = {}
    for number in range(writes):
        kind = chance.choices(("store", "edit", "delete"), (6, 3, 1))[0] if texts else "store"
        if kind == "store":
            content = f"Offline fact {number}: {chance.getrandbits(64):x}."
            texts[session.store(content)] = content
            continue
        label = chance.choice(list(texts))
        if kind == "delete":
            session.done("memory_delete", id=label)
            del texts[label]
        else:
            texts[label] = f"Edited offline as change {number}."
            session.done("memory_update", id=label, content=texts[label])
    return sorted(texts.values())


@promise("sync.offline-for-a-week")
def test_week_of_offline_work_catches_up(
    tmp_path: Path, server: str, island: Island, key: str
) -> None:
    """All of it arrives, once, and tools answer all along; another machine then has the same."""
    home = tmp_path / "a"
    settings = {"MEMORY_API_URL": island.cable.url, "MEMORY_API_KEY": key}
    with Session(home, environ=settings, command=island.inside(SERVER)) as one:
        one.done("memory_list")
        comes(lambda: one.call("memory_status").text, "in step")
        island.cut()
        wanted = work(one, WRITES, Random(4))  # noqa: S311  (to be repeated)
        assert exported(server, key) == []
        island.join()
        all_sent(one, PATIENCE)
        comes(lambda: str(exported(server, key) == wanted), "True")
    assert here(home) == wanted
    with machine(tmp_path / "b", server, key) as other:
        comes(
            lambda: other.call("memory_list").text and str(here(tmp_path / "b") == wanted),
            "True",
            PATIENCE,
        )
