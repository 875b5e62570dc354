"""The app behind a real uvicorn on loopback, and clients that speak MCP to it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import httpx
import pytest
import uvicorn
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

from tests.support.api import KEYS, Api, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

Mode = Literal["auto", "legacy"]
ACCEPT = "application/json, text/event-stream"


@dataclass
class Served:
    """A server that listens, and what is needed to speak to it."""

    api: Api
    url: str
    numbers: Iterator[int] = field(default_factory=itertools.count)

    @asynccontextmanager
    async def client(
        self, user: str = "alice", mode: Mode = "auto", **headers: str
    ) -> AsyncIterator[Client]:
        """Connect the official SDK as one of the users, or with a key."""
        key = KEYS.get(user, user)
        named = {"Authorization": f"Bearer {key}", **headers}
        async with create_mcp_http_client(headers=named) as http:
            transport = streamable_http_client(f"{self.url}/mcp", http_client=http)
            async with Client(transport, mode=mode) as client:
                yield client

    async def post(self, body: object, user: str = "alice", **headers: str) -> httpx.Response:
        """Send one HTTP request to the address of the MCP server."""
        key = KEYS.get(user, user)
        named = {"Accept": ACCEPT, **({"Authorization": f"Bearer {key}"} if key else {})}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        async with httpx.AsyncClient(timeout=60) as http:
            if isinstance(body, bytes):
                named.setdefault("Content-Type", "application/json")
                return await http.post(f"{self.url}/mcp", content=body, headers=named)
            return await http.post(f"{self.url}/mcp", json=body, headers=named)

    async def rpc(self, method: str, params: object = None, **named: Any) -> dict[str, Any]:
        """Send one JSON-RPC request in the manner of 2025 and return the answer."""
        number = next(self.numbers)
        message = {"jsonrpc": "2.0", "id": number, "method": method}
        answer = await self.post(message | ({"params": params} if params else {}), **named)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        assert found["id"] == number
        return found

    async def tool(self, name: str, user: str = "alice", **arguments: Any) -> Said:
        """Call a tool and return what it said."""
        params = {"name": name, "arguments": arguments}
        result = (await self.rpc("tools/call", params, user=user))["result"]
        assert set(result) == {"content", "isError"}, "no structuredContent"
        (content,) = result["content"]
        assert content["type"] == "text"
        return Said(content["text"], result["isError"])


@dataclass(frozen=True)
class Said:
    """What a tool answered."""

    text: str
    is_error: bool

    @property
    def first(self) -> str:
        """Return the first line."""
        return self.text.splitlines()[0]


@asynccontextmanager
async def listening(url: str, **settings: Any) -> AsyncIterator[Served]:
    """Serve the app on a free port of the loopback interface."""
    async with running(url, **settings) as api:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            config = uvicorn.Config(api.app, lifespan="off", log_config=None, access_log=False)
            server = uvicorn.Server(config)
            server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            yield Served(api, f"http://127.0.0.1:{listener.getsockname()[1]}")
            server.should_exit = True
            await serving


@pytest.fixture
async def served(app_url: str) -> AsyncIterator[Served]:
    """Serve the app."""
    async with listening(app_url) as found:
        yield found
