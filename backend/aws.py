"""The Lambda host: the same app behind Mangum, and the operator's jobs as functions.

`api` and `secrets` serve HTTP (they differ only in what their roles may decrypt); `migrate` and
`purge` run by themselves. An execution environment enters the app's lifespan once, on its first
request, on one event loop: Mangum's own lifespan handling would connect anew on every call.

Where SnapStart is on, AWS copies an environment many times. The copies share neither connections,
settings nor randomness: hooks see to that.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mangum import Mangum
from mangum.adapter import DEFAULT_TEXT_MIME_TYPES
from starlette.responses import Response

from backend.app import create_app
from backend.errors import AnswerTooLarge, ConfigurationError
from backend.middleware import PROTECTION, problem
from backend.secrets.settings_source import environment_with_secrets
from backend.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractAsyncContextManager

    from fastapi import FastAPI
    from mangum.types import LambdaContext

    Answer = dict[str, Any]

# All else is sent as base64, which a REST API passes on as it is.
TEXTS = [*DEFAULT_TEXT_MIME_TYPES, "application/problem+json", "application/x-ndjson"]
REHEARSAL = {
    "version": "2.0",
    "rawPath": "/livez",
    "rawQueryString": "",
    "headers": {"host": "localhost"},
    "requestContext": {
        "http": {
            "method": "GET",
            "path": "/livez",
            "protocol": "HTTP/1.1",
            "sourceIp": "127.0.0.1",
        }
    },
    "isBase64Encoded": False,
}
LARGEST_ANSWER = 6 * 1_048_576  # bytes; AWS's own limit is 100 higher
MOST_OF_A_SIGN = 4  # bytes of one sign, in UTF-8 or escaped
HOOK = "LifecycleEventHookExecutionId"  # CodeDeploy's name for one run of a hook
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
        gc.freeze()  # all that is there now stays; to look through it takes the collector 90 ms
        return Environment(loop, app, lifespan, adapter)

    @property
    def is_ready(self) -> bool:
        """Tell whether the app found a database that it can serve from."""
        return not self.app.state.provided.problem

    def answer(self, event: Answer, context: LambdaContext) -> Answer:
        """Answer one request."""
        asyncio.set_event_loop(self.loop)  # Mangum takes the present one
        answer: Answer = self.adapter(event, context)
        if not is_too_large(answer):
            return answer
        request_id = answer["headers"]["x-request-id"]
        self.app.state.telemetry.log.warning("answer too large", request_id=request_id)
        refusing = Mangum(_refusal(request_id), lifespan="off", text_mime_types=TEXTS)
        refused: Answer = refusing(event, context)
        return refused

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
        environment = self._begun()
        answer = environment.answer(event, context)
        if not environment.is_ready:  # between calls nothing runs that could try again
            self._forget()
        return answer

    def before_snapshot(self) -> None:
        """Give back what copies must not share, and load what they may."""
        self._forget()
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        Mangum(create_app(Settings()), lifespan="off")(REHEARSAL, None)  # type: ignore[arg-type]
        loop.close()

    def after_restore(self) -> None:
        """Make this copy's own randomness and connections, before its first request."""
        random.seed()
        with contextlib.suppress(ConfigurationError):  # the first request will say it
            self._begun()

    def _begun(self) -> Environment:
        if self._environment is None:
            self._environment = Environment.begin(function_settings(os.environ))
        return self._environment

    def _forget(self) -> None:
        environment, self._environment = self._environment, None
        if environment is not None:
            environment.end()


def is_too_large(answer: Answer) -> bool:
    """Tell an answer that Lambda does not carry: it counts the JSON that is made of it."""
    body: str = answer["body"]
    if len(body) * MOST_OF_A_SIGN <= LARGEST_ANSWER:
        return False
    return len(json.dumps(answer, ensure_ascii=False).encode()) > LARGEST_ANSWER


def _refusal(request_id: str) -> Response:
    """Return what answers in the place of an answer that is too large."""
    status, headers, body = problem(AnswerTooLarge(), request_id)
    named = [*headers, *PROTECTION, (b"x-request-id", request_id.encode())]
    return Response(body, status, {name.decode(): value.decode() for name, value in named})


def is_http(event: object) -> bool:
    """Tell a request from whatever else a function can be invoked with."""
    if not isinstance(event, dict) or not isinstance(event.get("requestContext"), dict):
        return False
    if event.get("version") == "2.0":
        http = event["requestContext"].get("http")
        return isinstance(http, dict) and {"method", "sourceIp"} <= http.keys()
    return "resource" in event and {"httpMethod", "path"} <= event.keys()


def function_settings(environ: Mapping[str, str]) -> Settings:
    """Read the settings of a function: one connection, no migration at start, and no traces.

    Spans are sent between requests, and so are memories read: when a function stands still. What
    an answer is filled with is a third of what Lambda carries: each quote in it is escaped twice.
    """
    settings = Settings.from_env(environment_with_secrets(environ))
    return replace(
        settings,
        pool_size=1,
        migrate="off",
        is_traced=False,
        fills=False,
        since_bytes=LARGEST_ANSWER // 3,
    )


def migrate(event: object, context: object) -> Answer:
    """Bring the schema up to date, before traffic shifts to a new version.

    As a hook of CodeDeploy it says how that went; without that word no traffic shifts.
    """
    del context
    from backend import migrate as migration  # alembic is slow to import

    with _told_to_codedeploy(event):
        migration.upgrade(Settings.from_env(environment_with_secrets(os.environ)))
    return {"ok": True, "migrated": True}


@contextlib.contextmanager
def _told_to_codedeploy(event: object) -> Iterator[None]:
    asked = event if isinstance(event, dict) else {}
    names = {"deploymentId": "DeploymentId", "lifecycleEventHookExecutionId": HOOK}
    ids = {name: asked[key] for name, key in names.items() if key in asked}
    status = "Failed"
    try:
        yield
        status = "Succeeded"
    finally:
        if len(ids) == len(names):
            import boto3

            client = boto3.client("codedeploy")
            client.put_lifecycle_event_hook_execution_status(**ids, status=status)


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

_SERVED = {"backend.aws.api": api, "backend.aws.secrets": secrets}
if (_HANDLER := os.environ.get("_HANDLER", "")) in _SERVED:
    import snapshot_restore_py  # type: ignore[import-untyped]  # Lambda's runtime brings it

    snapshot_restore_py.register_before_snapshot(_SERVED[_HANDLER].before_snapshot)
    snapshot_restore_py.register_after_restore(_SERVED[_HANDLER].after_restore)
