"""The way to the remote MCP server, which is not there before somebody asks for it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from anyio import to_thread

if TYPE_CHECKING:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
    from starlette.types import Receive, Scope, Send

    from backend.telemetry import Telemetry


class Door:
    """Opens once, at the first call, and closes with the app.

    The SDK's manager can be started only once, and has to be left by the task that entered it: so
    it has a task of its own for as long as the app lives, whichever request came first.
    """

    def __init__(self, telemetry: Telemetry) -> None:
        """Start nothing yet; `telemetry` hears of what goes wrong."""
        self._telemetry = telemetry
        self._host: asyncio.Task[None] | None = None
        self._opened: asyncio.Future[StreamableHTTPSessionManager] | None = None
        self._closing = asyncio.Event()

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the server answer one request."""
        if self._opened is None:
            self._opened = asyncio.get_running_loop().create_future()
            self._host = asyncio.create_task(self._live(self._opened))
        manager = await asyncio.shield(self._opened)
        await manager.handle_request(scope, receive, send)

    async def close(self) -> None:
        """End the server, if it ever began."""
        self._closing.set()
        if self._host is not None:
            await self._host

    async def _live(self, opened: asyncio.Future[StreamableHTTPSessionManager]) -> None:
        try:
            manager = await to_thread.run_sync(_build, self._telemetry)
            async with manager.run():
                opened.set_result(manager)
                await self._closing.wait()
        except Exception as error:
            if opened.done():
                raise
            opened.set_exception(error)
            self._opened = None  # the next call tries again


def _build(telemetry: Telemetry) -> StreamableHTTPSessionManager:
    from backend.remote import server

    return server.build(telemetry)
