"""`python -m backend serve` as a person starts it, and a database that dies under load."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import tempfile
import time
from http.client import HTTPConnection, RemoteDisconnected
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

from backend.embedded import EmbeddedPostgres
from backend.migrate import upgrade
from backend.settings import Settings
from tests.support.api import running, until
from tests.support.postgres import LOGIN, Server
from tests.support.promises import promise
from tests.support.serving import PATIENCE, Program, Serving
from tools.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.api import Api


FACT = '{"content": "said before the line was half closed"}'


@pytest.fixture
def serve() -> Iterator[Callable[..., Serving]]:
    """Start servers that are gone after the test."""
    with contextlib.ExitStack() as stack:
        yield lambda *given: stack.enter_context(Serving(*given))


@promise("server.first-run-needs-nothing")
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_first_run_needs_nothing_and_the_second_finds_the_data(
    serve: Callable[..., Serving], tmp_path: Path, ending: int
) -> None:
    """No settings: a database, a key and a keeper are made; all of it is there the next time."""
    environ = {"MEMORY_DATA": str(tmp_path / "data")}
    first = serve(environ)
    with first.wait_until_ready() as client:
        token = "ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"
        made = client.post("/api/memories", json={"content": f"The CI token is {token}"})
        assert made.status_code == 200, made.text
        assert "swagger" in client.get("/docs").text
    assert first.stop(ending) == 0
    assert not (tmp_path / "data/postgres/data/postmaster.pid").exists()
    for name in ("api-key", "encryption.key"):
        assert (tmp_path / "data" / name).stat().st_mode & 0o777 == 0o600
    second = serve(environ)
    with second.wait_until_ready() as client:
        found = client.post("/api/memories/recall", json={"context": "CI token"}).json()
        assert [one["id"] for one in found["memories"]] == [made.json()["id"]]
        opened = client.post(f"/api/memories/{made.json()['id']}/secret").json()
        assert opened["content"] == f"The CI token is {token}"
    assert second.stop(ending) == 0
    assert token not in first.said + first.logged + second.said + second.logged


def test_start_that_is_broken_off_leaves_nothing_running(
    serve: Callable[..., Serving], tmp_path: Path
) -> None:
    """Told to stop while the private database comes up, it ends that too; it starts again."""
    environ = {"MEMORY_DATA": str(tmp_path)}
    record = tmp_path / "postgres/data/postmaster.pid"
    broken_off = serve(environ)
    broken_off.line("Starting the private PostgreSQL")
    while not record.exists() and broken_off.process.poll() is None:
        pass
    assert broken_off.stop(signal.SIGTERM) == 0
    assert not record.exists()
    assert "Traceback" not in broken_off.said
    again = serve(environ)
    with again.wait_until_ready() as client:
        assert client.get("/api/memories").status_code == 200
    assert again.stop(signal.SIGTERM) == 0


BROKEN_OFF = """
import os, signal, sys

def look(frame, event, function):
    if event == "c_return" and function.__name__ in NAMES and SIGN in str(frame.f_locals):
        sys.setprofile(None)
        os.kill(os.getpid(), signal.SIGTERM)

