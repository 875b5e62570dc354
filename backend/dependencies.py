"""What handlers ask for: the caller with a scope, its desk, the database and the keeper.

`ApiRoute` stands before every endpoint of the API: the key is checked and counted before a byte of
the body is read, and the body is checked before it is parsed. What an address does not take is
refused here, by its name, for all of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections import Counter
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, HTTPException, Request
from fastapi.routing import APIRoute

from backend.auth import Authenticator, Caller
from backend.errors import Malformed, Unavailable, WrongMediaType
from backend.schemas import IMPORT_LIMIT, ImportRow
from backend.services import reading
from backend.services.feeding import Feed
from backend.services.single import Desk

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine, Mapping

    from fastapi import Response
    from starlette.datastructures import QueryParams

    from backend.db import Database
    from backend.remote.door import Door
    from backend.secrets.keeper import Keeper
    from backend.semantic import Semantic

DEPTH_LIMIT = 20
LONGEST_NAME = 60  # characters shown of a name that nobody knows
VERBS = {"import", "migrate-secrets", "recall", "sync"}  # which stand where ids stand
OF_A_PLUGIN = "x-memory-"  # begins the headers of the sync protocol
NOTHING = (b"", b"{}", b"null")  # what a client may send where there is nothing to say
JSON = re.compile(r"application/(?:[\w.+-]+\+)?json\s*(?:;.*)?", re.IGNORECASE)
LINES_TYPE = "application/x-ndjson"
LINES = re.compile(r"application/(?:x-ndjson|jsonl|jsonlines)\s*(?:;.*)?", re.IGNORECASE)
TEXTS = re.compile(rb'"[^"]*"?')  # one that never ends is taken whole, so nothing is read twice
BRACKETS = bytes.maketrans(b"{}", b"[]")
OTHERS = bytes(code for code in range(256) if code not in b'[]{}",')


@dataclass
class Provided:
    """What the whole app shares; made once, when it starts."""

    database: Database
    keeper: Keeper | None
    authenticator: Authenticator
    remote: Door
    since_bytes: int
    public_url: str = ""
    semantic: Semantic | None = None
    problem: str = "The server is starting."  # why it does not serve yet; empty once it does
    is_ready: asyncio.Event = field(default_factory=asyncio.Event)  # whether it ever was


def provided(request: Request) -> Provided:
    """Return what the app shares."""
    found: Provided = request.app.state.provided
    return found


class Sent(Request):
    """A request whose JSON gives no field twice."""

    async def json(self) -> Any:  # noqa: ANN401  (it can be anything)
        """Return what the body holds.

        Raises:
            ValueError: it is no JSON.
            Malformed: a field stands twice in it, or it is no UTF-8.
        """
        if not hasattr(self, "_json"):
            try:
                self._json = reading.loads(await self.body())
            except UnicodeDecodeError:
                raise Malformed("The body is no UTF-8.", fix="Send JSON in UTF-8.") from None
        return self._json


class ApiRoute(APIRoute):
    """A route that knows who calls before it reads what is sent."""

    types: Mapping[str, re.Pattern[str]] = {"application/json": JSON}
    values = 20_000  # in one body: a push of 200 operations has a quarter of that
    any_query = False  # whether what stands behind the `?` is for others to judge
    reads_body = False  # whether the endpoint reads the body by itself

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Put the checks before the handler."""
        handle = super().get_route_handler()
        known = [one.alias for one in self.dependant.query_params]
        takes_body = self.reads_body or self.body_field is not None
        no_ids = VERBS if self.path_format.endswith("/{memory_id}") else ()

        async def guarded(given: Request) -> Response:
            request = Sent(given.scope, given.receive)
            shared = provided(request)
            if shared.problem:
                raise Unavailable(shared.problem)
            caller = await shared.authenticator.caller(request.headers.get("authorization"))
            request.state.caller = caller
            await shared.authenticator.admit(caller)
            if request.path_params.get("memory_id") in no_ids:
                raise HTTPException(HTTPStatus.METHOD_NOT_ALLOWED)
            may_be_newer = any(name.startswith(OF_A_PLUGIN) for name in request.headers)
            if not (self.any_query or may_be_newer):
                check_query(request.query_params, known)
            body = await request.body()
            check_type(request.headers.get("content-type", ""), self.types, body)
            check_shape(body, self.values)
            if not (takes_body or may_be_newer):
                check_empty(body)
            if self.body_field is not None:
                with contextlib.suppress(ValueError):  # FastAPI tells what is wrong with it
                    await request.json()
            return await handle(request)

        return guarded


class ImportRoute(ApiRoute):
    """A route that takes much at once, also as JSON lines."""

    types: Mapping[str, re.Pattern[str]] = {"application/json": JSON, LINES_TYPE: LINES}
    reads_body = True
    values = IMPORT_LIMIT * len(ImportRow.model_fields)


