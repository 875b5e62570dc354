"""One real PostgreSQL for a whole run of tests, and databases in it that are made from a template.

The workers of a parallel run share the server as several processes of a user would: whoever comes
first starts it, whoever leaves last stops it. The schema belongs to an ordinary login, as it should
in production: a superuser would see through every row-level policy.
"""

from __future__ import annotations

import fcntl
import os
import re
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg

from backend.embedded import DATABASE, EmbeddedPostgres
from backend.migrate import upgrade
from backend.settings import Settings
from tests.support import partitions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OWNER = "schema_owner"
LOGIN = "api_login"  # what a careful operator gives the server: it may take memory_app, and no more
TEMPLATE = "template_memory"
FILLED = "EXISTS (SELECT FROM {})"
# As every transaction of the server has it, whatever the zone of this machine.
ZONE = "timezone=UTC"
OPTIONS = ("max_connections=300", "shared_buffers=64MB", ZONE)


class Server:
    """The server of this run."""

    def __init__(self, folder: Path, *, survives_kills: bool = False, plans: str = "") -> None:
        """Keep its place; `folder` is the same for all workers of a run.

        What a server that `survives_kills` has committed outlives its processes; only a loss of
        power would take it. With a file for `plans`, tables are partitioned by account, and every
        plan is noted there.
        """
        self.folder = folder
        options = (*OPTIONS, "fsync=off") if survives_kills else OPTIONS
        if plans:
            options = (*options, *partitions.noted_in(plans))
        self.postgres = EmbeddedPostgres(folder, throwaway=not survives_kills, options=options)
        self._is_partitioned = bool(plans)
        self._url = ""

    def __enter__(self) -> Server:
        """Start it, or join it; make the template once."""
        self._url = self.postgres.start()
        try:
            with _locked(self.folder / "template.lock"):
                if not self._has(TEMPLATE):
                    self._make_template()
        except BaseException:
            self.postgres.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Leave it; the last one ends it."""
        self.postgres.stop()

    def kill(self) -> None:
        """End it as kill -9 does, and start it again; its sockets are elsewhere then."""
        written = (self.folder / "data" / "postmaster.pid").read_text(encoding="utf-8")
        os.kill(int(written.split("\n", 1)[0]), signal.SIGKILL)
        self._url = self.postgres.start()

    def url(self, database: str, user: str = OWNER) -> str:
        """Return the URL of a database for one of the logins; "memory" is the superuser."""
        return re.sub(r"//\w+@/\w+", f"//{user}@/{database}", self._url)

    def create(self, name: str, template: str = TEMPLATE) -> None:
        """Make a database, anew if it is there; it belongs to the ordinary login."""
        with _locked(self.folder / "template.lock"), self.superuser() as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            connection.execute(
                f"CREATE DATABASE {name} TEMPLATE {template} OWNER {OWNER} STRATEGY file_copy"
            )

    def drop(self, name: str) -> None:
        """Remove a database, with whoever is connected to it."""
        with self.superuser() as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    @contextmanager
    def superuser(self, database: str = DATABASE) -> Iterator[psycopg.Connection[Any]]:
        """Connect as the one who may do everything; each statement commits by itself."""
        with psycopg.connect(self.url(database, "memory"), autocommit=True) as connection:
            yield connection

    def connect(self, database: str) -> psycopg.Connection[Any]:
        """Connect as the one who may do everything, for as long as the caller likes."""
        return psycopg.connect(self.url(database, "memory"), autocommit=True)

    def clear(self, database: str) -> None:
        """Empty every table, as the migration left it."""
        with self.superuser(database) as connection:
            tables = connection.execute(
                "SELECT format('%I', relname) FROM pg_class WHERE relkind = 'r' AND relname <> "
                "'alembic_version' AND relnamespace = 'public'::regnamespace"
            ).fetchall()
            looks = ", ".join(FILLED.format(name) for (name,) in tables)
            row = connection.execute(f"SELECT {looks}").fetchone() or ()
            filled = [name for (name,), is_filled in zip(tables, row) if is_filled]
            connection.execute(f"TRUNCATE {', '.join(filled)} RESTART IDENTITY")
            connection.execute("INSERT INTO epochs (epoch) VALUES (gen_random_uuid())")

    def _has(self, database: str) -> bool:
        with self.superuser() as connection:
            query = "SELECT FROM pg_database WHERE datname = %s"
            return connection.execute(query, (database,)).fetchone() is not None

    def _make_template(self) -> None:
        with self.superuser() as connection:
            connection.execute(
                "CREATE ROLE memory_app NOLOGIN NOBYPASSRLS;"
                f"CREATE ROLE {OWNER} LOGIN; CREATE ROLE {LOGIN} LOGIN NOINHERIT;"
                f"GRANT memory_app TO {OWNER}, {LOGIN}"
            )
            connection.execute(f"CREATE DATABASE making OWNER {OWNER}")
        url = self.url("making")
        if self._is_partitioned:
            partitions.migrate(url, self.folder / "partitioned")
        else:
            upgrade(Settings(database_url=url, migration_url=url))
        with self.superuser() as connection:
            connection.execute(f"ALTER DATABASE making RENAME TO {TEMPLATE}")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
