# Generated from plugin/mcp/claude_memory/stdio/jsonrpc.py by tools/copy_protocol.py: change that, not this.
"""JSON-RPC 2.0 messages: bytes to requests and answers to bytes. No I/O, no MCP."""

from __future__ import annotations

import json
from collections import namedtuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
LINE_LIMIT = 16 * 1024 * 1024  # bytes; far above any real message, far below hurting a laptop
DIGITS_LIMIT = 4_300

if TYPE_CHECKING:
    Message = dict[str, object]

    class Request(NamedTuple):
        """What the other side asks; a notification has no id and gets no answer."""

        id: str | int | None
        method: str
        params: dict[str, object]

else:
    Request = namedtuple("Request", "id method params")


class Refused(Exception):
    """The request is answered with this JSON-RPC error."""

    def __init__(self, code: int, message: str, request_id: str | int | None = None) -> None:
        """Keep the code, and the id where the refused message had a usable one."""
        super().__init__(message)
        self.code = code
        self.request_id = request_id


def decode(sent: bytes) -> object:
    """Read one message as JSON.

    Raises:
        Refused: it is not UTF-8, not JSON, too long, nested too deeply or holds an endless number.
    """
    if len(sent) > LINE_LIMIT:
        raise Refused(INVALID_REQUEST, "Invalid request: the message is above 16 MiB.")
    try:
        return _DECODER.decode(sent.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise Refused(PARSE_ERROR, "Parse error: the message is not UTF-8 JSON.") from error


def _whole_number(digits: str) -> int:
    """Refuse what Python before 3.9.14 would spend hours on."""
    if len(digits) > DIGITS_LIMIT:
        raise ValueError
    return int(digits)


_DECODER = json.JSONDecoder(parse_int=_whole_number)


def encode(message: object) -> bytes:
    """Write one message as one line of ASCII, so that no reader can split it elsewhere."""
    return json.dumps(message, separators=(",", ":")).encode("ascii") + b"\n"


def read(message: object) -> Request | None:
    """Return the request in a decoded message; None for an answer, as this side asks nothing.

    Raises:
        Refused: it is not a JSON-RPC 2.0 message.
    """
    if not isinstance(message, dict):
        raise Refused(INVALID_REQUEST, "Invalid request: a message is a JSON object.")
    given_id = message.get("id")
    request_id = given_id if is_id(given_id) else None
    if message.get("jsonrpc") != "2.0":
        raise Refused(INVALID_REQUEST, 'Invalid request: "jsonrpc" must be "2.0".', request_id)
    if "method" not in message and ("result" in message or "error" in message):
        return None
    method = message.get("method")
    if not isinstance(method, str):
        raise Refused(INVALID_REQUEST, 'Invalid request: "method" must be a string.', request_id)
    if "id" not in message:
        return Request(None, method, _params(message) or {})
    if request_id is None:
        raise Refused(INVALID_REQUEST, 'Invalid request: "id" must be a string or an integer.')
    params = _params(message)
    if params is None:
        raise Refused(INVALID_PARAMS, 'Invalid params: "params" must be an object.', request_id)
    return Request(request_id, method, params)


def _params(message: dict[str, object]) -> dict[str, object] | None:
    params = message.get("params", {})
    if params is None:
        return {}
    return params if isinstance(params, dict) else None


def is_id(value: object) -> bool:
    """Say whether a value may identify a request."""
    return isinstance(value, (str, int)) and not isinstance(value, bool)


def result(request_id: str | int | None, value: Message) -> Message:
    """Build the answer to a request."""
    return {"jsonrpc": "2.0", "id": request_id, "result": value}


def error(request_id: str | int | None, code: int, message: str) -> Message:
    """Build the error that answers a request."""
    failure = {"code": code, "message": printable(message)}
    return {"jsonrpc": "2.0", "id": request_id, "error": failure}


def printable(text: str) -> str:
    """Replace lone surrogates: strict readers refuse the whole line that holds one."""
    return text.encode("utf-8", "replace").decode("utf-8")
