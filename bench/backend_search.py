"""Searches through the server beside pgbench with the same SQL, in accounts of up to a million."""

from __future__ import annotations

import asyncio
import re
import statistics
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from backend.db import whole
from backend.programs import find_binaries
from backend.schemas import RecallBody
from backend.services import recalling
from bench import backend_recall
from bench.serving import Account, Cost, Server, add_key, database

if TYPE_CHECKING:
    from uuid import UUID

    from bench.backend_recall import Question
    from bench.report import Report

SIZES = {100_000: 50, 1_000_000: 80}
SEARCHES = 100
WARM = 20
CALLERS = 4  # at once: two for each core
LAPS, SECONDS = 5, 6  # both take turns, so a busy moment meets both
TRANSACTIONS = re.compile(r"number of transactions actually processed: (\d+)")


def run(report: Report) -> None:
    """Let clients ask over HTTP, and pgbench ask the same questions without a server."""
    for size, bound in SIZES.items():
        report.progress(f"filling {size:,}")
        with database() as (url, postmaster), tempfile.TemporaryDirectory() as folder:
            questions = backend_recall.fill(url, size)[:SEARCHES]
            with psycopg.connect(url) as connection:
                [(account,)] = connection.execute("SELECT id FROM accounts WHERE name = 'large'")
                large = Account(str(account), add_key(connection, str(account)))
            _write(Path(folder), url, account, questions)
            bodies = [{"context": " ".join(question.words)} for question in questions]
            report.progress(f"searching {size:,}")
            with Server(url, postmaster) as server:
                cost = _cost(server, large, bodies)
                laps = [
                    (_searches(server, large, bodies), _transactions(url, Path(folder)))
                    for _ in range(LAPS)
                ]
        report.add(f"a search among {size:,}, the server's part", cost.server, "CPU-ms")
        report.add("the same, PostgreSQL's part", cost.database, "CPU-ms")
        ours, alone = (statistics.median(rates) for rates in zip(*laps, strict=True))
        report.add(f"the same, through the server, {CALLERS} clients", ours, "a second")
        report.add(f"the same SQL by pgbench, {CALLERS} clients", alone, "a second")
        share = statistics.median(100 * one / other for one, other in laps)
        report.add("the server's rate in that of pgbench", share, "%", bound, at_least=True)


def _cost(server: Server, account: Account, bodies: list[dict[str, str]]) -> Cost:
    def search(number: int) -> None:
        server.ask("POST", "/api/memories/recall", account, bodies[number % len(bodies)])

    for number in range(WARM):
        search(number)
    return server.cost(search, len(bodies))


def _searches(server: Server, account: Account, bodies: list[dict[str, str]]) -> float:
    """Return how many searches a second clients get answered, each over a line of its own."""
    done = [0] * CALLERS
    until = time.perf_counter() + SECONDS

    def call(caller: int) -> None:
        line = server.line()
        while time.perf_counter() < until:
            body = bodies[(done[caller] * CALLERS + caller) % len(bodies)]
            server.ask("POST", "/api/memories/recall", account, body, line)
            done[caller] += 1
        line.close()

    callers = [threading.Thread(target=call, args=(caller,)) for caller in range(CALLERS)]
    begun = time.perf_counter()
    for one in callers:
        one.start()
    for one in callers:
        one.join()
    return sum(done) / (time.perf_counter() - begun)


def _transactions(url: str, scripts: Path) -> float:
    """Return how many of the same transactions a second pgbench gets done."""
    named = [argument for path in sorted(scripts.iterdir()) for argument in ("-f", str(path))]
    command = [str(find_binaries() / "pgbench"), "-n", "-T", str(SECONDS), "-c", str(CALLERS)]
    said = subprocess.run(
        [*command, *named, url], capture_output=True, text=True, check=True
    ).stdout
    match = TRANSACTIONS.search(said)
    return int(match[1]) / SECONDS if match else 0.0


def _write(scripts: Path, url: str, account: UUID, questions: list[Question]) -> None:
    """Write what the server would send for each question as a script for pgbench."""
    with psycopg.connect(url) as connection:
        for number, question in enumerate(questions):
            sent = _Sent(connection)
            body = RecallBody(context=" ".join(question.words))
            asyncio.run(recalling.search(sent, account, body))
            # `\;` keeps the statements of one message together, as they are sent.
            script = sent.text.replace("; ", "\\; ") + ";\n"
            (scripts / f"{number:03}.sql").write_text(script, encoding="utf-8")


class _Sent:
    """Takes what would be sent to the database."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._cursor = psycopg.ClientCursor(connection)
        self.text = ""

    async def read(self, account: UUID | None, query: str, values: Any, _make_row: Any) -> Any:  # noqa: ANN401
        """Note the statement; nothing is found."""
        self.text = whole(account, self._cursor.mogrify(query, values))
        return []
