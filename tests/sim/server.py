"""The server of a simulation: the shipped app on a real PostgreSQL, asked in this very thread.

Requests pass through the whole app, as bytes, without a socket. Two things are ours: the clock of
the database, which stands in the schema before PostgreSQL's own, so that a run can be repeated and
days pass in no time; and the keeper, which can be out of reach.
"""

from __future__ import annotations

import asyncio
import io
import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID, uuid4

import psycopg
from psycopg import waiting

from backend.app import create_app, keeping
from backend.db import Database
from backend.errors import KeeperDown, NoKeeper
from backend.repositories import epochs
from backend.secrets.choice import choose
from backend.services.purging import purge
from backend.settings import Settings
from backend.telemetry import Telemetry

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator, Mapping, MutableMapping

    from psycopg.abc import RV, PQGen

    from tests.support.postgres import Server as Postgres

USERS = ("alice", "bob")
KEYS = {user: f"{user}-key-of-the-simulation" for user in USERS}
PLENTY = 1_000_000  # a rate that no run reaches
KEPT = ("epochs", "accounts", "account_epochs", "memories", "history", "ops")
BEGIN = datetime(2030, 1, 1, tzinfo=UTC)
CLOCK = """
CREATE SEQUENCE ticks;
CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE SECURITY DEFINER
AS $$ SELECT '2030-01-01Z'::timestamptz + nextval('public.ticks') * interval '1 millisecond' $$;
ALTER FUNCTION memory_rotate_epoch(uuid, boolean) SET search_path = public, pg_catalog, pg_temp;
ALTER DATABASE {name} SET search_path = public, pg_catalog;
"""
HOUR = 3_600_000  # ticks
PAUSE = 1.0  # seconds between looks at Ctrl-C


