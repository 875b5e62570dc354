"""Plays one journey against an MCP server with whichever line of the official SDK is installed.

    PYTHON sdk_client.py       the plan is JSON on stdin; what the SDK saw is JSON on stdout

The tests run this same program on the 2.x and on the 1.x line, each in its own environment, and
compare what it saw with the same expectations.

    command    the server's command line
    version    protocol version to ask for; the SDK's own choice where it is missing
    mode       "legacy" or, on 2.x, "auto": probe server/discover first
    calls      [tool, arguments] one after the other
    together   the same, all at once
    cancelled  one call, the file that is there once it runs, and the one it leaves when cancelled
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
import mcp
import mcp.client.session as sdk
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

types: Any = mcp.types  # the two lines spell their fields differently
Client: Any = getattr(mcp, "Client", None)  # only 2.x has it
HANG = 60.0  # seconds; a guard against hanging, not a promise
Seen = dict[str, Any]


def dumped(model: Any) -> Any:  # noqa: ANN401  (a JSON boundary)
    """Write a model of either line as it stood on the wire."""
    return model.model_dump(by_alias=True, mode="json", exclude_none=True)


@asynccontextmanager
async def connected(plan: Seen, seen: Seen) -> AsyncIterator[Any]:
    """Start the server and shake hands."""
    command, *arguments = plan["command"]
    server = StdioServerParameters(command=command, args=arguments, env=dict(os.environ))

    async def hear(message: object) -> None:
        if isinstance(message, Exception):
            seen["malformed"].append(repr(message))

    if Client is not None:
        async with Client(server, mode=plan["mode"], message_handler=hear) as client:
            seen["initialize"] = dumped(client.session.initialize_result)
            yield client.session
        return
    async with stdio_client(server) as streams, ClientSession(*streams, message_handler=hear) as it:
        seen["initialize"] = dumped(await it.initialize())
        yield it


def ask_for(version: str) -> None:
    """Make the SDK open with an older version: it has no switch for that."""
    if Client is not None:
        vars(sdk)["LATEST_HANDSHAKE_VERSION"] = version
    else:
        vars(types)["LATEST_PROTOCOL_VERSION"] = version


async def call(session: Any, tool: str, arguments: Seen) -> Seen:  # noqa: ANN401  (either line's)
    """Call a tool; return its result or its error."""
    try:
        result = await session.call_tool(tool, arguments)
    except Exception as error:  # noqa: BLE001  (McpError in one line, MCPError in the other)
        return {"error": error_of(error)}
    return {"result": dumped(result)}


def error_of(error: Any) -> Any:  # noqa: ANN401  (either line's)
    """Return the JSON-RPC error; anything else is a defect and goes on."""
    if not hasattr(error, "error"):
        raise error
    return dumped(error.error)


async def call_together(session: Any, calls: list[Any]) -> list[Seen]:  # noqa: ANN401
    """Call all at once; return the results in the order of the calls."""
    results: list[Seen] = [{} for _ in calls]

    async def one(at: int, tool: str, arguments: Seen) -> None:
        results[at] = await call(session, tool, arguments)

    async with anyio.create_task_group() as group:
        for at, (tool, arguments) in enumerate(calls):
            group.start_soon(one, at, tool, arguments)
    return results


async def cancel(
    session: Any,  # noqa: ANN401  (either line's)
    tool: str,
    arguments: Seen,
    started: str,
    trace: str,
) -> bool:
    """Cancel a call that runs; return whether its handler noticed."""
    request_id = getattr(session, "_request_id", None)  # 1.x sends no cancellation by itself

    async def start() -> None:
        await session.call_tool(tool, arguments)

    async with anyio.create_task_group() as group:
        group.start_soon(start)
        while not await anyio.Path(started).exists():
            await session.send_ping()
        if Client is None:
            params = types.CancelledNotificationParams(requestId=request_id)
            notification = types.CancelledNotification(
                method="notifications/cancelled", params=params
            )
            await session.send_notification(types.ClientNotification(notification))
        group.cancel_scope.cancel()
    while not await anyio.Path(trace).exists():
        await session.send_ping()
    return True


async def play(plan: Seen) -> Seen:
    """Play the whole journey."""
    seen: Seen = {"malformed": []}
    with anyio.fail_after(HANG):
        async with connected(plan, seen) as session:
            seen["ping"] = dumped(await session.send_ping())
            seen["tools"] = dumped(await session.list_tools())["tools"]
            try:
                await session.list_prompts()
            except Exception as error:  # noqa: BLE001  (as in `call`)
                seen["prompts"] = error_of(error)
            seen["calls"] = [await call(session, *each) for each in plan.get("calls", [])]
            seen["together"] = await call_together(session, plan.get("together", []))
            if "cancelled" in plan:
                seen["cancelled"] = await cancel(session, *plan["cancelled"])
                seen["after"] = dumped(await session.send_ping())
    return seen


if __name__ == "__main__":
    wanted = json.load(sys.stdin)
    if "version" in wanted:
        ask_for(wanted["version"])
    print(json.dumps(anyio.run(play, wanted)))
