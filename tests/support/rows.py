"""Accounts and memories written straight into the tables, for tests of the database itself."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg

from backend.schemas import RecallBody, Recalled
from backend.services import recalling

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    Connection = psycopg.Connection[Any]

PROLOGUE = "SELECT set_config('role', 'memory_app', true), set_config('app.account', %s, true)"
MEMORY = (
    "INSERT INTO memories (account_id, uid, no, version, content, category, tags, importance, "
    "scope, project, supersedes, expires_at, deleted_at, created_at, updated_at) "
    "VALUES (%(account)s, %(uid)s, %(no)s, %(no)s, %(content)s, %(category)s, %(tags)s, "
    "%(importance)s, %(scope)s, "
    "%(project)s, %(supersedes)s, %(expires_at)s, %(deleted_at)s, "
    "timestamptz '2026-01-01 00:00Z' + %(no)s * interval '1 second', now())"
)
DEFAULTS: dict[str, Any] = {
    "content": "a fact",
    "category": "facts",
    "tags": "",
    "importance": 0.5,
    "scope": "global",
    "project": "",
    "supersedes": None,
    "expires_at": None,
    "deleted_at": None,
}


class Tenant:
    """An account, and what a superuser wrote for it."""

    def __init__(self, connection: Connection, name: str) -> None:
        """Make the account."""
        self.id = uuid.uuid4()
        self._connection = connection
        self._count = 0
        connection.execute("SELECT memory_account_for(%s, %s)", (name, self.id))

    def store(self, content: str, **fields: Any) -> uuid.UUID:
        """Write one memory and keep the counters."""
        return self.store_all([{"content": content, **fields}])[0]

    def store_all(self, memories: Iterable[dict[str, Any]]) -> list[uuid.UUID]:
        """Write many at once."""
        rows = []
        for memory in memories:
            self._count += 1
            own = {"account": self.id, "uid": uuid.uuid4(), "no": self._count}
            rows.append({**DEFAULTS, **own, **memory})
        self._connection.cursor().executemany(MEMORY, rows)
        live = sum(row["deleted_at"] is None for row in rows)
        self._connection.execute(
            "UPDATE accounts SET version = %s, next_no = %s, live = live + %s WHERE id = %s",
            (self._count, self._count + 1, live, self.id),
        )
        return [row["uid"] for row in rows]


@contextmanager
def as_application(url: str, account: uuid.UUID | None) -> Iterator[Connection]:
    """Be in a transaction as the server is; it is rolled back at the end."""
    with psycopg.connect(url, prepare_threshold=None) as connection:
        connection.execute(PROLOGUE, (str(account or ""),))
        yield connection
        connection.rollback()


class Asking:
    """Asks what is to be read inside a transaction of a connection that does not wait."""

    def __init__(self, connection: Connection) -> None:
        """Keep the connection."""
        self._connection = connection

    async def read(self, _account: object, query: str, values: Any, make_row: Any) -> Any:  # noqa: ANN401
        """Run the statement and return its rows."""
        with self._connection.cursor(row_factory=make_row) as cursor:
            return cursor.execute(query, values).fetchall()


def recall(
    connection: Connection, account: uuid.UUID, context: str, **named: Any
) -> list[Recalled]:
    """Recall as the server does, inside a transaction; return the memories found."""
    body = RecallBody.model_validate({"context": context, **named})
    return asyncio.run(recalling.search(Asking(connection), account, body)).memories