def check_query(given: QueryParams, known: Collection[str]) -> None:
    """Let pass query parameters that the address takes, each of them once.

    Raises:
        Malformed: one is unknown, and is named with the nearest known one, or comes twice.
    """
    counts = Counter(name for name, _ in given.multi_items())
    unknown = [name[:LONGEST_NAME] for name in counts if name not in known]
    if unknown:
        raise Malformed(
            f"There is no query parameter {unknown[0]!r} here; nothing was done.",
            fix=_instead(unknown[0], known),
            errors=[{"where": f"query.{name}", "message": "is unknown"} for name in unknown[:3]],
        )
    for name, count in counts.items():
        if count > 1:
            raise Malformed(
                f"The query parameter {name!r} is given {count} times; nothing was done.",
                fix="Give it once.",
                errors=[{"where": f"query.{name}", "message": "is given more than once"}],
            )


def _instead(name: str, known: Collection[str]) -> str:
    near = get_close_matches(name.lower(), known, 1)
    if near:
        return f"Did you mean {near[0]!r}?"
    return f"It takes {', '.join(sorted(known))}." if known else "It takes none: leave it out."


def check_empty(body: bytes) -> None:
    """Let pass a body that says nothing.

    Raises:
        Malformed: it asks for something that would not be done.
    """
    if body.strip() not in NOTHING:
        message = "This address takes no body; nothing was done."
        raise Malformed(message, fix="Send none. /openapi.json says what it takes.", errors=[])


def check_type(content_type: str, types: Mapping[str, re.Pattern[str]], body: bytes) -> None:
    """Let pass a body of one of the types, and no body at all.

    Raises:
        WrongMediaType: it is something else.
    """
    if body and not any(known.fullmatch(content_type.strip()) for known in types.values()):
        raise WrongMediaType(fix=f"Send 'Content-Type: {' or '.join(types)}'.")


def check_shape(body: bytes, values: int) -> None:
    """Refuse a body that is too deep or of too many values to be parsed in peace.

    Raises:
        Malformed: it is, or many of its brackets do not pair.
    """
    # An escaped sign ends no text; backslashes in a row escape each other first.
    plain = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    marks = plain.translate(BRACKETS, OTHERS).replace(b'""', b"")  # most texts hold no mark
    most = 2 * values  # texts: a name and a value each
    bare, texts = TEXTS.subn(b"", marks, most)
    if texts >= most or bare.count(b",") >= values:
        raise Malformed(f"The body holds more than {values} values.", fix="Send less at once.")
    brackets = bare.replace(b",", b"")
    for _ in range(DEPTH_LIMIT):  # each round takes the innermost level away
        if not brackets:
            return
        brackets = brackets.replace(b"[]", b"")
    # A few without a partner are no depth: whoever parses it names the row or the place.
    if b"[]" in brackets or len(brackets) > DEPTH_LIMIT:
        message = f"The body is nested deeper than {DEPTH_LIMIT}, or a bracket is missing."
        raise Malformed(message, fix="Send whole JSON that is less deep.")


def _caller(scope: str) -> Any:  # noqa: ANN401
    async def allowed(request: Request) -> Caller:
        caller: Caller = request.state.caller
        caller.require(scope)
        return caller

    return Depends(allowed)


def desk_of(shared: Provided, caller: Caller) -> Desk:
    """Return the memories of a caller as its key lets it see them."""
    return Desk(
        shared.database,
        shared.keeper,
        caller.account,
        caller.key_id,
        may_read="read" in caller.scopes,
        semantic=shared.semantic,
    )


def _desk(scope: str) -> Any:  # noqa: ANN401
    async def seated(request: Request) -> Desk:
        caller: Caller = request.state.caller
        caller.require(scope)
        return desk_of(provided(request), caller)

    return Depends(seated)


async def _feed(request: Request) -> Feed:
    caller: Caller = request.state.caller
    headers, shared = request.headers, provided(request)
    return Feed(
        shared.database,
        caller.account,
        shared.since_bytes,
        protocol=headers.get("x-memory-protocol", ""),
        named_account=headers.get("x-memory-account", ""),
        epoch=headers.get("x-memory-epoch", ""),
        cursor=headers.get("x-memory-cursor", ""),
    )


async def _tell(request: Request) -> Callable[[BaseException], None]:
    return partial(request.app.state.telemetry.failed, request.state.request_id)


Shared = Annotated[Provided, Depends(provided)]
ReadCaller = Annotated[Caller, _caller("read")]
AdminCaller = Annotated[Caller, _caller("admin")]
ReadDesk = Annotated[Desk, _desk("read")]
WriteDesk = Annotated[Desk, _desk("write")]
SecretDesk = Annotated[Desk, _desk("secret")]
CurrentFeed = Annotated[Feed, Depends(_feed)]
Tell = Annotated[Any, Depends(_tell)]  # writes a defect to the log, with the id of the request
