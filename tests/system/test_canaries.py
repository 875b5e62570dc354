"""Canary secrets go in by every road of a real server; then they are searched for everywhere."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest

from tests.support.credentials import body
from tests.support.promises import promise
from tests.support.serving import ROOT, Serving
from tools.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.once
MCP = {"Accept": "application/json, text/event-stream"}
FEED = "/api/memories/sync"


class Canaries:
    """Makes secrets, and looks for them in whatever came out of a server."""

    def __init__(self) -> None:
        self.made: dict[str, str] = {}
        self.answers: list[str] = []

    def make(self, road: str) -> str:
        """Make a secret of its own for a road."""
        self.made[road] = "gh" + "p_" + body("alnum", 36, f"canary {road}")
        return self.made[road]

    def heard(self, answer: httpx.Response, status: int = 200) -> Any:  # noqa: ANN401  (JSON)
        """Keep an answer for the search; return what it says."""
        assert answer.status_code == status, answer.text
        self.answers.append(f"{answer.headers} {answer.text}")
        is_json = "json" in answer.headers.get("content-type", "") and "\n{" not in answer.text
        return answer.json() if is_json and answer.text else answer.text

    def seen_in(self, data: bytes) -> set[str]:
        """Return the roads whose secret is in the data, in clear or in a plain encoding."""
        return {
            road
            for road, secret in self.made.items()
            for form in (secret.encode(), secret.encode().hex().encode(), in_base64(secret))
            if form in data
        }


def in_base64(secret: str) -> bytes:
    """Return what of a secret is the same in base64 wherever it begins with a whole group."""
    return base64.b64encode(secret.encode())[:44]


def by_rest(client: httpx.Client, canaries: Canaries) -> None:
    """Store, change, delete and restore; import; read everything that can be read."""
    heard, make = canaries.heard, canaries.make
    fields = {name: f"{name} {make(name)}" for name in ("content", "tags", "expanded_keywords")}
    fields |= {name: f"{name} {make(name)}" for name in ("project", "session")}
    made = heard(client.post("/api/memories", json={**fields, "scope": "project"}))
    url = f"/api/memories/{made['id']}"
    for name in ("content", "tags", "expanded_keywords"):
        heard(client.patch(url, json={name: f"changed {make(f'patched {name}')}"}))
    forced = {"content": f"the code {make('forced')}", "force_sensitive": True}
    heard(client.post("/api/memories", json=forced))
    heard(client.post(f"{url}/restore"))
    heard(client.delete(url))
    back = heard(client.post(f"{url}/restore"))
    heard(client.get(f"{url}/history"))
    heard(client.get(f"/api/memories/{back['id']}"))
    rows = [{"content": f"imported {make('import')}"}]
    heard(client.post("/api/memories/import", json=rows))
    lines = json.dumps({"content": "a line", "tags": f"t {make('import of lines')}"})
    kind = {"Content-Type": "application/x-ndjson"}
    heard(client.post("/api/memories/import", content=lines, headers=kind))
    heard(client.post("/api/memories/recall", json={"context": f"what is {make('recall')}"}))
    heard(client.get("/api/memories", params={"tag": make("list")}))
    bad = {"content": f"bad {make('refused body')}", "nonsense": make("refused field")}
    heard(client.post("/api/memories", json=bad), 422)
    heard(client.get(f"/api/memories/{make('address')}"), 404)
    heard(client.post("/api/memories", content=f'{{"content": "{make("broken body")}'), 415)


def by_sync(client: httpx.Client, canaries: Canaries) -> None:
    """Push each kind of operation, also those that lose or are refused."""
    uid = str(uuid4())

    def op(kind: str, body: dict[str, Any], at: str = uid, base: int | None = None) -> Any:  # noqa: ANN401  (JSON)
        return {"op_id": str(uuid4()), "uid": at, "kind": kind, "base": base, "body": body}

    fields = {"content": f"replayed {canaries.make('replay')}"}
    replay = {"was": 5, "lost_after": 3, "deleted": False, "fields": fields}
    ops = [
        op("create", {"content": f"pushed {canaries.make('create')}"}, base=0),
        op("update", {"tags": f"pushed {canaries.make('update')}"}),
        op("create", {"content": f"lost {canaries.make('conflict')}"}, base=0),
        op("create", {"content": "x", "category": canaries.make("rejected")}, str(uuid4()), 0),
        op("replay", replay, str(uuid4())),
        op("delete", {}),
    ]
    results = canaries.heard(client.post(FEED, json={"ops": ops}))["results"]
    assert [one["status"] for one in results] == [
        *("applied", "applied", "conflict", "rejected", "applied", "applied")
    ]


def by_mcp(client: httpx.Client, canaries: Canaries) -> None:
    """Let an agent store and change a memory."""
    for name, arguments in (
        ("memory_store", {"content": f"told {canaries.make('mcp store')}", "tags": ["a"]}),
        ("memory_update", {"id": 1, "content": f"told {canaries.make('mcp update')}"}),
        ("memory_recall", {"context": f"which {canaries.make('mcp recall')}"}),
        ("memory_list", {}),
    ):
        params = {"name": name, "arguments": arguments}
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        canaries.heard(client.post("/mcp", json=message, headers=MCP))


def read_all(client: httpx.Client, canaries: Canaries) -> None:
    """Ask for everything that can be had without opening a secret."""
    for path in (FEED, f"{FEED}?since=2020-01-01", "/api/memories?limit=500", "/api/export"):
        canaries.heard(client.get(path))


def by_command(environ: dict[str, str], folder: Path, canaries: Canaries) -> str:
    """Import and export from the command line; return all that is said."""
    given = folder / "given.jsonl"
    given.write_text(json.dumps({"content": f"piped {canaries.make('command')}"}), "utf-8")
    usual = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    said = ""
    for words in (["import", str(given)], ["export"], ["purge", "--history-days", "30"]):
        done = subprocess.run(
            [sys.executable, "-m", "backend", *words],
            cwd=ROOT,
            env={**usual, **environ},
            capture_output=True,
            text=True,
            check=True,
        )
        said += done.stdout + done.stderr
    given.unlink()
    return said


def files_of(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Read every file below a folder; a database that runs may take one away meanwhile."""
    for parent, _, names in os.walk(folder):
        for path in (Path(parent, name) for name in names):
            with contextlib.suppress(FileNotFoundError):
                if path.is_file():
                    yield path, path.read_bytes()


