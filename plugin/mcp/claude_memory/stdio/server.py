"""The MCP server over stdin and stdout: lifecycle, calls, cancellation. It knows no tool.

One thread reads and answers what is quick; calls run on a few others, so that a slow one blocks
neither a ping nor a hook nor its own cancellation; the main thread waits for the end.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from functools import partial

from claude_memory.errors import ClaudeMemoryError
from claude_memory.stdio import jsonrpc, pipes
from claude_memory.stdio.calls import Call, content, internal, listing, text_of
from claude_memory.stdio.ending import Ending
from claude_memory.stdio.jsonrpc import Refused
from claude_memory.stdio.pool import Pool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from claude_memory.stdio.calls import Tool
    from claude_memory.stdio.jsonrpc import Message, Request

    Handler = Callable[[Call], str]
    Reply = Callable[["Message | None"], None]
    OnFailure = Callable[[str, Exception], None]

PROTOCOLS = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
BATCH_LIMIT = 1_000
CALLS_AT_ONCE = 4
HOOKS_AT_ONCE = 2


class Server:
    """Answers one client until it leaves."""

    def __init__(
        self,
        name: str,
        version: str,
        instructions: str,
        tools: Sequence[tuple[Tool, Handler]],
        on_failure: OnFailure,
    ) -> None:
        """Keep what to offer; `on_failure` gets place and exception of what fails by accident."""
        self._info: Message = {"name": name, "version": version}
        self._instructions = instructions
        self._tools = {tool.name: (tool, handler) for tool, handler in tools}
        self._on_failure = on_failure
        self._calls: dict[object, Call] = {}
        self._listed = Pool(CALLS_AT_ONCE)
        self._hidden = Pool(HOOKS_AT_ONCE)
        self._methods: dict[str, Callable[[Message], Message]] = {
            "initialize": self._initialize,
            "ping": lambda _params: {},
            "tools/list": self._list_tools,
        }

    def serve(self) -> int:
        """Serve stdin and stdout until the client leaves or a signal comes; return the exit code.

        Call it from the main thread, once.
        """
        try:
            incoming, outgoing = pipes.claim()
        except OSError:  # nobody is there
            return 0
        ending = Ending()
        self._output = pipes.Output(outgoing, ending.end)
        threading.Thread(target=self._read, args=(incoming, ending), daemon=True).start()
        ending.wait(lambda: self._listed.is_busy() or self._hidden.is_busy())
        return 0

    def _read(self, incoming: int, ending: Ending) -> None:
        try:
            for line in pipes.lines(incoming, jsonrpc.LINE_LIMIT):
                if line.strip():
                    self._take_line(line)
        finally:
            ending.end()

    def _take_line(self, line: bytes) -> None:
        try:
            message = jsonrpc.decode(line)
            if isinstance(message, list):
                self._take_batch(message)
            else:
                self._take(message, self._reply)
        except Refused as refused:
            self._reply(jsonrpc.error(refused.request_id, refused.code, str(refused)))
        except Exception as error:  # noqa: BLE001  (no line may stop the server)
            self._reply(self._failed(None, "reading a line", error))

    def _take_batch(self, messages: list[object]) -> None:
        if not 0 < len(messages) <= BATCH_LIMIT:
            text = f"Invalid request: a batch holds 1 to {BATCH_LIMIT} messages."
            raise Refused(jsonrpc.INVALID_REQUEST, text)
        batch = _Batch(len(messages), self._send)
        for message in messages:
            self._take(message, batch.reply)

    def _take(self, message: object, reply: Reply) -> None:
        """Handle one message; `reply` is called exactly once, with None for no answer."""
        request = None
        try:
            request = jsonrpc.read(message)
            if request is None or request.id is None:
                self._notice(request)
                reply(None)
            elif request.method == "tools/call":
                self._start_call(request, reply)
            else:
                reply(jsonrpc.result(request.id, self._answer(request)))
        except Refused as refused:
            request_id = request.id if request else refused.request_id
            reply(jsonrpc.error(request_id, refused.code, str(refused)))
        except Exception as error:  # noqa: BLE001  (no message may stop the server)
            reply(self._failed(request, "answering", error))

    def _notice(self, request: Request | None) -> None:
        if request and request.method == "notifications/cancelled":
            request_id = request.params.get("requestId")
            if jsonrpc.is_id(request_id) and request_id in self._calls:
                self._calls[request_id].cancelled = True

    def _answer(self, request: Request) -> Message:
        method = self._methods.get(request.method)
        if method is None:
            raise Refused(jsonrpc.METHOD_NOT_FOUND, f"Method not found: {request.method[:100]}")
        return method(request.params)

    def _initialize(self, params: Message) -> Message:
        asked = text_of(params, "protocolVersion")
        return {
            "protocolVersion": asked if asked in PROTOCOLS else PROTOCOLS[-1],
            "capabilities": {"tools": {"listChanged": False}},
            "serverInfo": self._info,
            "instructions": self._instructions,
        }

    def _list_tools(self, params: Message) -> Message:
        del params  # one page holds them all, whatever the cursor
        return {"tools": [listing(tool) for tool, _ in self._tools.values() if not tool.hidden]}

    def _start_call(self, request: Request, reply: Reply) -> None:
        call = Call(request)
        if call.tool not in self._tools:
            raise Refused(jsonrpc.INVALID_PARAMS, f"Unknown tool: {call.tool[:100]}")
        tool, handler = self._tools[call.tool]
        self._calls[call.id] = call
        pool = self._hidden if tool.hidden else self._listed
        pool.run(partial(self._finish_call, call, handler, reply))

    def _finish_call(self, call: Call, handler: Handler, reply: Reply) -> None:
        answer = {} if call.cancelled else self._run(call, handler)
        if self._calls.get(call.id) is call:
            self._calls.pop(call.id, None)
        reply(None if call.cancelled else jsonrpc.result(call.id, answer))

    def _run(self, call: Call, handler: Handler) -> Message:
        try:
            return content(handler(call), is_error=False)
        except ClaudeMemoryError as error:
            return content(error.sentence(), is_error=True)
        except Exception as error:  # noqa: BLE001  (whatever fails, the client gets an answer)
            self._tell(call.tool, error)
            return content(internal(error), is_error=True)

    def _failed(self, request: Request | None, where: str, error: Exception) -> Message:
        self._tell(where, error)
        return jsonrpc.error(request and request.id, jsonrpc.INTERNAL_ERROR, internal(error))

    def _tell(self, where: str, error: Exception) -> None:
        with suppress(Exception):  # the record of a failure must not become another one
            self._on_failure(where, error)

    def _reply(self, message: Message | None) -> None:
        if message is not None:
            self._send(message)

    def _send(self, message: Message | list[Message]) -> None:
        self._output.send(jsonrpc.encode(message))


class _Batch:
    """Gathers the answers to one batch and sends them together."""

    def __init__(self, size: int, send: Callable[[list[Message]], None]) -> None:
        self._missing = size
        self._send = send
        self._answers: list[Message] = []
        self._lock = threading.Lock()

    def reply(self, message: Message | None) -> None:
        with self._lock:
            if message is not None:
                self._answers.append(message)
            self._missing -= 1
            is_complete = self._missing == 0
        if is_complete and self._answers:
            self._send(self._answers)
