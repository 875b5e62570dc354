"""One tool, one call of it, and the answers a call can get."""

from __future__ import annotations

from collections import namedtuple

from claude_memory.stdio import jsonrpc
from claude_memory.stdio.jsonrpc import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import NamedTuple

    from claude_memory.stdio.jsonrpc import Message, Request

    class Tool(NamedTuple):
        """One tool as clients see it; a hidden one is callable but not listed."""

        name: str
        description: str
        schema: Mapping[str, object]
        annotations: Mapping[str, object] = {}
        meta: Mapping[str, object] = {}
        hidden: bool = False

else:
    Tool = namedtuple(
        "Tool", "name description schema annotations meta hidden", defaults=({}, {}, False)
    )


class Call:
    """One call of a tool; `cancelled` becomes true when the client no longer wants an answer."""

    def __init__(self, request: Request) -> None:
        """Read the call out of a `tools/call` request.

        Raises:
            Refused: a part of it has the wrong type.
        """
        self.id = request.id
        self.tool = text_of(request.params, "name")
        self.arguments = _arguments_of(request.params)
        self.cancelled = False


def text_of(params: Message, name: str) -> str:
    """Return a required text.

    Raises:
        Refused: it is missing or something else.
    """
    value = params.get(name)
    if not isinstance(value, str):
        raise _wrong_type(name, "a string")
    return value


def _arguments_of(params: Message) -> Message:
    value = params.get("arguments")
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _wrong_type("arguments", "an object")
    return value


def _wrong_type(name: str, wanted: str) -> Refused:
    return Refused(jsonrpc.INVALID_PARAMS, f'Invalid params: "{name}" must be {wanted}.')


def listing(tool: Tool) -> Message:
    """Describe a tool as `tools/list` shows it."""
    shown: Message = {
        "name": tool.name,
        "description": tool.description,
        "inputSchema": tool.schema,
    }
    if tool.annotations:
        shown["annotations"] = tool.annotations
    if tool.meta:
        shown["_meta"] = tool.meta
    return shown


def content(text: str, *, is_error: bool) -> Message:
    """Build the result of a call."""
    return {"content": [{"type": "text", "text": jsonrpc.printable(text)}], "isError": is_error}


def internal(error: Exception) -> str:
    """Name the kind of failure only: an exception's text may quote what must stay private."""
    if isinstance(error, ImportError):
        return "This plugin was removed or replaced meanwhile: restart Claude Code."
    return f"Internal error ({type(error).__name__}); memory_status shows what is known of it."