_, SIGN, *NAMES = sys.argv
sys.setprofile(look)
from backend.__main__ import main
sys.exit(main(["serve", "--port", "0"]))
"""


@pytest.mark.parametrize(
    ("sign", "names"),
    [
        ("unix_socket_directories", ["fork_exec"]),
        ("private-postgres", ["start_new_thread", "start_joinable_thread"]),
    ],
)
def test_start_that_is_broken_off_between_two_steps_leaves_nothing_running(
    tmp_path: Path, sign: str, names: list[str]
) -> None:
    """The signal comes when the database, or the thread that watches it, has just been started."""
    with tempfile.TemporaryDirectory(prefix="s-") as short:
        environ = {"MEMORY_DATA": str(tmp_path), "TMPDIR": short}
        with Program(environ, "-c", BROKEN_OFF, sign, *names) as program:
            assert program.wait() == 0
        assert not list(Path(short).iterdir())
    left = working_on(tmp_path)
    for process in left:
        os.kill(process, signal.SIGKILL)
    assert left == []
    assert not (tmp_path / "postgres/data/postmaster.pid").exists()
    assert "Traceback" not in program.said


def working_on(folder: Path) -> list[int]:
    """Return the processes that were started with a folder among their arguments."""
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            if os.fsencode(folder) in place.read_bytes():
                found.append(int(place.parent.name))
    return found


@pytest.mark.parametrize(
    ("environ", "arguments", "told"),
    [
        ({}, ["--host", "192.0.2.1"], "set DATABASE_URL"),
        ({"API_KEYS": "{"}, [], "API_KEYS is not JSON"),
        ({"API_KEY": "short"}, [], "shorter than 8"),
        ({"MEMORY_MIGRATE": "maybe"}, [], "MEMORY_MIGRATE"),
        ({"MEMORY_PG_BIN": "/nowhere"}, [], "MEMORY_PG_BIN"),
    ],
)
def test_what_cannot_work_is_said_in_one_line(
    serve: Callable[..., Serving],
    tmp_path: Path,
    environ: dict[str, str],
    arguments: list[str],
    told: str,
) -> None:
    """A wrong setting ends the start with its name and the fix, without a traceback."""
    server = serve({"MEMORY_DATA": str(tmp_path), **environ}, *arguments)
    assert server.wait() == 1
    assert told in server.said
    assert "Traceback" not in server.said + server.logged


def test_database_that_cannot_be_served_is_said_in_one_line(
    serve: Callable[..., Serving], postgres: Server, empty_database: str
) -> None:
    """What is found out only while it starts ends it in the same way."""
    server = serve({"DATABASE_URL": postgres.url(empty_database, LOGIN)})
    assert server.wait() == 1
    assert "permission denied for schema public" in server.said
    assert "Traceback" not in server.said + server.logged


def test_start_that_fails_unforeseen_is_said_to_be_in_the_log(
    serve: Callable[..., Serving], postgres: Server, empty_database: str
) -> None:
    """The kind of error and its place are there, as for a request."""
    url = postgres.url(empty_database)
    upgrade(Settings(database_url=url, migration_url=url))
    with postgres.superuser(empty_database) as superuser:
        superuser.execute("REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM memory_app")
    server = serve({"DATABASE_URL": url})
    assert server.wait() == 1
    assert "its log says where" in server.said
    assert '"kind": "InsufficientPrivilege"' in server.logged


def test_taken_port_is_named(serve: Callable[..., Serving], tmp_path: Path) -> None:
    """The port is tried before anything else is started."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        server = serve({"MEMORY_DATA": str(tmp_path)}, "--port", port)
        assert server.wait() == 1
    assert f"Port {port}" in server.said
    assert not (tmp_path / "postgres").exists()


def test_caller_that_goes_away_is_no_failure(serve: Callable[..., Serving], tmp_path: Path) -> None:
    """A line that breaks while a body is sent must not count for the alerts."""
    server = serve({"MEMORY_DATA": str(tmp_path)})
    found = server.settings()
    host, port = found["MEMORY_API_URL"].removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as line:
        head = f"POST /api/memories HTTP/1.1\r\nHost: {host}\r\nContent-Length: 99\r\n"
        line.sendall(f"{head}Authorization: Bearer {found['MEMORY_API_KEY']}\r\n\r\n{{".encode())
    with server.wait_until_ready() as client:
        assert client.get("/api/memories").status_code == 200
    assert server.stop() == 0
    logged = [json.loads(one) for one in server.logged.splitlines()]
    assert {(one["event"], one["status"]) for one in logged} == {("request", 499), ("request", 200)}


@promise("server.metrics-of-all-workers")
def test_workers_share_one_database(serve: Callable[..., Serving], tmp_path: Path) -> None:
    """Several processes serve one port; their numbers are one, and they end together."""
    port = free_port()
    environ = {"MEMORY_DATA": str(tmp_path), "MEMORY_WORKERS": "2"}
    server = serve({**environ, "MEMORY_METRICS_PORT": str(port)})
    for number in range(12):  # each on a connection of its own, so that each worker gets some
        with server.wait_until_ready() as client:
            answer = client.post("/api/memories", json={"content": f"Note {number}"})
            assert answer.status_code == 200, answer.text
            assert len(client.get("/api/memories").json()["memories"]) == number + 1
    count = 'memory_requests_total{method="POST",route="/api/memories",status="200"}'
    assert counted(port, 0, "memory_requests_running") == 0
    assert counted(port, 12, count) == 12
    worker, _ = workers_of(server)
    os.kill(worker, signal.SIGKILL)
    with server.wait_until_ready() as client:
        client.post("/api/memories", json={"content": "Another"})
    assert counted(port, 13, count) == 13
    server.stop(signal.SIGTERM)
    assert not (tmp_path / "postgres/data/postmaster.pid").exists()


