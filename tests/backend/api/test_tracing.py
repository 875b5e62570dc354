"""Traces as a collector of OpenTelemetry receives them, and what is never in one."""

from __future__ import annotations

import io
import json
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from backend.settings import Settings
from backend.telemetry import Telemetry
from tests.support.api import running
from tests.support.collector import Collector, told
from tests.support.promises import promise
from tests.support.serving import ROOT, Serving

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TOKEN = "ghp_" + "Z9y8X7w6V5u4T3s2R1q0P9o8N7m6L5k4J3i2"
CANARY = "quetzalcanary"
FACTS = {
    "http.request.method",
    "http.route",
    "http.response.status_code",
    "request_id",
    "account",
}
ERROR = 2
SDK = """
import asyncio, sys
from backend.app import create_app
from backend.settings import Settings

async def live():
    app = create_app(Settings.from_env({"DATABASE_URL": "postgresql://127.0.0.1:1/none", **ENV}))
    async with app.router.lifespan_context(app):
        from backend.remote import server

ENV = dict(one.split("=", 1) for one in sys.argv[1:])
asyncio.run(live())
about = ("opentelemetry.sdk", "opentelemetry.exporter", "google.protobuf", "backend.spans")
print(sorted(name for name in sys.modules if name in about))
"""


NAMES = {
    "POST /api/memories",
    "POST /api/memories/recall",
    "GET /api/memories",
    "POST /api/memories/{memory_id}/secret",
    "GET /api/memories/{memory_id}",
    "GET none",
    "POST /mcp",
    "GET /livez",
    "keeper aes wrap",
    "keeper aes unwrap",
    "database transaction",
}


def say_canaries(client: httpx.Client) -> str:
    """Use the server with canaries wherever a caller can put one; return the key."""
    key = client.headers["Authorization"].removeprefix("Bearer ")
    traced = {
        "traceparent": f"00-{TRACE}-{CALLER}-01",
        "tracestate": f"vendor={CANARY}",
        "baggage": f"user={CANARY}",
        "X-Request-Id": "from-the-caller",
    }
    body = {"content": f"The {CANARY} token is {TOKEN}", "tags": CANARY}
    made = client.post("/api/memories", json=body, headers=traced).json()
    client.post("/api/memories/recall", json={"context": CANARY})
    assert client.get("/api/memories", params={"project": CANARY}).status_code == 200
    assert client.post(f"/api/memories/{made['id']}/secret").status_code == 200
    assert client.get("/api/memories/123456789").status_code == 404
    assert client.get(f"/nowhere/{CANARY}").status_code == 404
    assert client.post("/mcp", json=tool_call("recall", context=CANARY), headers=ACCEPT).is_success
    assert client.get("/livez", headers={"Authorization": f"Bearer {CANARY}"}).is_success
    return key


ACCEPT = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-06-18"}


def tool_call(tool: str, **arguments: str) -> dict[str, Any]:
    """Return a call as an MCP client sends it."""
    params = {"name": f"memory_{tool}", "arguments": arguments}
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}


def names_within(collector: Collector, name: str) -> list[str]:
    """Return the parts of the one request of this name."""
    [request] = [span for span in collector.spans() if span.name == name]
    return [span.name for span in collector.spans() if span.parent_span_id == request.span_id]


@promise("server.traces-hold-no-content")
def test_requests_and_their_parts_are_traced_without_what_was_said(tmp_path: Path) -> None:
    """A span a request, its parts within it, all sent by the end; no canary in any byte of it."""
    with Collector() as collector:
        environ = {"MEMORY_DATA": str(tmp_path), "OTEL_EXPORTER_OTLP_ENDPOINT": collector.address}
        with Serving({**environ, "OTEL_BSP_SCHEDULE_DELAY": "600000"}) as server:
            with server.wait_until_ready() as client:
                key = say_canaries(client)
            assert server.stop(signal.SIGTERM) == 0
    spans = {span.name: span for span in collector.spans()}
    stored = spans["POST /api/memories"]
    assert stored.trace_id.hex() == TRACE
    assert stored.parent_span_id.hex() == CALLER
    facts = told(stored.attributes)
    assert set(facts) == FACTS
    assert facts["http.response.status_code"] == 200
    assert facts["request_id"] == "from-the-caller"
    logged = [json.loads(line) for line in server.logged.splitlines()]
    assert facts["account"] in {one.get("account") for one in logged}
    assert facts["account"]
    assert "keeper aes wrap" in names_within(collector, "POST /api/memories")
    assert "database transaction" in names_within(collector, "POST /api/memories")
    opened = names_within(collector, "POST /api/memories/{memory_id}/secret")
    assert {"keeper aes unwrap", "database transaction"} <= set(opened)
    assert "database transaction" in names_within(collector, "POST /mcp")
    assert names_within(collector, "GET none") == []
    assert set(spans) == NAMES  # templates, so no id of a memory
    assert {span.status.code for span in spans.values()} == {0}
    assert collector.services() == {"claude-memory"}
    sent = b"".join(collector.bodies)
    assert len([one for one in logged if one["event"] == "request"]) == len(
        [span for span in collector.spans() if told(span.attributes).keys() == FACTS]
    )
    for canary in (CANARY, TOKEN, key, "SELECT", str(tmp_path)):
        assert canary.encode() not in sent, canary


