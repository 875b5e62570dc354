"""What the plugin exports can be imported by the server, and the other way round."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.backend.conftest import (  # noqa: F401  (fixtures)
    database_name,
    postgres,
    worker,
    worker_database,
)
from tests.support import shell
from tests.support.api import Api, running, stored
from tests.support.desk import Desk
from tests.support.postgres import LOGIN, Server
from tests.support.promises import promise

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import httpx

    Row = dict[str, Any]

pytestmark = [pytest.mark.once, pytest.mark.anyio]
SECRET = "ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"
PROJECT = "github.com/acme/site"
LINES = {"Content-Type": "application/x-ndjson"}
ANEW = {"local_no", "no", "updated_at"}  # what each store gives by itself
LEFT_OUT = {"history", "sealed"}  # what a server has no place for, and says so
TIMES = {"created_at", "expires_at"}


@pytest.fixture
async def api(
    postgres: Server,  # noqa: F811
    database_name: str,  # noqa: F811
) -> AsyncIterator[Api]:
    """Run a server that has nothing yet."""
    async with running(postgres.url(database_name, LOGIN)) as found:
        yield found


def furnish(home: Path) -> None:
    """Fill a store of the plugin with one of everything that a server can hold."""
    desk = Desk(home, project=PROJECT, session="the first session")
    desk.store("Use npm for everything", tags="b, a", importance=0.9, category="preferences")
    desk.store("Use pnpm, not npm", supersedes="L1", expanded_keywords="package manager")
    desk.store("The staging freeze is on", expires_at="2031-01-01", scope="project")
    desk.store(f"The deploy token is {SECRET}")
    desk.store("Ann runs the site's build", category="people")
    desk.call("memory_update", id="L5", content="Ann runs the site's build and tests", tags="x")
    desk.store("One line\nand another\u2028and a third \U0001f511 \u5bc6\u7801")
    desk.store("Nobody needs this")
    desk.call("memory_delete", id="L7")


async def furnish_server(client: httpx.AsyncClient) -> None:
    """Fill an account with one of everything that an export of a server holds."""
    text = 'Quotes " and ünïcödé 会议\nand lines'
    old = await stored(client, text, tags="a, b", importance=0.123)
    await stored(client, "Newer", supersedes=old["uid"], expires_at="2100-01-01T00:00:00.5Z")
    await stored(client, "Here", scope="project", project=PROJECT, session="s", session_seq=3)
    await stored(client, f"The token is {SECRET}")
    gone = await stored(client, "Deleted")
    await client.delete(f"/api/memories/{gone['id']}")


def of_plugin(home: Path) -> list[Row]:
    """Return the memories of an export of the plugin, without its header."""
    text = shell.said(shell.run(home, "export"))
    return [json.loads(line) for line in text.split("\n")[1:] if line]


async def of_server(client: httpx.AsyncClient) -> list[Row]:
    """Return the memories of an export of the server."""
    text = (await client.get("/api/export")).text
    return [json.loads(line) for line in text.split("\n") if line]


def comparable(rows: list[Row]) -> list[Row]:
    """Return memories in the order of their uids, without what moving them changes."""
    return sorted(map(_comparable, rows), key=lambda row: row["uid"])


def _comparable(row: Row) -> Row:
    kept = {name: row[name] or "" for name in row.keys() - ANEW - LEFT_OUT}
    times = {name: datetime.fromisoformat(kept[name]) for name in TIMES if kept[name]}
    return {**kept, **times}


@promise("portability.plugin-and-server-read-each-other")
@pytest.mark.parametrize("is_list", [False, True], ids=["lines", "list"])
async def test_server_imports_what_the_plugin_exports(
    api: Api, tmp_path: Path, *, is_list: bool
) -> None:
    """Every field that it has a place for; what it has none for is named at each memory."""
    furnish(tmp_path)
    file = tmp_path / "export.jsonl"
    shell.run(tmp_path, "export", file)
    content = file.read_bytes()
    if is_list:
        content = json.dumps([json.loads(line) for line in content.splitlines()]).encode()
    kind = {"Content-Type": "application/json"} if is_list else LINES

    answer = await api.alice.post("/api/memories/import", content=content, headers=kind)

    assert answer.status_code == 200, answer.text
    exported = of_plugin(tmp_path)
    assert comparable(await of_server(api.alice)) == comparable(exported)
    told = {one["uid"]: one.get("left_out", []) for one in answer.json()}
    assert told == {
        row["uid"]: [name for name in ("history", "sealed") if row[name]] for row in exported
    }
    assert sorted(told.values()) == [[], [], [], [], ["history"], ["sealed"]]
    again = await api.alice.post("/api/memories/import", content=content, headers=kind)
    assert again.json() == answer.json()


async def test_secret_that_a_server_has_is_not_told_as_left_out(api: Api) -> None:
    """Its own export, which holds no seal, changes nothing where it came from."""
    await stored(api.alice, f"The token is {SECRET}")
    content = (await api.alice.get("/api/export")).content
    here = await api.alice.post("/api/memories/import", content=content, headers=LINES)
    there = await api.bob.post("/api/memories/import", content=content, headers=LINES)
    assert [one.get("left_out") for one in (*here.json(), *there.json())] == [None, ["sealed"]]


@promise("portability.plugin-and-server-read-each-other")
async def test_plugin_imports_what_the_server_exports(api: Api, tmp_path: Path) -> None:
    """Every field of it; that the secrets stayed there is said, and nothing comes twice."""
    await furnish_server(api.alice)
    exported = await api.alice.get("/api/export")
    file = tmp_path / "export.jsonl"
    file.write_bytes(exported.content)
    left = "1 secret did not come along: the file holds the placeholder alone.\n"

    preview = shell.said(shell.run(tmp_path, "import", "--preview", file))
    assert preview.endswith(f"4 memories would be imported, 0 already here.\n{left}")
    said = shell.said(shell.run(tmp_path, "import", file))

    assert said == f"4 memories imported, 0 already here.\n{left}"
    found = of_plugin(tmp_path)
    assert comparable(found) == comparable(await of_server(api.alice))
    assert all(row["updated_at"] == row["created_at"] for row in found)
    [line] = Desk(tmp_path).texts("memory_recall", context="quotes lines")
    assert line.endswith('"Newer"')  # which supersedes what was asked for
    again = shell.said(shell.run(tmp_path, "import", file))
    assert again == "0 memories imported, 4 already here.\n"


async def test_export_that_went_through_both_comes_back(api: Api, tmp_path: Path) -> None:
    """From a machine to the server, from there to another machine, and to the server again."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    furnish(tmp_path / "one")
    file = tmp_path / "export.jsonl"
    shell.run(tmp_path / "one", "export", file)
    await api.alice.post("/api/memories/import", content=file.read_bytes(), headers=LINES)
    file.write_bytes((await api.alice.get("/api/export")).content)
    shell.run(tmp_path / "two", "import", file)
    assert comparable(of_plugin(tmp_path / "two")) == comparable(of_plugin(tmp_path / "one"))

    shell.run(tmp_path / "two", "export", file)
    back = await api.bob.post("/api/memories/import", content=file.read_bytes(), headers=LINES)

    assert back.status_code == 200, back.text
    assert await of_server(api.bob) == await of_server(api.alice)
    assert [one["left_out"] for one in back.json() if "left_out" in one] == [["sealed"]]


async def test_export_of_a_later_format_is_refused(api: Api) -> None:
    """What it holds cannot be known; the header is named, not what stands below it."""
    lines = b'\n{"format": "claude-memory", "format_version": 2}\n{"content": "a"}\n'
    answer = await api.alice.post("/api/memories/import", content=lines, headers=LINES)
    assert answer.status_code == 422
    told = "Row 2: format_version: This server reads the format claude-memory 1 alone"
    assert answer.json()["detail"] == told
    assert await of_server(api.alice) == []
