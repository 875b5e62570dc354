"""A search through the server beside the same SQL alone, in an account of 100,000."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

from bench import backend_recall
from bench.serving import Account, Server, add_key, database

if TYPE_CHECKING:
    from bench.report import Report

SEARCHES = 200
WARM = 20


def run(report: Report) -> None:
    """Ask as a client does; where CPU is the limit, its shares are those of the throughput."""
    with database() as (url, postmaster):
        report.progress("filling")
        questions = backend_recall.fill(url)
        with psycopg.connect(url) as connection:
            [(account,)] = connection.execute("SELECT id FROM accounts WHERE name = 'large'")
            large = Account(str(account), add_key(connection, str(account)))
        with Server(url, postmaster) as server:

            def search(number: int) -> None:
                words = questions[number % len(questions)].words
                server.ask("POST", "/api/memories/recall", large, {"context": " ".join(words)})

            for number in range(WARM):
                search(number)
            report.progress(f"{SEARCHES} searches")
            cost = server.cost(search, SEARCHES)
    share = 100 * cost.database / (cost.server + cost.database)
    report.add("PostgreSQL's part of a search, 100,000 rows", cost.database, "CPU-ms")
    report.add("the server's part", cost.server, "CPU-ms")
    report.add("throughput beside the same SQL alone", share, "%", 50, at_least=True)
