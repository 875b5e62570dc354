"""The tools behind the official SDK, whose import costs a second and 40 MB: only `door` asks it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import mcp_types as types
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared.exceptions import MCPError

from backend.errors import ApiError, OutcomeUnknown, Unavailable
from backend.remote.answers import TOOLS, answer
from backend.remote.arguments import Refused
from backend.remote.definitions import DEFINITIONS, INSTRUCTIONS
from backend.schemas import BODY_LIMIT
from backend.version import VERSION

if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext
    from starlette.requests import Request

    from backend.remote.answers import Visit
    from backend.remote.definitions import Definition
    from backend.telemetry import Telemetry

SCHEMAS = {one.name: one.schema for one in DEFINITIONS}
UNCERTAIN = (
    "It is not known whether this was done: recall or list the memories before you ask again."
)
UNDONE = "Nothing was done; try again in a moment."
UP_FRONT = {"anthropic/alwaysLoad": True}


def build(telemetry: Telemetry) -> StreamableHTTPSessionManager:
    """Make the server; every request is one of its own, and `telemetry` hears what goes wrong."""
    _silence()

    async def call(
        context: ServerRequestContext[Any, Request], params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        if params.name not in TOOLS:
            raise MCPError(types.INVALID_PARAMS, f"Unknown tool: {params.name[:60]}")
        assert context.request is not None  # noqa: S101  (every call comes over HTTP)
        visit: Visit = context.request.state.visit
        try:
            return _said(await answer(visit, params.name, params.arguments or {}))
        except Refused as error:
            return _said(str(error), is_error=True)
        except Unavailable as error:
            telemetry.unavailable(context.request.state.request_id, error.__cause__ or error)
            what_of_it = UNCERTAIN if isinstance(error, OutcomeUnknown) else UNDONE
            return _said(f"{error} {what_of_it}", is_error=True)
        except ApiError as error:
            return _said(f"{error} {error.fix}", is_error=True)
        except Exception as error:  # noqa: BLE001  (the last resort: what it says may be private)
            telemetry.failed(context.request.state.request_id, error)
            return _said(f"{ApiError.title} {ApiError.fix}", is_error=True)

    server: Server[Any] = Server(
        "claude-memory",
        version=VERSION,
        instructions=INSTRUCTIONS,
        on_list_tools=_list,
        on_call_tool=call,
        get_tool_input_schema=SCHEMAS.get,
    )
    return StreamableHTTPSessionManager(
        server, json_response=True, stateless=True, max_request_body_size=BODY_LIMIT
    )


async def _list(
    _context: ServerRequestContext[Any, Any], _params: types.PaginatedRequestParams | None
) -> types.ListToolsResult:
    return types.ListToolsResult(tools=list(map(_tool, DEFINITIONS)))


def _tool(one: Definition) -> types.Tool:
    hints = types.ToolAnnotations(
        read_only_hint=one.changes_nothing or None, destructive_hint=one.destroys or None
    )
    return types.Tool(
        name=one.name,
        description=one.description,
        input_schema=one.schema,
        annotations=hints if one.changes_nothing or one.destroys else None,
        _meta=UP_FRONT if one.up_front else None,
    )


def _said(text: str, *, is_error: bool = False) -> types.CallToolResult:
    plain = text.encode("utf-8", "replace").decode()
    return types.CallToolResult(content=[types.TextContent(text=plain)], is_error=is_error)


def _silence() -> None:
    """Keep the SDK from logging: its tracebacks may hold what a caller sent."""
    logger = logging.getLogger("mcp")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
