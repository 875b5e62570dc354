"""The Lambda functions, run by the real runtime client against a Runtime API of our own."""

from __future__ import annotations

import base64
import gzip
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from backend.aws import is_http
from tests.support.answering import Answering
from tests.support.api import ENCRYPTION_KEY, KEYS
from tests.support.lambda_runtime import (
    ROOT,
    Function,
    function,
    function_url,
    http_v2,
    rest_v1,
)
from tests.support.postgres import LOGIN, Server
from tests.support.promises import promise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import psycopg

    from tests.support.answering import Asked

    Event = Callable[..., dict[str, Any]]

SECRET = "ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"
JSON = {"authorization": f"Bearer {KEYS['alice']}", "content-type": "application/json"}
FORMS = pytest.mark.parametrize("make", [http_v2, function_url, rest_v1])
OTHERS: list[Any] = [
    {},
    [],
    None,
    "warm",
    7,
    {"source": "aws.events", "version": "0", "detail-type": "Scheduled Event", "detail": {}},
    {"Records": [{"eventSource": "aws:sqs", "body": "{}"}]},
    {"Records": []},
    {"requestContext": {}},
    {"requestContext": None, "version": "2.0"},
    {"requestContext": {"http": {}}, "version": "2.0"},
    {"requestContext": {"connectionId": "c", "routeKey": "$connect", "eventType": "CONNECT"}},
    {"requestContext": {}, "resource": "/x"},
    {"httpMethod": "GET", "path": "/health"},
    {"rawPath": "/health"},
]


@pytest.fixture
def environ(postgres: Server, database_name: str) -> dict[str, str]:
    """Return the variables of a function that serves."""
    return {
        "DATABASE_URL": postgres.url(database_name, LOGIN),
        "MEMORY_MIGRATION_URL": postgres.url(database_name),
        "API_KEYS": json.dumps(KEYS),
        "MEMORY_ENCRYPTION_KEY": ENCRYPTION_KEY,
        "MEMORY_RATE": "1000000",
        "MEMORY_BURST": "1000000",
    }


@pytest.fixture
def api(environ: dict[str, str], tmp_path: Path) -> Iterator[Function]:
    """Run the function that serves."""
    with function("backend.aws.api", tmp_path / "log", environ) as found:
        yield found


def post(make: Event, path: str, body: object, **headers: str) -> dict[str, Any]:
    """Make the event of a POST by Alice."""
    return make("POST", path, body=json.dumps(body), headers=JSON | headers)


def body_of(answer: dict[str, Any], status: int = 200) -> Any:  # noqa: ANN401  (JSON)
    """Return what an answer says; text is never wrapped in base64."""
    assert answer["statusCode"] == status, answer
    assert answer["isBase64Encoded"] is False
    return json.loads(answer["body"])


def sessions(superuser: psycopg.Connection[Any]) -> list[tuple[Any, ...]]:
    """Return the database sessions of the function: those younger than the one that asks."""
    return superuser.execute(
        "SELECT a.pid, a.backend_start FROM pg_stat_activity a, pg_stat_activity mine "
        "WHERE mine.pid = pg_backend_pid() AND a.backend_start > mine.backend_start "
        "AND a.usename = %s AND a.datname = current_database()",
        (LOGIN,),
    ).fetchall()


def test_every_form_of_event_is_served(api: Function) -> None:
    """HTTP API, function URL and REST API: bodies, base64 bodies, problems and queries."""
    makes: list[Event] = [http_v2, function_url, rest_v1]
    for number, make in enumerate(makes):
        assert body_of(api.invoke(make("GET", "/health")))["status"] == "ok"
        stored = body_of(api.invoke(post(make, "/api/memories", {"content": f"zebra {number}"})))
        assert stored["id"] == 2 * number + 1
        packed = base64.b64encode(json.dumps({"content": f"okapi {number} é"}).encode()).decode()
        event = make("POST", "/api/memories", body=packed, isBase64Encoded=True, headers=JSON)
        assert body_of(api.invoke(event))["id"] == 2 * number + 2
        asked = {"context": "zebra okapi"}
        found = body_of(api.invoke(post(make, "/api/memories/recall", asked)))["memories"]
        assert len(found) == 2 * number + 2
        problem = api.invoke(make("GET", "/api/memories/99", headers=JSON))
        assert body_of(problem, 404)["code"] == "not_found"
        assert body_of(api.invoke(make("GET", "/api/memories")), 401)["code"] == "unauthorized"
        assert body_of(api.invoke(make("GET", "/nowhere")), 404)["code"] == "no_endpoint"
        broken = make("POST", "/api/memories", body="{", headers=JSON)
        assert body_of(api.invoke(broken), 422)["code"] == "malformed"


