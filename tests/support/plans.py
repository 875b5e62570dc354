"""How PostgreSQL ran what the shipped code asked for: its own account of every plan, as JSON."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from backend.db import Database
from tests.support.postgres import LOGIN

if TYPE_CHECKING:
    import uuid
    from collections.abc import Awaitable, Callable, Iterator

    import psycopg

    from tests.support.postgres import Server

Plan = dict[str, Any]
NOTED = (  # only a superuser may switch it on, for the sessions of another
    "session_preload_libraries = 'auto_explain'",
    "auto_explain.log_min_duration = 0",
    "auto_explain.log_format = json",
    "auto_explain.log_nested_statements = on",
    "client_min_messages = log",
    "log_min_messages = panic",
)


def explain(
    postgres: Server, name: str, account: uuid.UUID, ask: Callable[[Database], Awaitable[object]]
) -> list[Plan]:
    """Let shipped code ask a database as the server's login; return the plan of each statement."""
    plans: list[Plan] = []

    def note(diagnostic: psycopg.errors.Diagnostic) -> None:
        _, is_plan, text = (diagnostic.message_primary or "").partition("plan:\n")
        if is_plan:
            plans.append(json.loads(text))

    async def run() -> None:
        database = Database(postgres.url(name, LOGIN), pool_size=1)
        await database.open()
        try:
            async with database.transaction(account) as connection:
                connection.add_notice_handler(note)
            await ask(database)
        finally:
            await database.close()

    with postgres.superuser(name) as superuser:
        for setting in NOTED:
            superuser.execute(f"ALTER ROLE {LOGIN} IN DATABASE {name} SET {setting}")
    asyncio.run(run())
    return plans


def nodes(plans: list[Plan]) -> Iterator[Plan]:
    """Return every node of the plans."""
    for plan in plans:
        yield from _below(plan["Plan"])


def reads(plans: list[Plan], table: str) -> list[tuple[str, str]]:
    """Return how a table is read: by which index, or "" for none, and on which condition."""
    found = []
    for node in nodes(plans):
        if node.get("Relation Name") != table or node["Node Type"] == "ModifyTable":
            continue
        if node["Node Type"] == "Bitmap Heap Scan":
            bitmaps = [below for below in _below(node) if "Index Name" in below]
            found += [(below["Index Name"], below.get("Index Cond", "")) for below in bitmaps]
        else:
            found.append((node.get("Index Name", ""), node.get("Index Cond", "")))
    return found


def _below(node: Plan) -> Iterator[Plan]:
    yield node
    for child in node.get("Plans", []):
        yield from _below(child)
