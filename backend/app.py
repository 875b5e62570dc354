"""The composition root: settings become an app with its routes, error answers and lifespan."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import anyio
import psycopg
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware

from backend import meaning, migrate
from backend.auth import Authenticator
from backend.db import Database, refusal
from backend.dependencies import Provided
from backend.documents import describe, methods_of, with_head
from backend.errors import (
    ApiError,
    ConfigurationError,
    Malformed,
    MethodNotAllowed,
    NoEndpoint,
    Unavailable,
)
from backend.handlers import account, health, keys, mcp, memories, page, secrets, sync, transfer
from backend.middleware import Doorway, Unpacking, problem
from backend.remote.door import Door
from backend.repositories import accounts
from backend.secrets.choice import choose
from backend.secrets.watched import WatchedKeeper
from backend.semantic import Semantic
from backend.services import meanings
from backend.telemetry import Telemetry
from backend.version import VERSION

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from backend.secrets.keeper import Keeper
    from backend.settings import Settings

PATIENCE = (0.5, 1, 2, 5)  # seconds between tries to get ready; the last one again and again
PACKED_FROM = 1_024  # bytes of an answer
PACKING_LEVEL = 5  # nearly as small as the best, in a third of its time
KEEPER_PAUSE = 240  # seconds
ERRORS_SHOWN = 20
# Each is tried in turn, so what is asked most comes first; `/sync` before `/{id}`.
ROUTERS = (health, sync, memories, transfer, mcp, secrets, keys, account, page)


def create_app(
    settings: Settings,
    *,
    database: Database | None = None,
    keeper: Keeper | None = None,
    telemetry: Telemetry | None = None,
    metrics_host: str = "",
    metrics_folder: str = "",
) -> FastAPI:
    """Return the app; nothing is opened before its lifespan begins.

    `keeper` keeps secrets, if it is not for the settings to say who does. Metrics are served, on a
    port of their own, if `metrics_host` says where: those of all that write to `metrics_folder`.

    Raises:
        ConfigurationError: a setting cannot be used; the text names the fix.
    """
    database = database or Database(settings.database_url, pool_size=settings.pool_size)
    telemetry = telemetry or Telemetry()
    keeper = keeper or choose(settings, keeping(database))
    semantic = Semantic(settings.semantic_model, telemetry.compared, partial(telemetry.failed, ""))
    shared = Provided(
        database,
        WatchedKeeper(keeper, telemetry.keeper_failed) if keeper else None,
        Authenticator(database, settings.keys, per_minute=settings.rate, burst=settings.burst),
        Door(telemetry),
        settings.since_bytes,
        settings.public_url,
        semantic if settings.semantic == "on" else None,
    )
    app = FastAPI(
        title="claude-memory",
        version=VERSION,
        lifespan=lambda _: _lifespan(settings, shared, telemetry, (metrics_host, metrics_folder)),
        redirect_slashes=False,
        docs_url=None,  # handlers.page has its own, which needs nothing from elsewhere
        redoc_url=None,
    )
    app.state.provided = shared
    app.state.telemetry = telemetry
    for module in ROUTERS:
        app.include_router(module.router)
    app.add_exception_handler(ApiError, _on_api_error)
    app.add_exception_handler(RequestValidationError, _on_malformed)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_middleware(GZipMiddleware, minimum_size=PACKED_FROM, compresslevel=PACKING_LEVEL)
    app.add_middleware(Unpacking)
    app.add_middleware(Doorway, telemetry=telemetry)
    describe(app)
    return app


def settle() -> None:
    """Take what is loaded by now as there for good: looking at it again costs a push a sixth."""
    gc.collect()
    gc.freeze()


def keeping(database: Database) -> Any:  # noqa: ANN401  (secrets.aes.Keep)
    """Return where keepers put what must outlive the process."""

    async def keep(name: str, value: bytes) -> bytes:
        async with database.transaction(None) as connection:
            return await accounts.keep(connection, name, value)

    return keep


@contextlib.asynccontextmanager
async def _lifespan(
    settings: Settings, shared: Provided, telemetry: Telemetry, metrics: tuple[str, str]
) -> AsyncIterator[None]:
    with telemetry.libraries(), telemetry.traces(are_wanted=settings.is_traced):
        async with _serving(settings, shared, telemetry):
            host, folder = metrics
            with telemetry.metrics_at(host, settings.metrics_port, folder):
                yield


@contextlib.asynccontextmanager
async def _serving(
    settings: Settings, shared: Provided, telemetry: Telemetry
) -> AsyncIterator[None]:
    """Open the pool and get ready; where the database is away, go on trying while we live."""
    tasks = [asyncio.create_task(_look_after_keeper(shared))]
    if settings.fills:
        tasks.append(asyncio.create_task(_fill_up(shared, telemetry)))
    try:
        await shared.database.open()
        if not await _try(settings, shared, telemetry):
            tasks.append(asyncio.create_task(_keep_trying(settings, shared, telemetry)))
        yield
    except ConfigurationError as error:
        shared.problem = str(error)
        raise
    except Exception as error:
        shared.problem = "The server cannot start; its log says where it failed."
        telemetry.failed("", error)
        raise
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await shared.remote.close()
        await shared.database.close()


async def _try(settings: Settings, shared: Provided, telemetry: Telemetry) -> bool:
    """Get ready to serve; return whether that worked.

    Raises:
        ConfigurationError: it never will, as the server is set up.
    """
    try:
        if await migrate.fits(shared.database):
            pass  # what migrates is large, and stays in memory
        elif settings.migrate == "auto":
            await anyio.to_thread.run_sync(migrate.upgrade, settings)
        else:
            problem = "The schema of the database is not there yet."
            _put_off(shared, telemetry, problem, problem)
            return False
        await shared.database.guard()
        await shared.database.begin_epoch_of_new_life()
    except Unavailable as error:
        said = await anyio.to_thread.run_sync(refusal, settings.database_url)
        _put_off(shared, telemetry, str(error), said or error.__cause__ or error)
        return False
    except ConfigurationError as error:
        if not isinstance(error.__cause__, psycopg.OperationalError):
            raise
        _put_off(shared, telemetry, "The database does not answer.", error)
        return False
    shared.problem = ""
    shared.is_ready.set()
    return True


def _put_off(shared: Provided, telemetry: Telemetry, problem: str, reason: object) -> None:
    """Say why the server is not ready: to callers the problem, in the log once its reason too."""
    if shared.problem != problem:
        telemetry.log.warning("not ready", problem=problem, reason=str(reason))
    shared.problem = problem


async def _keep_trying(settings: Settings, shared: Provided, telemetry: Telemetry) -> None:
    tries = 0
    while True:
        await asyncio.sleep(PATIENCE[min(tries, len(PATIENCE) - 1)])
        tries += 1
        try:
            if await _try(settings, shared, telemetry):
                telemetry.log.info("ready", tries=tries)
                return
        except ConfigurationError as error:
            shared.problem = "The server is not set up to serve; see its log."
            telemetry.log.warning("not ready", problem=str(error))
        except Exception as error:  # noqa: BLE001  (whatever it was, the next try may work)
            telemetry.failed("", error)


async def _look_after_keeper(shared: Provided) -> None:
    """Ask the keeper how it is, which also keeps its login from running out."""
    while shared.keeper is not None:
        await asyncio.sleep(KEEPER_PAUSE)
        await shared.keeper.check()


async def _fill_up(shared: Provided, telemetry: Telemetry) -> None:
    """Load the model if it is asked for; write in the background what memories mean."""
    semantic = shared.semantic
    if meaning.table() is None:
        telemetry.log.warning("no recall by meaning", problem=meaning.MISSING)
    if semantic is not None:
        if problem_of_model := await semantic.load():
            telemetry.log.warning("no semantic recall", problem=problem_of_model)
        shared.database.notes_all = not problem_of_model
    await shared.is_ready.wait()
    await meanings.keep_filling(shared.database, telemetry.failed, semantic)


async def _on_api_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)  # noqa: S101  (registered for nothing else)
    if isinstance(error, Unavailable) and error.__cause__ is not None:
        request.app.state.telemetry.unavailable(request.state.request_id, error.__cause__)
    status, headers, body = problem(error, request.state.request_id)
    named = {name.decode(): value.decode() for name, value in headers}
    return Response(body, status, named)


async def _on_malformed(request: Request, error: Exception) -> Response:
    """Name the fields and what is wrong with them, never what was sent."""
    assert isinstance(error, RequestValidationError)  # noqa: S101  (registered for nothing else)
    found = [
        {"where": ".".join(map(_plain, one["loc"])), "message": _plain(one["msg"])}
        for one in error.errors()[:ERRORS_SHOWN]
    ]
    detail = "; ".join(f"{one['where']}: {one['message']}" for one in found[:3])
    return await _on_api_error(request, Malformed(detail, errors=found))


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  (registered for nothing else)
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        told = with_head(headers.get("Allow", "").split(","))
        headers["Allow"] = methods_of(request.app, request.url.path) or told
    known: dict[int, type[ApiError]] = {404: NoEndpoint, 405: MethodNotAllowed, 400: Malformed}
    kind = known.get(error.status_code, ApiError)
    return await _on_api_error(request, kind(headers=headers))


def _plain(part: object) -> str:
    """Write a part of an answer; the names of unknown fields were sent by the caller."""
    return str(part)[:200].encode("utf-8", "replace").decode()