@FORMS
def test_packed_bodies_go_through_both_ways(api: Function, make: Event) -> None:
    """As base64, which is how events carry what is no text."""
    packed = gzip.compress(json.dumps({"content": "A long story. " * 200}).encode())
    event = make(
        "POST",
        "/api/memories",
        body=base64.b64encode(packed).decode(),
        isBase64Encoded=True,
        headers={**JSON, "content-encoding": "gzip"},
    )
    assert body_of(api.invoke(event))["id"] == 1
    asked = {**JSON, "accept-encoding": "gzip"}
    answer = api.invoke(make("GET", "/api/memories", headers=asked))
    assert answer["isBase64Encoded"] is True
    found = json.loads(gzip.decompress(base64.b64decode(answer["body"])))
    assert found["memories"][0]["content"] == ("A long story. " * 200).strip()


def test_repeated_keys_of_a_query_arrive(api: Function) -> None:
    """All of several values are seen, and refused, as under uvicorn."""
    limits = {"limit": ["1", "2"]}
    for event in (
        http_v2("GET", "/api/memories", query="limit=1&limit=2", headers=JSON),
        function_url("GET", "/api/memories", query="limit=1&limit=2", headers=JSON),
        rest_v1("GET", "/api/memories", query=limits, headers=JSON),
    ):
        answer = api.invoke(event)
        assert answer["statusCode"] == 422
        assert "'limit' is given 2 times" in answer["body"]


def test_export_is_text(api: Function) -> None:
    """Lines of JSON go through as they are."""
    api.invoke(post(http_v2, "/api/memories", {"content": "exported"}))
    answer = api.invoke(rest_v1("GET", "/api/export", headers=JSON))
    assert body_of(answer)["content"] == "exported"


@pytest.fixture
def long_memories(api: Function, superuser: psycopg.Connection[Any]) -> int:
    """Give Alice long memories, more of them than fit into an answer; return their number."""
    account = body_of(api.invoke(http_v2("GET", "/api/sync/hello", headers=JSON)))["account_id"]
    superuser.execute(
        "INSERT INTO memories (account_id, uid, no, version, content, category, created_at, "
        "updated_at) SELECT %s, gen_random_uuid(), n, n, repeat('a \"b\" ', 2700), 'facts', now(), "
        "timestamptz '2026-01-01Z' + n * interval '1 second' FROM generate_series(1, 450) n",
        (account,),
    )
    superuser.execute("ANALYZE memories")
    return 450


def test_feed_of_changes_fits_into_what_lambda_carries(api: Function, long_memories: int) -> None:
    """Where a server of one's own sends all of it at once, a function sends it in parts."""
    seen, since, has_more = [], "2020-01-01T00:00:00Z", True
    while has_more:
        event = http_v2("GET", "/api/memories/sync", query=f"since={since}", headers=JSON)
        part = body_of(api.invoke(event))
        seen += [row["id"] for row in part["memories"]]
        since, has_more = part["server_time"], part["has_more"]
    assert seen == list(range(1, long_memories + 1))


@FORMS
def test_answer_that_lambda_does_not_carry_says_so(
    api: Function, make: Event, long_memories: int
) -> None:
    """An export is not to end in a bare 500 of the gateway: packed it passes, else it is told."""
    answer = api.invoke(make("GET", "/api/export", headers=JSON))
    problem = body_of(answer, 413)
    assert problem["code"] == "answer_too_large"
    assert "python -m backend export" in problem["fix"]
    assert answer["headers"]["x-request-id"] == problem["request_id"]
    packed = api.invoke(make("GET", "/api/export", headers={**JSON, "accept-encoding": "gzip"}))
    lines = gzip.decompress(base64.b64decode(packed["body"])).splitlines()
    assert len(lines) == long_memories


def test_other_events_are_acknowledged(api: Function) -> None:
    """A warm-up or a schedule is no error, and opens no connection to the database."""
    for event in OTHERS:
        assert api.invoke(event) == {
            "ok": True,
            "handled": False,
            "reason": "not an HTTP request",
        }
    assert body_of(api.invoke(http_v2("GET", "/livez")))["status"] == "ok"


@promise("server.lambda-keeps-one-session")
def test_hundred_warm_calls_make_one_session(
    api: Function, superuser: psycopg.Connection[Any]
) -> None:
    """The connection of the first call serves all that follow."""
    first = body_of(api.invoke(post(http_v2, "/api/memories", {"content": "the first"})))
    before = sessions(superuser)
    for _ in range(50):
        api.invoke(http_v2("GET", f"/api/memories/{first['id']}", headers=JSON))
        api.invoke(post(function_url, "/api/memories/recall", {"context": "first"}))
    assert len(before) == 1
    assert sessions(superuser) == before


