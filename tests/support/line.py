"""A line to a server that says what a test wants, under the shipped engine and remote."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

from claude_memory.errors import RemoteUnreachable
from claude_memory.service.secrets import Unattended
from claude_memory.store.bindings import fingerprint
from claude_memory.sync.engine import Engine
from claude_memory.sync.files import Files
from claude_memory.sync.remote import Remote
from claude_memory.sync.transport import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from claude_memory.sync.transport import Transport

    from tests.support.desk import Desk

Json = dict[str, Any]
SERVER = {"MEMORY_API_URL": "https://memory.example.com", "MEMORY_API_KEY": "key-for-" + "tests"}
OURS = fingerprint(SERVER["MEMORY_API_URL"], SERVER["MEMORY_API_KEY"])


class Line:
    """The Transport to a server that applies whatever is pushed and has the rows it is given."""

    def __init__(self) -> None:
        """Begin as a server that lets everything pass."""
        self.hello: Json = {
            "server_id": "s",
            "account_id": "a",
            "epoch": "e",
            "scopes": ["read", "write"],
            "protocol": {"min": 1, "max": 1},
            "limits": {"ops": 200, "bytes": 1_048_576},
            "live": 0,
        }
        self.headers: dict[str, str] = {}
        self.problem: tuple[int, Json] | None = None  # instead of every answer
        self.is_cut = False
        self.outcome: Json = {"status": "applied"}  # of each operation
        self.rows: dict[str, Json] = {}
        self.pages: list[list[Json]] = []  # instead of all rows in one
        self.version = 0

    def request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None
    ) -> Response:
        """Answer one request."""
        del headers
        if self.is_cut:
            message = "memory.example.com:443 cannot be reached: Connection refused."
            raise RemoteUnreachable(message)
        if self.problem is not None:
            status, said = self.problem
            return Response(status, self.headers, json.dumps(said).encode())
        if path == "/api/sync/hello":
            return self._said(self.hello)
        if method == "POST":
            ops = json.loads(body or b"{}")["ops"]
            return self._said({"results": [self._result(op) for op in ops]})
        rows = self.pages.pop(0) if self.pages else list(self.rows.values())
        more = bool(self.pages)
        page = {"memories": rows, "cursor": f"c{self.version}", "version": self.version}
        return self._said({**page, "has_more": more})

    def close(self) -> None:
        """Let go of nothing."""

    def _said(self, answer: Json) -> Response:
        return Response(200, self.headers, json.dumps(answer).encode())

    def _result(self, op: Json) -> Json:
        self.version += 1
        current = row(self.version, op["body"].get("content", "As the server has it"), op["uid"])
        given = None if self.outcome["status"] == "rejected" else current
        if self.outcome["status"] == "applied":
            self.rows[op["uid"]] = current
        return {"op_id": op["op_id"], "current": given, **self.outcome}


def row(number: int, content: str, uid: str = "") -> Json:
    """Return a memory as the server has it, numbered as it is versioned."""
    made = uid or f"00000000-0000-7000-8000-{number:012}"
    return {"uid": made, "id": number, "version": number, "content": content, "deleted_at": None}


def engine(desk: Desk, line: Transport, key: str = OURS) -> Engine:
    """Return the engine of a session, with a line instead of the network."""
    return Engine(
        desk.place,
        Remote(line, desk.settings.api_key),
        Files(desk.place.home, key),
        Unattended(desk.place, desk.door),
        now=desk.tick,
        chance=random.Random(1),  # noqa: S311  (repeatable)
    )


def synced(desk: Desk, line: Line, until: str = "", times: int = 1, *, key: str = OURS) -> None:
    """Make a pass, or as much of it as there is before a step comes for the nth time."""
    for step in engine(desk, line, key).cycle():
        times -= step == until
        if not times and until:
            return
