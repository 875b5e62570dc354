"""Remote MCP: the tools for clients without the plugin. Its contract is the protocol's own.

So neither address is in the OpenAPI document: one speaks MCP, the other is described by RFC 9728.
Who calls, from where and how much is refused as everywhere; what is no message, in JSON-RPC.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from backend.dependencies import ApiRoute, Shared, desk_of, provided
from backend.errors import Malformed, Unauthorized
from backend.fields import NAME_LIMIT
from backend.remote import jsonrpc
from backend.remote.answers import Visit
from backend.remote.site import METADATA, Site, is_loopback
from backend.services import reading

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from starlette.types import Message, Receive, Scope, Send

    from backend.remote.door import Door

JSON_ALONE = re.compile(r"application/json\s*(?:;.*)?", re.IGNORECASE)
OFFERED = ["read", "write", "secret"]


class McpRoute(ApiRoute):
    """A route that looks at where a call comes from, and tells strangers where to get a key."""

    types: Mapping[str, re.Pattern[str]] = {"application/json": JSON_ALONE}
    any_query = True  # clients may have an address with one, for a proxy on the way
    reads_body = True

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Put these checks before the others."""
        handle = super().get_route_handler()

        async def checked(request: Request) -> Response:
            site = site_of(request)
            site.check(request.headers.get("origin"))
            try:
                return await handle(request)
            except Unauthorized as error:
                error.headers["WWW-Authenticate"] = site.challenge
                raise
            except Malformed as error:
                return _refused(jsonrpc.Refused(jsonrpc.PARSE_ERROR, f"Parse error: {error}"))
            except jsonrpc.Refused as error:
                return _refused(error)

        return checked


class Handed(Response):
    """A request handed on to the MCP server, with its body, which was read before."""

    def __init__(self, door: Door, body: bytes) -> None:
        """Keep who answers, and what was sent."""
        super().__init__()
        self._door, self._sent = door, body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the MCP server answer."""
        parts: list[Message] = [{"type": "http.request", "body": self._sent, "more_body": False}]

        async def again() -> Message:
            return parts.pop() if parts else await receive()

        await self._door.serve(scope, again, send)


router = APIRouter(include_in_schema=False)
calls = APIRouter(route_class=McpRoute, include_in_schema=False)


@calls.post("/mcp")
async def call(request: Request, shared: Shared) -> Response:
    """Answer one message of an MCP client."""
    caller = request.state.caller
    project = request.headers.get("x-memory-project", "").strip()[:NAME_LIMIT]
    request.state.visit = Visit(caller, desk_of(shared, caller), project)
    body = await request.body()
    message = jsonrpc.decode(body)
    reading.loads(body)  # which refuses two values of one field; the SDK would take the last
    # The SDK takes a bad id for none, and answers nothing.
    if jsonrpc.read(message) is None:  # an answer, though nothing was asked
        return Response(status_code=202)
    return Handed(shared.remote, body)


def _refused(error: jsonrpc.Refused) -> Response:
    """Answer what is no message, which may have no usable id."""
    return JSONResponse(jsonrpc.error(error.request_id, error.code, str(error)), 400)


@router.get(METADATA)
@router.get(METADATA + "/mcp")
async def describe(request: Request) -> dict[str, Any]:
    """Say what a client has to know before it asks for a key."""
    return {
        "resource": f"{site_of(request).url}/mcp",
        "resource_name": "claude-memory",
        "scopes_supported": OFFERED,
        "bearer_methods_supported": ["header"],
    }


def site_of(request: Request) -> Site:
    """Return the server as a request found it."""
    address, _port = request.scope.get("server") or ("", None)
    return Site(
        request.url.scheme,
        request.headers.get("host", ""),
        provided(request).public_url,
        is_local=is_loopback(address),
    )


router.include_router(calls)