def test_connection_that_died_in_a_freeze_is_replaced(
    api: Function, superuser: psycopg.Connection[Any]
) -> None:
    """The call that comes upon it does not fail."""
    api.invoke(post(http_v2, "/api/memories", {"content": "kept"}))
    ((pid, _since),) = sessions(superuser)
    superuser.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
    assert body_of(api.invoke(http_v2("GET", "/api/memories/1", headers=JSON)))["id"] == 1
    ((other, _since),) = sessions(superuser)
    assert other != pid


def test_mcp_is_served(api: Function) -> None:
    """Also twice: what the SDK may start only once is started once."""
    accept = {"accept": "application/json, text/event-stream"}
    for number in range(2):
        arguments = {"content": f"over MCP {number}"}
        message = {
            "jsonrpc": "2.0",
            "id": number,
            "method": "tools/call",
            "params": {"name": "memory_store", "arguments": arguments},
        }
        answer = body_of(api.invoke(post(function_url, "/mcp", message, **accept)))
        text = answer["result"]["content"][0]["text"]
        assert text == f"Stored memory #{number + 1} in category 'facts'."
    ready = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    assert api.invoke(post(http_v2, "/mcp", ready, **accept))["statusCode"] == 202
    stranger = api.invoke(function_url("POST", "/mcp", body="{}"))
    assert stranger["statusCode"] == 401
    metadata = "https://abc.lambda-url.eu-west-1.on.aws/.well-known/oauth-protected-resource/mcp"
    assert metadata in stranger["headers"]["www-authenticate"]


def test_secret_is_opened_by_the_other_function(
    api: Function, environ: dict[str, str], tmp_path: Path
) -> None:
    """Both serve the same app; only the rights of their roles differ. Logs hold no content."""
    api.invoke(post(http_v2, "/api/memories", {"content": f"token {SECRET}"}))
    with function("backend.aws.secrets", tmp_path / "other", environ) as other:
        opened = body_of(other.invoke(post(http_v2, "/api/memories/1/secret", None)))
    assert opened["content"] == f"token {SECRET}"
    assert SECRET not in api.log.read_text()
    assert "/api/memories" in api.log.read_text()


def test_function_without_a_database_answers_and_recovers(
    environ: dict[str, str], postgres: Server, worker: str, tmp_path: Path
) -> None:
    """What is missing at the first call may be there at the next one."""
    name = f"late_{worker}"
    environ["DATABASE_URL"] = postgres.url(name, LOGIN)
    with function("backend.aws.api", tmp_path / "log", environ) as late:
        for _ in range(2):
            answer = late.invoke(http_v2("GET", "/api/memories", headers=JSON))
            assert body_of(answer, 503)["code"] == "unavailable"
            assert answer["headers"]["retry-after"]
        postgres.create(name)
        try:
            assert body_of(late.invoke(http_v2("GET", "/api/memories", headers=JSON)))
        finally:
            postgres.drop(name)


def test_wrong_settings_fail_with_their_reason(environ: dict[str, str], tmp_path: Path) -> None:
    """The error names the setting; the environment lives on."""
    environ["MEMORY_RATE"] = "fast"
    with function("backend.aws.api", tmp_path / "log", environ) as wrong:
        for _ in range(2):
            error = wrong.fail(http_v2("GET", "/health"))
            assert error["errorType"].endswith("ConfigurationError")
            assert "MEMORY_RATE" in error["errorMessage"]
        assert wrong.invoke({})["handled"] is False


def test_migrate_brings_up_the_schema(
    environ: dict[str, str], postgres: Server, empty_database: str, tmp_path: Path
) -> None:
    """It may be invoked again, and a function that served 503 before serves then."""
    environ["DATABASE_URL"] = postgres.url(empty_database, LOGIN)
    environ["MEMORY_MIGRATION_URL"] = postgres.url(empty_database)
    with function("backend.aws.api", tmp_path / "api", environ) as api:
        assert api.invoke(http_v2("GET", "/health"))["statusCode"] == 503
        with function("backend.aws.migrate", tmp_path / "migrate", environ) as migrate:
            for _ in range(2):
                assert migrate.invoke({}) == {"ok": True, "migrated": True}
        assert api.invoke(http_v2("GET", "/health"))["statusCode"] == 200


class CodeDeploy(Answering):
    """Notes what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[dict[str, Any]] = []

    def answer(self, asked: Asked) -> tuple[int, bytes]:
        """Take a call of AWS's JSON protocol."""
        call = asked.headers["X-Amz-Target"].rpartition(".")[2]
        self.told.append({"call": call, **json.loads(asked.body)})
        return 200, b"{}"