@pytest.mark.anyio
async def test_failures_are_marked_and_refusals_are_not(
    app_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A keeper that is down fails the request and its part; of the error only the kind is told."""
    with Collector() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.address)
        monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.name=memory-of-a-team")
        away: dict[str, Any] = {
            "vault_addr": "http://127.0.0.1:1",
            "vault_token": "none",
            "is_traced": True,
        }
        async with running(app_url, **away) as api:
            body = {"content": f"The {CANARY} token is {TOKEN}"}
            assert (await api.alice.post("/api/memories", json=body)).status_code == 503
            assert (await api.alice.get("/api/memories/123456789")).status_code == 404
    spans = {span.name: span for span in collector.spans()}
    assert spans["POST /api/memories"].status.code == ERROR
    assert spans["keeper vault wrap"].status.code == ERROR
    assert told(spans["keeper vault wrap"].attributes) == {"error.type": "KeeperDown"}
    assert spans["GET /api/memories/{memory_id}"].status.code == 0
    assert not any(span.events for span in spans.values())
    assert collector.services() == {"memory-of-a-team"}


@pytest.mark.parametrize("is_there", [False, True])
def test_collector_that_does_not_take_spans_harms_nothing(tmp_path: Path, is_there: bool) -> None:
    """Nobody listens, or somebody who never answers: requests go on, and so does the end."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        if not is_there:
            silent.close()
        environ = {
            "MEMORY_DATA": str(tmp_path),
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"http://127.0.0.1:{port}/v1/traces",
            "OTEL_EXPORTER_OTLP_TIMEOUT": "60" if is_there else "0.5",
            "OTEL_EXPORTER_OTLP_HEADERS": f"{CANARY} without a value",
            "OTEL_BSP_SCHEDULE_DELAY": "1",
        }
        with Serving(environ) as server:
            with server.wait_until_ready() as client:
                for number in range(5):
                    body = {"content": f"Note {number}"}
                    assert client.post("/api/memories", json=body).status_code == 200
            assert server.stop(signal.SIGTERM) == 0
    lines = [line for line in server.logged.splitlines() if "traces" in line]
    assert len(lines) == (0 if is_there else 1), lines
    assert CANARY not in server.logged + server.said
    assert "Traceback" not in server.logged + server.said


def test_missing_sdk_is_said_once_with_its_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server serves without traces, and names what to install."""
    monkeypatch.delitem(sys.modules, "backend.spans", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    log = io.StringIO()
    telemetry = Telemetry(log)
    with telemetry.traces(are_wanted=True), telemetry.traced(""):
        pass
    [line] = [json.loads(line) for line in log.getvalue().splitlines()]
    assert (line["level"], line["event"]) == ("warning", "no traces")
    assert "Install requirements-otel.lock" in line["problem"]
    assert (ROOT / "requirements-otel.lock").is_file()


@pytest.mark.parametrize(
    ("environ", "are_loaded"),
    [
        ([], False),
        (["OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1", "OTEL_SDK_DISABLED=true"], False),
        (["OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1"], True),
    ],
)
def test_sdk_is_loaded_only_where_a_collector_is_named(
    environ: list[str], are_loaded: bool
) -> None:
    """Nobody else pays for it, though the SDK of MCP brings a part of it along."""
    command = [sys.executable, "-c", SDK, *environ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = json.loads(done.stdout.splitlines()[-1].replace("'", '"'))
    assert loaded == (
        ["backend.spans", "google.protobuf", "opentelemetry.exporter", "opentelemetry.sdk"]
        if are_loaded
        else []
    )


def test_traces_are_wanted_as_the_standard_variables_say() -> None:
    """Named and not switched off; an empty variable names nothing."""
    assert Settings.from_env({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c/v1/traces"}).is_traced
    assert not Settings.from_env({"OTEL_EXPORTER_OTLP_ENDPOINT": " "}).is_traced