@promise("server.metrics-of-all-workers")
def test_workers_of_uvicorn_share_their_numbers_in_a_folder(
    database_url: str, tmp_path: Path
) -> None:
    """Whichever has the port of the metrics shows those of all."""
    port, other = str(free_port()), str(free_port())
    environ = {
        "DATABASE_URL": database_url,
        "MEMORY_METRICS_PORT": other,
        "PROMETHEUS_MULTIPROC_DIR": str(tmp_path),
    }
    command = ["-m", "uvicorn", "backend.asgi:app", "--workers", "2", "--port", port]
    patient = httpx.HTTPTransport(retries=9)
    apart = {"Connection": "close"}  # so that each worker gets some
    with (
        Program(environ, *command) as program,
        httpx.Client(transport=patient, headers=apart, timeout=60) as client,
    ):
        for _ in range(12):
            assert client.get(f"http://127.0.0.1:{port}/livez").status_code == 200
        count = 'memory_requests_total{method="GET",route="/livez",status="200"}'
        assert counted(int(other), 12, count) == 12
        program.stop()
    assert "no metrics" not in program.logged


def test_nothing_of_a_server_outlives_its_test(database_url: str) -> None:
    """A test that fails leaves no workers, and does not wait for them."""
    with Serving({"DATABASE_URL": database_url, "MEMORY_WORKERS": "2"}) as server:
        address = server.line("Starting on ").split()[2]
        assert httpx.get(f"{address}/livez", timeout=60).status_code == 200
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{address}/livez")


def test_workers_leave_when_their_parent_was_killed(database_url: str) -> None:
    """Nobody could stop them, and they would hold the port."""
    with Serving({"DATABASE_URL": database_url, "MEMORY_WORKERS": "2"}) as server:
        address = server.line("Starting on ").split()[2]
        assert httpx.get(f"{address}/livez", timeout=60).status_code == 200
        server.stop(signal.SIGKILL)  # and wait until nobody holds its pipes any more
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{address}/livez")


def counted(port: int, awaited: float, name: str) -> float:
    """Return a number that the metrics' port shows: a request counts only after its answer."""
    found = awaited + 1
    deadline = time.monotonic() + PATIENCE
    while found != awaited and time.monotonic() < deadline:
        lines = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=60).text.splitlines()
        pairs = [line.rpartition(" ") for line in lines if not line.startswith("#")]
        found = {key: float(value) for key, _, value in pairs}[name]
    return found


def workers_of(server: Serving) -> list[int]:
    """Return the processes that serve."""
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text()
    return [
        int(child)
        for child in children.split()
        if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()
    ]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_private_database_that_was_killed_is_started_again(
    serve: Callable[..., Serving], tmp_path: Path, workers: str
) -> None:
    """The server goes on with all of its data, and need not be started again for that."""
    server = serve({"MEMORY_DATA": str(tmp_path), "MEMORY_WORKERS": workers})
    record = tmp_path / "postgres/data/postmaster.pid"
    with server.wait_until_ready() as client:
        assert client.post("/api/memories", json={"content": "before"}).status_code == 200
        os.kill(int(record.read_text().splitlines()[0]), signal.SIGKILL)
        for _ in range(PATIENCE):
            answer = client.post("/api/memories", json={"content": "after"})
            if answer.status_code == 200:
                break
            assert answer.status_code == 503
        shown = client.get("/api/memories").json()["memories"]
    assert {one["content"] for one in shown} == {"before", "after"}
    server.stop(signal.SIGTERM)
    assert not record.exists()