def test_migration_as_a_hook_says_whether_traffic_may_shift(
    environ: dict[str, str], tmp_path: Path
) -> None:
    """CodeDeploy waits for the word, and brings traffic back where it is not a good one."""
    hook = {"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "h-1"}
    with CodeDeploy() as codedeploy:
        environ |= {
            "AWS_ENDPOINT_URL": codedeploy.address,
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
        }
        with function("backend.aws.migrate", tmp_path / "good", environ) as migrate:
            assert migrate.invoke(hook) == {"ok": True, "migrated": True}
        environ["MEMORY_MIGRATION_URL"] = "postgresql://nobody@127.0.0.1:9/nowhere"
        with function("backend.aws.migrate", tmp_path / "bad", environ) as migrate:
            assert "cannot be migrated" in migrate.fail(hook)["errorMessage"]
    call = "PutLifecycleEventHookExecutionStatus"
    ids = {"deploymentId": "d-1", "lifecycleEventHookExecutionId": "h-1"}
    assert codedeploy.told == [
        {"call": call, **ids, "status": status} for status in ("Succeeded", "Failed")
    ]


def test_purge_erases_what_is_old(
    api: Function,
    environ: dict[str, str],
    superuser: psycopg.Connection[Any],
    tmp_path: Path,
) -> None:
    """History after 30 days; tombstones only if the event says after how many."""
    for number in range(2):
        api.invoke(post(http_v2, "/api/memories", {"content": f"fact {number}"}))
        api.invoke(http_v2("DELETE", f"/api/memories/{number + 1}", headers=JSON))
    superuser.execute(
        "UPDATE history SET at = at - interval '31 days' WHERE payload->>'content' = 'fact 0'"
    )
    superuser.execute("UPDATE memories SET deleted_at = deleted_at - interval '9 days'")
    with function("backend.aws.purge", tmp_path / "purge", environ) as purge:
        schedule = {"source": "aws.events", "detail-type": "Scheduled Event"}
        first = purge.invoke(schedule)
        assert (first["ok"], first["histories"], first["tombstones"]) == (True, 1, 0)
        days: list[object] = ["1; DROP", 0, True, -1, 8.5, 10**6]
        nonsense: list[object] = [None, [], *({"tombstone_days": one} for one in days)]
        for event in nonsense:
            again = purge.invoke(event)
            assert (again["histories"], again["tombstones"]) == (0, 0)
        assert purge.invoke({"tombstone_days": 8})["tombstones"] == 2


SNAPSTART = {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}


def test_snapshot_holds_no_session_and_a_copy_connects_before_its_first_request(
    environ: dict[str, str], superuser: psycopg.Connection[Any], tmp_path: Path
) -> None:
    """The hooks around a snapshot, called by the real runtime client."""
    with function("backend.aws.api", tmp_path / "log", environ | SNAPSTART) as copied:
        assert "/livez" in copied.log.read_text()  # everything was loaded and run once
        assert sessions(superuser) == []
        copied.restore()
        [session] = sessions(superuser)
        assert body_of(copied.invoke(http_v2("GET", "/api/memories", headers=JSON)))
        assert sessions(superuser) == [session]


def test_copies_of_a_snapshot_share_no_randomness(environ: dict[str, str]) -> None:
    """Two copies would otherwise wait and choose alike."""
    program = (
        "import random, backend.aws as aws\n"
        "random.seed(1); aws.api.before_snapshot(); state = random.getstate()\n"
        "drawn = []\n"
        "for _ in range(2):\n"
        "    random.setstate(state); aws.api.after_restore(); drawn.append(random.random())\n"
        "print(len(set(drawn)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**environ, "PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "2"


def test_copy_with_wrong_settings_is_restored_and_says_why(
    environ: dict[str, str], tmp_path: Path
) -> None:
    """A restore that failed would only be repeated, without a reason."""
    environ["MEMORY_RATE"] = "fast"
    with function("backend.aws.api", tmp_path / "log", environ | SNAPSTART) as wrong:
        wrong.restore()
        assert "MEMORY_RATE" in wrong.fail(http_v2("GET", "/health"))["errorMessage"]


IMPORTS = """
import sys
import backend.aws
from tests.support.lambda_runtime import http_v2
unwanted = ("boto3", "botocore", "hvac", "alembic", "jinja2", "mcp", "uvicorn")
print([name for name in unwanted if name in sys.modules])
answer = backend.aws.api(http_v2("GET", "/health"), None)
print(answer["statusCode"], [name for name in unwanted if name in sys.modules])
"""


@promise("server.lambda-imports-little")
def test_what_is_not_configured_is_not_imported(environ: dict[str, str]) -> None:
    """A cold start pays for nothing that it does not need."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS],
        env={**environ, "PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if not line.startswith("{")]
    assert lines == ["[]", "200 []"], done.stderr


@FORMS
def test_requests_are_known_as_such(make: Event) -> None:
    """Of every form, also without anything that may be missing in it."""
    assert is_http(make("GET", "/health"))


@pytest.mark.parametrize("event", OTHERS)
def test_other_events_are_known_as_such(event: object) -> None:
    """Whatever a function can be invoked with."""
    assert not is_http(event)
