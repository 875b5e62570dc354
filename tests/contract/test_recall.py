"""Plugin and server order alike: each case of recall/cases.json, asked of both."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from claude_memory import tools
from claude_memory.__main__ import Assembly
from claude_memory.service.interface import NewMemory
from claude_memory.service.local import LocalService
from claude_memory.settings import Settings
from claude_memory.stdio.calls import Call
from claude_memory.stdio.jsonrpc import Request

from tests.backend.conftest import (  # noqa: F401  (fixtures)
    database_name,
    postgres,
    worker,
    worker_database,
)
from tests.support.api import Api, running
from tests.support.postgres import LOGIN, Server
from tests.support.promises import promise

if TYPE_CHECKING:
    Case = dict[str, Any]

pytestmark = pytest.mark.once
CASES: list[Case] = json.loads(
    Path(__file__).with_name("recall").joinpath("cases.json").read_text()
)
NAMED = re.compile(r"^(L\d+) ", re.MULTILINE)
NOT_ASKED = {"first", "order", "found", "never", "project"}
NEVER = "9999"
each = pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])


def memories(case: Case) -> dict[str, Case]:
    """Return the fields of each memory by its name, in the order of storing."""
    named = case["memories"].items()
    return {name: one if isinstance(one, dict) else {"content": one} for name, one in named}


def arguments(ask: Case) -> Case:
    """Return what the tool and the API take alike."""
    return {name: value for name, value in ask.items() if name not in NOT_ASKED}


def check(case: Case, ask: Case, found: list[str]) -> None:
    """Compare what was found, best first, with what is expected."""
    first = ask.get("first", [])
    assert found[: len(first)] == first, (ask["context"], found)
    order = ask.get("order", [])
    assert [name for name in found if name in order] == order, (ask["context"], found)
    assert set(ask.get("found", [])) <= set(found), (ask["context"], found)
    assert not set(ask.get("never", [])) & set(found), (ask["context"], found)
    assert set(found) <= set(case["memories"])


@promise("recall.plugin-and-server-order-alike")
@each
def test_plugin_and_server_order_alike(
    case: Case,
    tmp_path: Path,
    postgres: Server,  # noqa: F811
    database_name: str,  # noqa: F811
) -> None:
    """Both find what is expected, and everything else in the same order, too."""
    plugin = ask_plugin(case, tmp_path)
    server = asyncio.run(ask_server(case, postgres.url(database_name, LOGIN)))
    for ask, by_plugin, by_server in zip(case["asks"], plugin, server, strict=True):
        check(case, ask, by_plugin)
        check(case, ask, by_server)
        assert by_server == by_plugin, ask["context"]


def ask_plugin(case: Case, home: Path) -> list[list[str]]:
    """Store all memories of a case, and ask through the tool."""
    environ = {"MEMORY_HOME": str(home)}
    settings = Settings.from_env(environ)
    assembly = Assembly(settings, environ, project_folder=str(home), session="asking")
    numbers: dict[str, str] = {}
    for name, fields in memories(case).items():
        given = {"project": "", "session": "", **fields}
        then = given.get("created_at", datetime.now(UTC).isoformat())  # so it may expire by now
        place = replace(assembly.place, now=partial(datetime.fromisoformat, then))
        service = LocalService(place, assembly.door, settings)
        if "supersedes" in given:
            given["supersedes"] = numbers[given["supersedes"]]
        numbers[name] = f"L{service.store(NewMemory(**given)).memory.local_no}"
    names = {number: name for name, number in numbers.items()}
    found = []
    for ask in case["asks"]:
        place = replace(assembly.place, project=ask.get("project", ""))
        asked = LocalService(place, assembly.door, settings)
        request = Request(1, "tools/call", {"name": "memory_recall", "arguments": arguments(ask)})
        answers = {tool.name: answer for tool, answer in tools.build(asked, asked)}
        text = answers["memory_recall"](Call(request))
        found.append([names[number] for number in NAMED.findall(text)])
    assembly.place.connection().close()
    return found


async def ask_server(case: Case, url: str) -> list[list[str]]:
    """Store all memories of a case, and ask over HTTP."""
    numbers: dict[str, str] = {}
    last: Counter[str] = Counter()
    async with running(url) as api:
        for name, fields in memories(case).items():
            body = dict(fields)
            if "supersedes" in body:
                body["supersedes"] = numbers[body["supersedes"]]
            if "session" in body:
                last[body["session"]] += 1
                body["session_seq"] = last[body["session"]]
            if body.get("expires_at", NEVER) < datetime.now(UTC).isoformat():
                # What was stored before it ended comes by an import.
                (made,) = await posted(api, "/import", [body])
            else:
                made = await posted(api, "", body)
            numbers[name] = str(made["id"])
        names = {number: name for name, number in numbers.items()}
        found = []
        for ask in case["asks"]:
            where = {"scope": ask.get("scope", ""), "project": ask.get("project", "")}
            answer = await posted(api, "/recall", {**arguments(ask), **where})
            found.append([names[str(one["id"])] for one in answer["memories"]])
    return found


async def posted(api: Api, path: str, body: Case | list[Case]) -> Any:  # noqa: ANN401  (JSON)
    """Send a body to the API of memories; return what it answers."""
    answer = await api.alice.post(f"/api/memories{path}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()