class Answer(NamedTuple):
    """What the app answers."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class ReachableKeeper:
    """The shipped keeper, behind a line that can be cut; without a keeper at all it says so."""

    real: Any
    is_down: bool = False
    is_missing: bool = False

    async def seal(self, account: UUID, uid: UUID, clear: str) -> bytes:
        """Seal, if the keeper can be reached."""
        if self.is_missing:
            raise NoKeeper
        if self.is_down:
            raise KeeperDown
        sealed: bytes = await self.real.seal(account, uid, clear)
        return sealed

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self.real, name)


class Prompt(psycopg.AsyncConnection[Any]):
    """A connection that waits for the database in this thread: nobody else has anything to do."""

    async def wait(
        self,
        gen: PQGen[RV],
        interval: float = PAUSE,
        timeout: float | None = None,  # noqa: ASYNC109  (as in the class above)
    ) -> RV:
        """Go on until there is an answer."""
        return waiting.wait(gen, self.pgconn.socket, interval, timeout)


@dataclass
class Account:
    """What the server holds of one account."""

    id: str
    version: int
    counted: int
    digest: int
    live: dict[str, int]
    rows: dict[str, dict[str, Any]]
    history: list[dict[str, Any]]
    statuses: dict[str, str]
    text: str = field(repr=False)


class SimulatedServer:
    """The app, its database, and what an operator does with them."""

    def __init__(self, postgres: Postgres, name: str) -> None:
        """Make the database; the app runs until `close`."""
        self._postgres, self._name = postgres, name
        postgres.create(name)
        with postgres.superuser(name) as connection:
            connection.execute(CLOCK.format(name=name))
        self._operator = postgres.connect(name)
        for table in KEPT:
            self._operator.execute(f"CREATE TEMP TABLE kept_{table} AS TABLE {table}")
        self._restoring = [self._put_back(table) for table in KEPT]
        self._loop = asyncio.new_event_loop()
        self.logs = io.StringIO()
        self.keys: dict[str, str] = {}  # whose each key is
        url = postgres.url(name)
        settings = Settings(
            database_url=url,
            migration_url=url,
            migrate="off",
            keys=KEYS,
            encryption_key="0f" * 32,
            rate=PLENTY,
            burst=PLENTY,
        )
        self.keeper = ReachableKeeper(choose(settings, keeping(Database(url))))
        self.app = create_app(settings, keeper=self.keeper, telemetry=Telemetry(self.logs))
        self._shared.database._pool.connection_class = Prompt
        self._shared.authenticator._clock = lambda: 0.0  # or the seed would not tell all
        self._life = self.app.router.lifespan_context(self.app)
        self._run(self._life.__aenter__())

    def close(self) -> None:
        """End the app and remove its database."""
        self._run(self._life.__aexit__(None, None, None))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()
        self._operator.close()
        self._postgres.drop(self._name)

    def begin(self) -> None:
        """Forget everything: a new run begins, with an account for each user."""
        self._postgres.clear(self._name)
        self._operator.execute("UPDATE epochs SET epoch = %s", (uuid4(),))
        self._operator.execute("SELECT setval('ticks', 1)")
        self._shared.authenticator.forget()
        self.keeper.is_down = self.keeper.is_missing = False
        self.logs.seek(0)
        self.logs.truncate()
        self.keys = {key: user for user, key in KEYS.items()}
        for user in USERS:
            made = self.asked(user, "POST", "/api/keys", {"name": "second"})
            self.keys[made["key"]] = user

    def ask(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> Answer:
        """Carry one request through the app."""
        found: Answer = self._run(self._ask(method, path, headers, body or b""))
        return found

    def asked(self, user: str, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401
        """Ask something for a user that has to work."""
        sent = None if body is None else json.dumps(body).encode()
        headers = {"authorization": f"Bearer {KEYS[user]}", "content-type": "application/json"}
        found = self.ask(method, path, headers, sent)
        assert found.status == 200, (method, path, found)
        return json.loads(found.body)

    def moment(self) -> int:
        """Return the ticks of the database's clock."""
        return self._number("SELECT last_value FROM ticks")

    def pass_time(self, ticks: int = HOUR) -> None:
        """Let the database's clock go on."""
        self._operator.execute("SELECT setval('ticks', last_value + %s) FROM ticks", (ticks,))

    def purge(self, before: int) -> None:
        """Purge the tombstones, and the operations, from before a moment."""
        at = BEGIN.timestamp() + before / 1_000
        day_after = datetime.fromtimestamp(at, UTC) + timedelta(days=1)
        self._run(purge(self._shared.database, day_after, history_days=9_999, tombstone_days=1))

    def back_up(self) -> None:
        """Keep a copy of everything as it is now."""
        self._operator.execute(
            ";".join(f"DELETE FROM kept_{one}; INSERT INTO kept_{one} TABLE {one}" for one in KEPT)
        )

    def restore(self) -> None:
        """Put the copy in the place of what is there, and begin a new epoch, as operators do."""
        self.pass_time()
        self._operator.execute(";".join(self._restoring))
        self.rotate()

    def rotate(self) -> None:
        """Begin a new epoch."""

        async def begin() -> None:
            async with self._shared.database.transaction(None) as connection:
                await epochs.rotate(connection, uuid4())

        self._run(begin())
        self._shared.authenticator.forget()

    def account(self, user: str) -> Account:
        """Read all that the server holds of a user."""
        found = self._rows("SELECT * FROM accounts WHERE name = %s", user)[0]
        named = "FROM {} WHERE account_id = %s"
        rows = self._rows(f"SELECT * {named.format('memories')}", found["id"])
        history = self._rows(f"SELECT * {named.format('history')} ORDER BY id", found["id"])
        ops = self._rows(f"SELECT * {named.format('ops')}", found["id"])
        return Account(
            id=str(found["id"]),
            version=found["version"],
            counted=found["live"],
            digest=found["digest"],
            live={str(row["uid"]): row["version"] for row in rows if row["deleted_at"] is None},
            rows={str(row["uid"]): row for row in rows},
            history=history,
            statuses={str(op["op_id"]): op["status"] for op in ops},
            text=repr([rows, history]),
        )

    def live(self, account: str) -> dict[str, int]:
        """Return the version of each live row of an account."""
        found = self._operator.execute(
            "SELECT uid, version FROM memories WHERE account_id = %s AND deleted_at IS NULL",
            (account,),
        )
        return {str(uid): version for uid, version in found}

    def version(self, account: str) -> int:
        """Return the version of an account."""
        return self._number("SELECT version FROM accounts WHERE id = %s", account)

    def users(self) -> dict[str, str]:
        """Return the user of each account."""
        rows = self._operator.execute("SELECT id, name FROM accounts").fetchall()
        return {str(account): name for account, name in rows}

    @property
    def _shared(self) -> Any:  # noqa: ANN401
        return self.app.state.provided

    def _put_back(self, table: str) -> str:
        """Return how a table gets its copy back: each column that may be written."""
        rows = self._operator.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 "
            "AND NOT attisdropped AND attgenerated = ''",
            (table,),
        )
        names = ", ".join(name for (name,) in rows)
        return (
            f"DELETE FROM {table}; INSERT INTO {table} ({names}) OVERRIDING SYSTEM VALUE "
            f"SELECT {names} FROM kept_{table}"
        )

    def _rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        cursor = self._operator.execute(query, values)
        names = [one.name for one in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def _number(self, query: str, *values: object) -> int:
        [(found,)] = self._operator.execute(query, values).fetchall()
        return int(found)

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401
        return self._loop.run_until_complete(work)

    async def _ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        place, _, query = path.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": place,
            "raw_path": place.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 1),
            "server": ("test", 80),
        }
        sent: list[MutableMapping[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        named = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return Answer(sent[0]["status"], named, b"".join(one.get("body", b"") for one in sent[1:]))


@contextmanager
def simulated_server(postgres: Postgres, name: str) -> Iterator[SimulatedServer]:
    """Run a server for as many runs as are wanted."""
    server = SimulatedServer(postgres, name)
    try:
        yield server
    finally:
        server.close()