@promise("server.no-clear-secret-anywhere")
def test_no_canary_is_found_anywhere(tmp_path: Path) -> None:
    """Not in the database's files and log, what servers say, metrics, or any answer."""
    canaries = Canaries()
    data = Path(tempfile.mkdtemp(dir=tmp_path))
    metrics = free_port()
    environ = {"MEMORY_DATA": str(data), "MEMORY_METRICS_PORT": str(metrics)}
    with Serving(environ) as server, server.wait_until_ready() as client:
        by_rest(client, canaries)
        by_sync(client, canaries)
        by_mcp(client, canaries)
        read_all(client, canaries)
        opened = client.post("/api/memories/2/secret").json()["content"]
        assert opened == f"the code {canaries.made['forced']}"
        shown = canaries.heard(httpx.get(f"http://127.0.0.1:{metrics}/metrics", timeout=60))
        assert "memory_requests_total" in shown
        while_it_runs = {path: canaries.seen_in(content) for path, content in files_of(data)}
        assert server.stop() == 0
    said = server.said + server.logged + by_command(environ, tmp_path, canaries)
    assert len(canaries.made) > 25
    assert canaries.seen_in("\n".join(canaries.answers).encode()) == set()
    assert canaries.seen_in(said.encode()) == set()
    after = {path: canaries.seen_in(content) for path, content in files_of(data)}
    assert len(after) > 900  # the log of the database is among them
    assert any("pg_wal" in path.parts for path in after)
    assert {path: roads for path, roads in (while_it_runs | after).items() if roads} == {}
