"""What stands before all routes: request ids, logs, traces, limits on bodies, and the last resort.

Pure ASGI. A body is counted as it passes, packed and unpacked, and never collected here.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
import zlib
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from starlette.requests import ClientDisconnect

from backend.errors import ApiError, Malformed, TooLarge, TooSlow, Unavailable, WrongMediaType
from backend.schemas import BODY_LIMIT
from backend.telemetry import Served

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from starlette.types import ASGIApp, Receive, Scope, Send

    from backend.telemetry import Telemetry

    Message = MutableMapping[str, Any]

REQUEST_ID = re.compile(r"[\w.:-]{1,64}", re.ASCII)
ERRORS_PAGE = "docs/api/errors.md"
IMPORT_PATH = "/api/memories/import"
IMPORT_BODY_LIMIT = 32 * BODY_LIMIT  # 20,000 rows are more than one MiB
BODY_PATIENCE = 60.0  # seconds for more of a body to come
CODINGS = b"gzip"
GONE = 499  # what nginx writes into its log of callers that did not wait; nobody is sent it
PACKED = "Pack it with gzip, or send it as it is."
GZIP = 31  # zlib's name for the format
# Memories belong into no cache, and an answer is of the type that it says.
PROTECTION = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def problem(error: ApiError, request_id: str) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Write an error as a problem document: status, headers, body."""
    document = {
        "type": f"{ERRORS_PAGE}#{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": str(error),
        "code": error.code,
        "fix": error.fix,
        "request_id": request_id,
        **error.members,
    }
    body = json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
    headers = {"content-type": "application/problem+json", "content-length": str(len(body))}
    headers |= {name.lower(): value for name, value in error.headers.items()}
    return error.status, [(name.encode(), value.encode()) for name, value in headers.items()], body


class Doorway:
    """Gives each request an id, limits its body, and tells of it when it is answered."""

    def __init__(self, app: ASGIApp, telemetry: Telemetry) -> None:
        """Stand before an app."""
        self._app = app
        self._telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = _Request(scope, send)
        with self._telemetry.traced(request.traceparent):
            with self._telemetry.running.track_inprogress():
                await self._answer(request, receive)
            self._telemetry.served(request.served())

    async def _answer(self, request: _Request, receive: Receive) -> None:
        try:
            await self._app(request.scope, request.limited(receive), request.send)
        except ApiError as error:
            await request.fail(error)
        except ClientDisconnect:
            request.left()
        except Exception as error:  # noqa: BLE001  (the last resort)
            self._telemetry.failed(request.id, error)
            await request.fail(_seen_from_outside(error))


class _Request:
    """One request on its way through."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self.scope, self._send, self._began = scope, send, time.perf_counter()
        self._headers = dict(scope["headers"])
        given = self._headers.get(b"x-request-id", b"").decode("latin-1")
        self.id = given if REQUEST_ID.fullmatch(given) else uuid4().hex
        scope.setdefault("state", {})["request_id"] = self.id
        self._method = scope["method"]
        if self._method == "HEAD":  # is answered as GET is, without the body
            scope["method"] = "GET"
        self.traceparent = self._headers.get(b"traceparent", b"").decode("latin-1")
        self._status = 0

    async def send(self, message: Message) -> None:
        """Send on, with the id of the request and what protects every answer in the headers."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            given = list(message.get("headers", ()))
            named = {name.lower() for name, _ in given}
            added = [one for one in PROTECTION if one[0] not in named]
            headers = [*given, *added, (b"x-request-id", self.id.encode())]
            message = {**message, "headers": headers}
        elif self._method == "HEAD":
            message = {**message, "body": b""}
        await self._send(message)

    def limited(self, receive: Receive) -> Callable[[], Awaitable[Message]]:
        """Count a body as it comes in.

        Raises:
            TooLarge: it is over the limit, or says that it will be.
            TooSlow: nothing more of it came for long.
        """
        limit = _limit(self.scope)
        announced = self._headers.get(b"content-length", b"")
        size, is_whole = 0, False

        async def counted() -> Message:
            nonlocal size, is_whole
            if announced.isdigit() and int(announced[:20]) > limit:
                raise TooLarge(limit)
            try:
                async with asyncio.timeout(None if is_whole else BODY_PATIENCE):
                    message = await receive()
            except TimeoutError:
                raise TooSlow from None
            is_whole = not message.get("more_body", False)
            size += len(message.get("body", b""))
            if size > limit:
                raise TooLarge(limit)
            return message

        return counted

    async def fail(self, error: ApiError) -> None:
        """Answer with a problem, if nothing was answered yet."""
        if self._status:
            return
        status, headers, body = problem(error, self.id)
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})

    def left(self) -> None:
        """Note that the caller has gone before the end of what it sent: no failure of ours."""
        self._status = self._status or GONE

    def served(self) -> Served:
        """Return what may be told of it."""
        route = self.scope.get("route")
        caller = self.scope["state"].get("caller")
        return Served(
            request_id=self.id,
            method=self._method if self._method in METHODS else "other",
            route=getattr(route, "path", "none"),
            status=self._status,
            seconds=time.perf_counter() - self._began,
            account=caller.account if caller else None,
        )


class Unpacking:
    """Unpacks bodies that were packed with gzip, and tells callers that it does (RFC 7694)."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand before an app."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def telling(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", ()), (b"accept-encoding", CODINGS)]
                message = {**message, "headers": headers}
            await send(message)

        coding = dict(scope["headers"]).get(b"content-encoding", b"").strip().lower()
        if coding in {b"", b"identity"}:
            await self._app(scope, receive, telling)
            return
        told = {b"content-encoding", b"content-length"}  # of the packed body
        scope["headers"] = [one for one in scope["headers"] if one[0] not in told]
        await self._app(scope, _Unpacked(coding, receive, _limit(scope)), telling)


class _Unpacked:
    """A body as it is unpacked; no more of it than may come."""

    def __init__(self, coding: bytes, receive: Receive, limit: int) -> None:
        self._is_known, self._receive = coding == CODINGS, receive
        self._limit = self._left = limit
        self._unpacking = zlib.decompressobj(GZIP)

    async def __call__(self) -> Message:
        """Return the next message.

        Raises:
            WrongMediaType: it is packed otherwise.
            TooLarge: it is over the limit when unpacked.
            Malformed: it cannot be unpacked.
        """
        if not self._is_known:
            raise WrongMediaType(
                "A body may be packed with gzip, and with nothing else.", fix=PACKED
            )
        message = await self._receive()
        if message["type"] != "http.request":
            return message
        body = self._unpack(message.get("body", b""))
        if not message.get("more_body", False) and not self._unpacking.eof:
            raise Malformed("The packed body is not complete.", fix=PACKED)
        return {**message, "body": body}

    def _unpack(self, packed: bytes) -> bytes:
        try:
            body = self._unpacking.decompress(packed, self._left + 1)
        except zlib.error as error:
            raise Malformed("The body is not packed with gzip, as it says.", fix=PACKED) from error
        self._left -= len(body)
        if self._left < 0:
            raise TooLarge(self._limit)
        if self._unpacking.unused_data:
            raise Malformed("Something follows the packed body.", fix=PACKED)
        return body


def _limit(scope: Scope) -> int:
    return IMPORT_BODY_LIMIT if scope["path"] == IMPORT_PATH else BODY_LIMIT


def _seen_from_outside(error: Exception) -> ApiError:
    """Return what a caller is told of an unexpected error."""
    import psycopg

    return Unavailable() if isinstance(error, psycopg.OperationalError) else ApiError()
