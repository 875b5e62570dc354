"""The Lambda host: the same app behind Mangum, and the operator's jobs as functions.

`api` and `secrets` serve HTTP (they differ only in what their roles may decrypt); `migrate` and
`purge` run by themselves. An execution environment enters the app's lifespan once, on its first
request, on one event loop: Mangum's own lifespan handling would connect anew on every call.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mangum import Mangum

from backend.app import create_app
from backend.secrets.settings_source import environment_with_secrets
from backend.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

HTTP_EVENTS = frozenset({"httpMethod", "requestContext", "rawPath"})  # one of them names a request


class HttpFunction:
    """Serves HTTP API (v2), function URL and REST (v1) events with one app on one loop."""

    def __init__(self) -> None:
        """Start nothing: settings and connections belong to the first request."""
        self._serve: Mangum | None = None

    def __call__(self, event: Mapping[str, Any], context: object) -> dict[str, Any]:
        """Answer one event; what is no request (a warm-up, a schedule) is acknowledged."""
        if not isinstance(event, dict) or not HTTP_EVENTS & set(event):
            return {"ok": True, "handled": False, "reason": "not an HTTP request"}
        if self._serve is None:
            self._serve = self._begin()
        answer: dict[str, Any] = self._serve(event, context)
        return answer

    def _begin(self) -> Mangum:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        app = create_app(function_settings(os.environ))
        loop.run_until_complete(app.router.lifespan_context(app).__aenter__())
        return Mangum(app, lifespan="off", exclude_headers=[])


def function_settings(environ: Mapping[str, str]) -> Settings:
    """Read the settings of a function: one connection for each environment, no migration at start."""
    settings = Settings.from_env(environment_with_secrets(environ))
    return replace(settings, pool_size=1, migrate="off")


def migrate(event: object, context: object) -> dict[str, Any]:
    """Bring the schema up to date, before traffic shifts to a new version."""
    del event, context
    from backend import migrate as migration  # alembic is slow to import

    migration.upgrade(Settings.from_env(environment_with_secrets(os.environ)))
    return {"ok": True, "migrated": True}


def purge(event: object, context: object) -> dict[str, Any]:
    """Erase what has outlived its keeping time; made for a schedule."""
    del context
    from backend.services import purging

    given = event if isinstance(event, dict) else {}
    settings = function_settings(os.environ)
    return {"ok": True, **asyncio.run(purging.purge_once(settings, given))}


api = HttpFunction()
secrets = HttpFunction()