def test_caller_that_keeps_its_connection_is_told_of_the_end(
    serve: Callable[..., Serving], tmp_path: Path
) -> None:
    """Told to stop, the server still answers what is on its way, and says that this was all."""
    server = serve({"MEMORY_DATA": str(tmp_path)})
    address = urlsplit(server.address())
    place = (str(address.hostname), int(address.port or 0))
    kept, idle = HTTPConnection(*place), HTTPConnection(*place)
    assert [asked(kept), asked(idle), asked(kept)] == 3 * [(200, None)]
    server.process.send_signal(signal.SIGTERM)
    while (last := asked(kept)) == (200, None):
        pass
    assert last == (200, "close")
    assert server.wait() == 0
    with pytest.raises((ConnectionError, RemoteDisconnected)):
        asked(idle)


def test_caller_that_has_sent_all_is_answered(
    serve: Callable[..., Serving], tmp_path: Path
) -> None:
    """Who closes its own side after a request waits for the answer; half a request gets none."""
    server = serve({"MEMORY_DATA": str(tmp_path)})
    found = server.settings()
    address = urlsplit(server.address())
    place = (str(address.hostname), int(address.port or 0))
    head = f"POST /api/memories HTTP/1.1\r\nHost: here\r\nContent-Length: {len(FACT)}\r\n"
    head += f"Content-Type: application/json\r\nAuthorization: Bearer {found['MEMORY_API_KEY']}\r\n"
    answers = []
    for body in (FACT, FACT[:-1]):
        with socket.create_connection(place, PATIENCE) as line, line.makefile("rb") as heard:
            line.sendall(f"{head}\r\n{body}".encode())
            line.shutdown(socket.SHUT_WR)
            answers.append(heard.read().lower())
    whole, half = answers
    assert whole.startswith(b"http/1.1 200 ")
    assert b"\r\nconnection: close\r\n" in whole
    assert half == b""
    assert server.stop() == 0


BRIEFLY = """
import sys
from backend import __main__, serving
serving.KEPT_IDLE = 1
sys.exit(__main__.main(["serve", "--port", "0"]))
"""


@pytest.mark.parametrize("begins", ["", "GET /livez HTTP/1.1\r\n", "whole"])
def test_caller_that_never_ends_its_request_is_sent_away(database_url: str, begins: str) -> None:
    """Before any key is asked for, and after it was refused; what drips in changes nothing."""
    refused = "POST /api/memories HTTP/1.1\r\nHost: here\r\nContent-Length: 999999\r\n\r\n"
    with Program({"DATABASE_URL": database_url}, "-c", BRIEFLY) as server:
        address = urlsplit(server.line("Ready: ").split()[1])
        place = (str(address.hostname), int(address.port or 0))
        with socket.create_connection(place) as line:
            line.sendall((refused if begins == "whole" else begins).encode())
            assert is_closed(line, drip=b"x" if begins else b"")
        assert server.stop() == 0


def test_request_under_way_may_take_longer_than_a_connection_is_kept(database_url: str) -> None:
    """Its body comes in pieces; whoever has shown a key has a minute for each of them."""
    environ = {"DATABASE_URL": database_url, "API_KEY": "the-key-of-this-test"}
    with Program(environ, "-c", BRIEFLY) as server:
        address = urlsplit(server.line("Ready: ").split()[1])
        line = HTTPConnection(str(address.hostname), int(address.port or 0))
        line.putrequest("POST", "/api/memories")
        line.putheader("Authorization", "Bearer the-key-of-this-test")
        line.putheader("Content-Type", "application/json")
        line.putheader("Content-Length", str(len(FACT)))
        line.endheaders()
        for sign in FACT:
            line.send(sign.encode())
            time.sleep(3 / len(FACT))
        assert line.getresponse().status == 200
        line.close()
        assert server.stop() == 0


def is_closed(line: socket.socket, drip: bytes) -> bool:
    """Send a little now and then until the other side has closed, and tell whether it did."""
    line.settimeout(0.2)
    for _ in range(5 * PATIENCE):
        try:
            line.sendall(drip)
            if not line.recv(4096):
                return True
        except TimeoutError:
            continue
        except ConnectionError:
            return True
    return False


def asked(line: HTTPConnection) -> tuple[int, str | None]:
    """Ask over a kept connection; return the status, and what is said of the connection."""
    line.auto_open = line.sock is None  # never another one
    line.request("GET", "/livez")
    answer = line.getresponse()
    answer.read()
    return answer.status, answer.getheader("Connection")


