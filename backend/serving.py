"""Serves the app from the command line, with a private PostgreSQL where no other is named."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import signal
import socket
import sys
import tempfile
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import uvicorn

from backend.app import create_app, settle
from backend.embedded import EmbeddedPostgres
from backend.errors import ConfigurationError
from backend.folders import default_folder
from backend.leaving import Leaving
from backend.remote.site import is_loopback
from backend.secrets import keyfile
from backend.settings import KEY
from backend.telemetry import Telemetry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fastapi import FastAPI

    from backend.dependencies import Provided
    from backend.settings import Settings

    Tell = Callable[[str], None]

GRACE = 20  # seconds for running requests when the server is told to stop
# Balancers and proxies keep a connection idle for 60 seconds: whoever closes it should be they.
KEPT_IDLE = 75


@dataclass(frozen=True)
class Place:
    """Settings that name a database, and where a server without settings keeps its own."""

    settings: Settings
    folder: Path | None = None


@contextlib.contextmanager
def database_of(settings: Settings, tell: Tell) -> Iterator[Place]:
    """Use the database that the settings name, else the private one, which runs meanwhile.

    Raises:
        ConfigurationError: the private one cannot run here; the text says what to do.
    """
    if settings.database_url:
        yield Place(settings)
        return
    folder = default_folder(settings.data)
    postgres = EmbeddedPostgres(folder, binaries=settings.pg_bin, tell=tell)
    with contextlib.ExitStack() as stack:
        stack.callback(postgres.stop)  # before it starts: a signal may come as soon as it has
        url = postgres.start()
        stack.enter_context(postgres.kept_running())
        key_file = settings.key_file or str(folder.parent / "encryption.key")
        own = replace(settings, database_url=url, migration_url=url, key_file=key_file)
        yield Place(own, folder.parent)


def serve(settings: Settings, host: str, port: int, tell: Tell) -> None:
    """Serve until told to stop; then let running requests end.

    Raises:
        ConfigurationError: it cannot serve as it is set up; the text says what to do.
    """
    if not settings.database_url and not is_loopback(host):
        raise ConfigurationError(
            f"Serving on {host} needs a PostgreSQL that others can rely on: set DATABASE_URL. "
            "Without it, only --host 127.0.0.1 is served."
        )
    signal.signal(signal.SIGTERM, _leave)
    with _bound(host, port) as listener, database_of(settings, tell) as place:
        settings, is_new = _with_key(place)
        address = f"http://{_in_url(host)}:{listener.getsockname()[1]}"
        tell(_welcome(address, place, settings, is_new=is_new))
        if settings.workers > 1:
            _serve_by_workers(settings, listener, host)
            return
        app = create_app(settings, metrics_host=host)
        _serve_here(app, listener, lambda problem: tell(_standing(address, problem)))


def _standing(address: str, problem: str) -> str:
    if problem:
        return f"Not ready: {problem} It is tried again until that has changed."
    return f"Ready: {address}/docs. Ctrl-C stops it."


def _serve_here(app: FastAPI, listener: socket.socket, tell_standing: Tell) -> None:
    server = _Server(_config(app), app.state.provided, tell_standing)
    try:
        with contextlib.suppress(KeyboardInterrupt):
            server.run(sockets=[listener])
    except SystemExit:  # by SIGTERM; or the app did not start, of which uvicorn says nothing here
        if server.started:
            raise
    if not server.started:
        raise ConfigurationError(app.state.provided.problem)


class _Server(uvicorn.Server):
    """A server that says when it is there, and when it is ready if that is later."""

    def __init__(self, config: uvicorn.Config, shared: Provided, tell_standing: Tell) -> None:
        super().__init__(config)
        self._shared, self._tell_standing = shared, tell_standing
        self._telling: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        settle()
        if self.started:
            self._tell_standing(self._shared.problem)
            if self._shared.problem:
                self._telling = asyncio.create_task(self._tell_when_ready())

    async def _tell_when_ready(self) -> None:
        await self._shared.is_ready.wait()
        self._tell_standing("")


def _serve_by_workers(settings: Settings, listener: socket.socket, host: str) -> None:
    """Let uvicorn start processes, which read everything from the environment.

    They write their numbers to one folder, and this process shows them all.
    """
    from uvicorn.supervisors import Multiprocess

    os.environ["DATABASE_URL"] = settings.database_url
    os.environ["MEMORY_MIGRATION_URL"] = settings.migration_url
    if set(settings.keys) == {"default"}:
        os.environ["API_KEY"] = settings.keys["default"]
    os.environ["MEMORY_KEY_FILE"] = settings.key_file
    config = _config("backend.asgi:app", workers=settings.workers)
    with tempfile.TemporaryDirectory(prefix="claude-memory-metrics-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        os.environ["MEMORY_METRICS_PORT"] = "0"
        with Telemetry().metrics_at(host, settings.metrics_port, folder):
            Multiprocess(config, sockets=[listener]).run()


def _config(app: FastAPI | str, workers: int = 1) -> uvicorn.Config:
    quiet = logging.getLogger("uvicorn.error")  # what it would say, we say better
    quiet.addHandler(logging.NullHandler())
    quiet.propagate = False
    return uvicorn.Config(
        app,
        workers=workers,
        http=Leaving,
        timeout_keep_alive=KEPT_IDLE,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE,
    )


def _with_key(place: Place) -> tuple[Settings, bool]:
    """Return settings with a key, made once and kept in a file where none was set."""
    if place.settings.keys or place.folder is None:
        return place.settings, False
    path = place.folder / "api-key"
    is_new = not path.exists()
    try:
        if is_new:
            keyfile.write_once(path, secrets.token_urlsafe(32))
        key = path.read_text("ascii", "replace").strip()
    except OSError as error:
        raise ConfigurationError(
            f"The file {path} cannot be used: {error.strerror}. Mend that, or set API_KEY."
        ) from error
    if not KEY.fullmatch(key):
        raise ConfigurationError(f"The file {path} holds no key. Remove it, and one is made.")
    return replace(place.settings, keys={"default": key}), is_new


def _welcome(address: str, place: Place, settings: Settings, *, is_new: bool) -> str:
    """Say what a person does next."""
    if place.folder is None:
        users = ", ".join(sorted(settings.keys)) or "none; make one: python -m backend keys create"
        return f"Starting on {address} with DATABASE_URL. Users with a bootstrap key: {users}."
    made = "A first key was made" if is_new else "The key is"
    key = settings.keys.get("default", "")
    shown = f"\n  export MEMORY_API_KEY={key}" if key and not place.settings.keys else ""
    return (
        f"Starting on {address}; the data is in {place.folder}.\n"
        f"{made} in {place.folder / 'api-key'} (for this machine alone). To use it:\n"
        f"  export MEMORY_API_URL={address}{shown}"
    )


@contextlib.contextmanager
def _bound(host: str, port: int) -> Iterator[socket.socket]:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family)
    except OSError as error:
        raise ConfigurationError(
            f"Port {port} of {host} cannot be used: {error.strerror}. Choose another "
            "with --host or --port."
        ) from error
    # Connections inherit it; asyncio would set it only on those of a socket that it bound itself.
    # Without it, the body of an answer waits up to 40 ms for the caller to confirm the head.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with listener:
        yield listener


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _leave(_signal: int, _frame: object) -> None:
    """End by SIGTERM as by a return, so that the private PostgreSQL is stopped too."""
    sys.exit(0)
