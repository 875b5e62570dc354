"""A real server process on a real PostgreSQL with many accounts, and the CPU time it uses."""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

import psycopg

from backend.auth import make_key
from backend.embedded import EmbeddedPostgres
from backend.migrate import upgrade
from backend.settings import Settings
from tools.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Self

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 10
PATIENCE = 60.0  # seconds until a server counts as hung
OPTIONS = ("shared_buffers=256MB", "max_wal_size=4GB")
RESIDENT = re.compile(r"VmRSS:\s+(\d+) kB")
NO_LIMIT = "1000000"  # requests a minute: what is measured is not the rate


class Cost(NamedTuple):
    """What one request took, in CPU-milliseconds: of the server, and of PostgreSQL."""

    server: float
    database: float


class Account(NamedTuple):
    """One of the accounts, with a named key that opens it."""

    id: str
    key: str


@contextmanager
def database(*, durable: bool = False) -> Iterator[tuple[str, Path]]:
    """Run a PostgreSQL with the schema; give its URL and the file that names its process."""
    with tempfile.TemporaryDirectory() as folder:
        postgres = EmbeddedPostgres(Path(folder), throwaway=not durable, options=OPTIONS)
        try:
            url = postgres.start()
            upgrade(Settings(database_url=url, migration_url=url))
            yield url, Path(folder) / "data" / "postmaster.pid"
        finally:
            postgres.stop()


def accounts(url: str, count: int) -> list[Account]:
    """Make accounts, each with a named key that may do everything."""
    with psycopg.connect(url) as connection:
        made = [str(uuid4()) for _ in range(count)]
        with connection.cursor().copy("COPY accounts (id, name) FROM STDIN") as rows:
            for number, account in enumerate(made):
                rows.write_row((account, f"user {number}"))
        return [Account(account, add_key(connection, account)) for account in made]


def add_key(connection: psycopg.Connection[Any], account: str) -> str:
    """Make a named key of an account; return its text."""
    key = make_key()
    connection.execute(
        "INSERT INTO api_keys (account_id, id, name, hash, scopes, created_at) "
        "VALUES (%s, %s, 'bench', %s, %s, now())",
        (account, key.id, key.hash, json.dumps(["read", "write", "secret", "admin"])),
    )
    return key.text


class Server:
    """One `python -m backend serve` on loopback."""

    def __init__(
        self, url: str, postmaster: Path, python: str = sys.executable, **environ: str
    ) -> None:
        """Start it by a Python, with further settings, and wait until it is ready."""
        self._postmaster = int(postmaster.read_text().split("\n", 1)[0])
        self.port = free_port()
        self.process = subprocess.Popen(
            [python, "-m", "backend", "serve", "--port", str(self.port)],
            cwd=ROOT,
            env={**surroundings(), **environ, "DATABASE_URL": url},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._line = self.line()
        self._wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._line.close()
        self.process.terminate()
        self.process.wait(PATIENCE)

    def pause(self) -> None:
        """Hang up: no server keeps an idle line for long; the next request opens another."""
        self._line.close()

    def line(self) -> HTTPConnection:
        """Return a connection; it is opened by the first request."""
        return HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)

    def ask(
        self,
        method: str,
        path: str,
        account: Account | None = None,
        body: Any = None,  # noqa: ANN401
        line: HTTPConnection | None = None,
    ) -> Any:  # noqa: ANN401
        """Send one request, over the one connection if none is named; return what was answered.

        Raises:
            RuntimeError: it is not a success.
        """
        headers = {"Authorization": f"Bearer {account.key}"} if account else {}
        content = None
        if body is not None:
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        line = line or self._line
        line.request(method, path, content, headers)
        answer = line.getresponse()
        said = answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {said[:500]!r}")
        return json.loads(said)

    def cost(self, request: Callable[[int], object], count: int) -> Cost:
        """Return the median cost of a request over ten rounds of so many in all."""
        [found] = self.costs([request], count)
        return found

    def costs(self, requests: Sequence[Callable[[int], object]], count: int) -> list[Cost]:
        """Return the median cost of each; they take turns, so a busy moment meets all of them."""
        each = max(1, count // ROUNDS)
        found: list[list[Cost]] = [[] for _ in requests]
        for lap in range(ROUNDS):
            for request, seen in zip(requests, found, strict=True):
                before = self.used()
                for number in range(lap * each, (lap + 1) * each):
                    request(number)
                after = self.used()
                seen.append(Cost(*((b - a) / each for a, b in zip(before, after, strict=True))))
        return [Cost(*map(statistics.median, zip(*seen, strict=True))) for seen in found]

    def resident(self) -> float:
        """Return how much memory the process holds, in MB."""
        match = RESIDENT.search(Path(f"/proc/{self.process.pid}/status").read_text())
        return int(match[1]) / 1_024 if match else 0.0

    def used(self) -> Cost:
        """Return the CPU time used so far, in milliseconds."""
        children = Path(f"/proc/{self._postmaster}/task/{self._postmaster}/children").read_text()
        return Cost(cpu(self.process.pid), sum(cpu(int(child)) for child in children.split()))

    def _wait(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                self.ask("GET", "/readyz")
            except (OSError, RuntimeError):
                self._line.close()
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            else:
                return


def surroundings() -> dict[str, str]:
    """Return an environment without settings of this machine's own."""
    ours = ("MEMORY_", "VAULT_", "API_KEY", "DATABASE_URL", "AWS_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return kept | {
        "MEMORY_RATE": NO_LIMIT,
        "MEMORY_BURST": NO_LIMIT,
        "MEMORY_METRICS_PORT": "0",
        "MEMORY_ENCRYPTION_KEY": "0f" * 32,
    }


def cpu(pid: int) -> float:
    """Return the milliseconds of CPU that a process has used, all its threads together."""
    total = 0
    for thread in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        total += int(thread.read_text().split()[0])
    return total / 1e6