def test_ready_is_said_when_it_is(serve: Callable[..., Serving], tmp_path: Path) -> None:
    """Where the database is away, that is said, and "Ready" once it has come."""
    missing = tmp_path / "postgres"
    with tempfile.TemporaryDirectory(prefix="s-") as short:
        sockets = Path(short) / "now"
        url = f"postgresql://memory@/claude_memory?host={sockets}"
        environ = {"DATABASE_URL": url, "API_KEY": "a-key-for-tests", "MEMORY_MIGRATE": "off"}
        server = serve(environ)
        assert server.line("Not ready: ") == (
            "Not ready: The database does not answer. It is tried again until that has changed."
        )
        assert "\nReady: " not in server.said
        with EmbeddedPostgres(missing, throwaway=True) as postgres:
            sockets.symlink_to(postgres.start().split("host=")[1])
            upgrade(Settings(database_url=url, migration_url=url))
            assert "/docs" in server.line("Ready: ")
            assert server.stop() == 0
    assert "error connecting" not in server.said
    logged = [json.loads(line) for line in server.logged.splitlines()]
    assert "psycopg.pool" in {one.get("name") for one in logged if one["event"] == "library"}


def test_key_that_was_left_empty_is_named(serve: Callable[..., Serving], tmp_path: Path) -> None:
    """Nobody is served with it."""
    (tmp_path / "api-key").touch()
    server = serve({"MEMORY_DATA": str(tmp_path)})
    assert server.wait() == 1
    assert f"The file {tmp_path / 'api-key'} holds no key." in server.said


def test_workers_open_what_the_key_file_sealed(
    serve: Callable[..., Serving], tmp_path: Path
) -> None:
    """A key that is set later seals from then on; the earlier secrets stay readable."""
    secret = "the token is ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"
    environ = {"MEMORY_DATA": str(tmp_path), "MEMORY_WORKERS": "2"}
    first = serve(environ)
    with first.wait_until_ready() as client:
        assert client.post("/api/memories", json={"content": secret}).status_code == 200
    first.stop(signal.SIGTERM)
    second = serve({**environ, "MEMORY_ENCRYPTION_KEY": "0f" * 32})
    with second.wait_until_ready() as client:
        opened = client.post("/api/memories/1/secret")
        assert (opened.status_code, opened.json()["content"]) == (200, secret)
    second.stop(signal.SIGTERM)


@promise("server.outage-loses-nothing")
@pytest.mark.anyio
async def test_database_killed_under_load_loses_nothing_acknowledged(tmp_path: Path) -> None:
    """While it is away every answer is 503; when it is back, so is the server, with all rows."""
    postgres = EmbeddedPostgres(tmp_path / "postgres")
    acknowledged: list[str] = []
    refused: list[int] = []
    is_done = False

    async def load(api: Api, number: int) -> None:
        step = 0
        while not is_done:
            step += 1
            content = f"worker {number} row {step}"
            answer = await api.alice.post("/api/memories", json={"content": content})
            if answer.status_code == 200:
                acknowledged.append(content)
            else:
                refused.append(answer.status_code)
                await asyncio.sleep(0.02)

    try:
        url = postgres.start()
        upgrade(Settings(database_url=url, migration_url=url))
        async with running(url) as api:
            workers = [asyncio.create_task(load(api, number)) for number in range(4)]
            await until(lambda: len(acknowledged) > 50)
            pid = int((tmp_path / "postgres/data/postmaster.pid").read_text().splitlines()[0])
            _kill_postgres(postgres, pid)
            await until(lambda: len(refused) > 10)
            assert (await api.nobody.get("/livez")).status_code == 200
            assert (await api.nobody.get("/readyz")).status_code == 503
            await asyncio.to_thread(postgres.start)
            before = len(acknowledged)
            await until(lambda: len(acknowledged) > before + 50)
            is_done = True
            await asyncio.gather(*workers)
            assert set(refused) == {503}
            assert set(acknowledged) <= _contents(url)
    finally:
        postgres.stop()


def _contents(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        return {row[0] for row in connection.execute("SELECT content FROM memories")}


def _kill_postgres(postgres: EmbeddedPostgres, pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    process = postgres._process
    if process is not None and process.pid == pid:
        process.wait()
