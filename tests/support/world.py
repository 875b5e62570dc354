"""A whole installation that a test may break: two workers, PgBouncer, PostgreSQL, all restarted."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import httpx

from tests.support.pgbouncer import pooling
from tests.support.postgres import LOGIN, OWNER, Server
from tools.ports import free_port

if TYPE_CHECKING:
    from random import Random

ROOT = Path(__file__).parents[2]
DATABASE = "world"
PATIENCE = 90.0  # seconds until what was started must answer
WORKERS = 2
HOST = re.compile(r"host=[^&]+")
COMPARED = (
    *("content", "category", "tags", "expanded_keywords", "importance", "is_sensitive", "scope"),
    *("project", "session", "session_seq", "source"),
)


class Row(NamedTuple):
    """A memory as the server's table holds it."""

    uid: str
    version: int
    lives: bool
    supersedes: str
    restored_from: str
    fields: dict[str, Any]


class Account(NamedTuple):
    """What the server holds of one user."""

    rows: dict[str, Row]
    earlier: dict[str, set[str]]  # uid -> every text in the history
    live: int
    digest: str


class World:
    """The server's side of an installation; whatever is killed is started again."""

    def __init__(self, folder: Path, users: list[str]) -> None:
        """Prepare it; `folder` is empty."""
        self._folder = folder
        self._sockets = folder / "sockets"  # a link to where they are now
        self._postgres = Server(folder / "postgres", survives_kills=True)
        self._stack = ExitStack()
        self._api: subprocess.Popen[bytes] | None = None
        self.keys = {user: f"{user}-" + "key-for-tests" for user in users}
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._environ: dict[str, str] = {}

    def __enter__(self) -> Self:
        """Start everything."""
        try:
            self._stack.enter_context(self._postgres)
            self._postgres.create(DATABASE)
            self._link()
            linked = HOST.sub(f"host={self._sockets}", self._postgres.url("postgres"))
            pooler = self._stack.enter_context(pooling(linked, LOGIN, self._pooler_folder()))
            self._environ = self._settings(pooler)
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End everything."""
        self._end()
        self._stack.close()

    def kill_worker(self, chance: Random) -> None:
        """Kill one of the server's processes; the others notice and start another."""
        workers = self._workers()
        if workers:
            _kill(chance.choice(workers))

    def kill_api(self) -> None:
        """Kill all of the server's processes and start it again."""
        self._end()
        self._start()

    def kill_database(self) -> None:
        """Kill PostgreSQL and start it again, where PgBouncer finds it."""
        self._postgres.kill()
        self._link()

    def account(self, user: str) -> Account:
        """Read what the server holds of a user, as the superuser of its database."""
        with self._postgres.superuser(DATABASE) as connection:
            found = connection.execute(
                "SELECT id, live, digest FROM accounts WHERE name = %s", (user,)
            ).fetchone()
            assert found, user
            names = ", ".join(COMPARED)
            rows = connection.execute(
                "SELECT uid::text, version, deleted_at IS NULL, coalesce(supersedes::text, ''), "
                f"coalesce(restored_from::text, ''), {names} FROM memories WHERE account_id = %s",
                found[:1],
            ).fetchall()
            texts = connection.execute(
                "SELECT uid::text, payload ->> 'content' FROM history WHERE account_id = %s",
                found[:1],
            ).fetchall()
        earlier: dict[str, set[str]] = {}
        for uid, text in texts:
            earlier.setdefault(uid, set()).add(text)
        read = [_row(row) for row in rows]
        return Account({row.uid: row for row in read}, earlier, found[1], digest_text(found[2]))

    def _settings(self, pooler: str) -> dict[str, str]:
        usual = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return {
            **usual,
            "DATABASE_URL": f"postgresql://{LOGIN}@{pooler}/{DATABASE}",
            "MEMORY_MIGRATION_URL": self._postgres.url(DATABASE, OWNER),
            "MEMORY_MIGRATE": "off",  # the template has the schema
            "MEMORY_WORKERS": str(WORKERS),
            "MEMORY_METRICS_PORT": "0",
            "MEMORY_RATE": "1000000",
            "MEMORY_BURST": "1000000",
            "MEMORY_ENCRYPTION_KEY": "0f" * 32,
            "API_KEYS": json.dumps(self.keys),
        }

    def _pooler_folder(self) -> Path:
        folder = self._folder / "pgbouncer"
        folder.mkdir()
        return folder

    def _link(self) -> None:
        found = HOST.search(self._postgres.url(DATABASE))
        assert found
        fresh = self._folder / "sockets.new"
        fresh.symlink_to(found[0].partition("=")[2])
        fresh.replace(self._sockets)

    def _start(self) -> None:
        with (self._folder / "server.log").open("ab") as log:
            self._api = subprocess.Popen(
                [sys.executable, "-m", "backend", "serve", "--port", str(self._port)],
                cwd=ROOT,
                env=self._environ,
                stdout=log,
                stderr=log,
                start_new_session=True,  # its workers form a group with it
            )
        deadline = time.monotonic() + PATIENCE
        while not self._is_ready():
            said = (self._folder / "server.log").read_text(encoding="utf-8")[-2000:]
            assert self._api.poll() is None, said
            assert time.monotonic() < deadline, said
            time.sleep(0.1)

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def _end(self) -> None:
        if self._api is not None:
            os.killpg(self._api.pid, signal.SIGKILL)
            self._api.wait(PATIENCE)
            self._api = None

    def _workers(self) -> list[int]:
        assert self._api
        task = Path(f"/proc/{self._api.pid}/task/{self._api.pid}/children")
        children = [int(child) for child in task.read_text().split()]
        return [child for child in children if b"spawn_main" in _command(child)]


def digest_text(number: int) -> str:
    """Write a digest of the table as the wire does."""
    return f"{number % 2**64:016x}"


def _row(found: tuple[Any, ...]) -> Row:
    uid, version, lives, supersedes, former, *rest = found
    return Row(uid, version, lives, supersedes, former, dict(zip(COMPARED, rest, strict=True)))


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
