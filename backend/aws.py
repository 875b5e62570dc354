"""The Lambda host: the same app behind Mangum, and the operator's jobs as functions.

`api` and `secrets` serve HTTP (they differ only in what their roles may decrypt); `migrate` and
`purge` run by themselves. An execution environment enters the app's lifespan once, on its first
request, on one event loop: Mangum's own lifespan handling would connect anew on every call.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mangum import Mangum
from mangum.adapter import DEFAULT_TEXT_MIME_TYPES

from backend.app import create_app
from backend.secrets.settings_source import environment_with_secrets
from backend.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractAsyncContextManager

    from fastapi import FastAPI
    from mangum.types import LambdaContext

    Answer = dict[str, Any]

# All else is sent as base64, which a REST API passes on as it is.
TEXTS = [*DEFAULT_TEXT_MIME_TYPES, "application/problem+json", "application/x-ndjson"]
NOT_HTTP = {"ok": True, "handled": False, "reason": "not an HTTP request"}


@dataclass(frozen=True)
class Environment:
    """What an execution environment keeps between calls: the app, and the loop that it lives on."""

    loop: asyncio.AbstractEventLoop
    app: FastAPI
    lifespan: AbstractAsyncContextManager[Any]
    adapter: Mangum

    @staticmethod
    def begin(settings: Settings) -> Environment:
        """Make the app and enter its lifespan."""
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        app = create_app(settings)
        lifespan = app.router.lifespan_context(app)
        loop.run_until_complete(lifespan.__aenter__())
        adapter = Mangum(app, lifespan="off", text_mime_types=TEXTS)
        return Environment(loop, app, lifespan, adapter)

    @property
    def is_ready(self) -> bool:
        """Tell whether the app found a database that it can serve from."""
        return not self.app.state.provided.problem

    def answer(self, event: Answer, context: LambdaContext) -> Answer:
        """Answer one request."""
        asyncio.set_event_loop(self.loop)  # Mangum takes the present one
        return self.adapter(event, context)

    def end(self) -> None:
        """Leave the lifespan, and give back what it holds."""
        self.loop.run_until_complete(self.lifespan.__aexit__(None, None, None))
        self.loop.close()


class HttpFunction:
    """Serves HTTP API (v2), function URL and REST (v1) events with one app on one loop."""

    def __init__(self) -> None:
        """Start nothing: settings and connections belong to the first request."""
        self._environment: Environment | None = None

    def __call__(self, event: Any, context: Any) -> Answer:  # noqa: ANN401  (whatever comes)
        """Answer one event; what is no request (a warm-up, a schedule) is acknowledged."""
        if not is_http(event):
            return NOT_HTTP
        if self._environment is None:
            self._environment = Environment.begin(function_settings(os.environ))
        environment = self._environment
        answer = environment.answer(event, context)
        if not environment.is_ready:  # between calls nothing runs that could try again
            self._environment = None
            environment.end()
        return answer


def is_http(event: object) -> bool:
    """Tell a request from whatever else a function can be invoked with."""
    if not isinstance(event, dict) or not isinstance(event.get("requestContext"), dict):
        return False
    if event.get("version") == "2.0":
        http = event["requestContext"].get("http")
        return isinstance(http, dict) and {"method", "sourceIp"} <= http.keys()
    return "resource" in event and {"httpMethod", "path"} <= event.keys()


def function_settings(environ: Mapping[str, str]) -> Settings:
    """Read the settings of a function: one connection, and no migration at start."""
    settings = Settings.from_env(environment_with_secrets(environ))
    return replace(settings, pool_size=1, migrate="off")


def migrate(event: object, context: object) -> Answer:
    """Bring the schema up to date, before traffic shifts to a new version."""
    del event, context
    from backend import migrate as migration  # alembic is slow to import

    migration.upgrade(Settings.from_env(environment_with_secrets(os.environ)))
    return {"ok": True, "migrated": True}


def purge(event: object, context: object) -> Answer:
    """Erase what has outlived its keeping time; made for a schedule.

    The event may name `history_days` and `tombstone_days`.
    """
    del context
    from backend.services import purging

    given = event if isinstance(event, dict) else {}
    settings = function_settings(os.environ)
    return {"ok": True, **asyncio.run(purging.purge_once(settings, given))}


api = HttpFunction()
secrets = HttpFunction()
