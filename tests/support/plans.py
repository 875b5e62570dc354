"""How PostgreSQL ran what the shipped code asked for: its own account of every plan, as JSON."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import psycopg

from backend.db import PROLOGUE

if TYPE_CHECKING:
    import uuid
    from collections.abc import Awaitable, Callable, Iterator

    from psycopg import AsyncConnection

Plan = dict[str, Any]
EXPLAIN = (
    "LOAD 'auto_explain'",
    "SET auto_explain.log_min_duration = 0",
    "SET auto_explain.log_format = json",
    "SET auto_explain.log_nested_statements = on",
    "SET client_min_messages = log",
    "SET log_min_messages = panic",
)


def explain(
    superuser_url: str,
    login: str,
    account: uuid.UUID,
    ask: Callable[[AsyncConnection[Any]], Awaitable[object]],
) -> list[Plan]:
    """Run `ask` in the server's own transaction as `login`; return the plan of each statement.

    Only a superuser may switch the noting on, so the connection begins as one and hands over.
    """
    plans: list[Plan] = []

    def note(diagnostic: psycopg.errors.Diagnostic) -> None:
        _, is_plan, text = (diagnostic.message_primary or "").partition("plan:\n")
        if is_plan:
            plans.append(json.loads(text))

    async def run() -> None:
        connection = await psycopg.AsyncConnection.connect(
            superuser_url, autocommit=True, prepare_threshold=None
        )
        async with connection:
            for statement in EXPLAIN:
                await connection.execute(statement)
            connection.add_notice_handler(note)
            await connection.execute(f"SET SESSION AUTHORIZATION {login}")
            await connection.execute(PROLOGUE.format(account=account, seconds=10))
            plans.clear()
            await ask(connection)
            await connection.rollback()  # a statement ends, and is noted, when the next one comes

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
