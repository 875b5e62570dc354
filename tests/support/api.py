"""The real app on a real database, spoken to in process through its whole stack."""

from __future__ import annotations

import asyncio
import io
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from backend.app import create_app
from backend.db import Database
from backend.settings import Settings
from backend.telemetry import Telemetry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from fastapi import FastAPI

    from backend.secrets.keeper import Keeper

KEYS = {"alice": "alice-" + "key-for-tests", "bob": "bob-" + "key-for-tests"}
ENCRYPTION_KEY = "0f" * 32
PATIENCE = 60  # seconds until something that is bound to come has come
PLENTY = 1_000_000  # a rate that no test reaches


@dataclass
class Api:
    """An app that runs, with a client for each of its users."""

    app: FastAPI
    url: str
    logs: io.StringIO
    clients: dict[tuple[str, type], httpx.AsyncClient] = field(default_factory=dict)

    @property
    def alice(self) -> httpx.AsyncClient:
        """Return the client of one user."""
        return self.with_key(KEYS["alice"])

    @property
    def bob(self) -> httpx.AsyncClient:
        """Return the client of another user."""
        return self.with_key(KEYS["bob"])

    @property
    def nobody(self) -> httpx.AsyncClient:
        """Return a client without a key."""
        return self.with_key("")

    def with_key(self, key: str) -> httpx.AsyncClient:
        """Return a client that sends this key."""
        return self._client(key, httpx.ASGITransport)

    def patient(self, key: str) -> httpx.AsyncClient:
        """Return one that asks again where the server is busy, as real clients do."""
        return self._client(key, _Patient)

    def _client(self, key: str, kind: type[httpx.ASGITransport]) -> httpx.AsyncClient:
        if (key, kind) not in self.clients:
            headers = {"Authorization": f"Bearer {key}"} if key else {}
            self.clients[key, kind] = httpx.AsyncClient(
                transport=kind(app=self.app), base_url="http://test", headers=headers, timeout=60
            )
        return self.clients[key, kind]

    def logged(self) -> list[dict[str, Any]]:
        """Return what was logged."""
        return [json.loads(line) for line in self.logs.getvalue().splitlines()]


class _Patient(httpx.ASGITransport):
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        while True:
            answer = await super().handle_async_request(request)
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                return answer


@asynccontextmanager
async def running(url: str, *, keeper: Keeper | None = None, **changes: Any) -> AsyncIterator[Api]:
    """Run the app on a database, with another keeper or other settings where they are named."""
    named: dict[str, Any] = {
        "database_url": url,
        "migration_url": url,
        "migrate": "off",
        "keys": KEYS,
        "encryption_key": ENCRYPTION_KEY,
        "rate": PLENTY,
        "burst": PLENTY,
    } | changes
    logs = io.StringIO()
    settings = Settings(**named)
    database = Database(url, pool_size=settings.pool_size)
    app = create_app(settings, database=database, keeper=keeper, telemetry=Telemetry(logs))
    api = Api(app, url, logs)
    async with app.router.lifespan_context(app):
        yield api
        for client in api.clients.values():
            await client.aclose()


async def stored(client: httpx.AsyncClient, content: str, **fields: Any) -> dict[str, Any]:
    """Store a memory and return what the API answers."""
    answer = await client.post("/api/memories", json={"content": content, **fields})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for something that is bound to come."""
    for _ in range(PATIENCE * 50):
        if is_so():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it never came to that")
