"""The server: CPU of a read and of a search, pushes and imports, memory of a worker."""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from bench.corpus import SEED, Corpus
from bench.serving import ROOT, Account, Server, accounts, database, surroundings

if TYPE_CHECKING:
    from bench.report import Report

ACCOUNTS = 1_000
ACTIVE = 50  # accounts that ask in turn; the others are there
ROWS = 20  # memories of each active account
REQUESTS = 2_000
OPS, PUSHES = 200, 20
PUSHERS = 4
IMPORTED = 10_000


def run(report: Report) -> None:
    """Serve 1,000 accounts from one process, with PostgreSQL beside it."""
    with database() as (url, postmaster):
        report.progress(f"{ACCOUNTS} accounts")
        active = accounts(url, ACCOUNTS)[:: ACCOUNTS // ACTIVE]
        with Server(url, postmaster) as server:
            _requests(report, server, active)
            _pushes(report, server, active)
            report.add("resident memory of a worker", server.resident(), "MB", 120)
        _import(report, url)


def _requests(report: Report, server: Server, active: list[Account]) -> None:
    corpus, chance = Corpus(), random.Random(SEED)
    uids = {account.id: [str(uuid4()) for _ in range(ROWS)] for account in active}
    for account in active:
        ops = [_create(corpus, uid) for uid in uids[account.id]]
        server.ask("POST", "/api/memories/sync", account, {"ops": ops})

    def read(number: int) -> None:
        account = active[number % ACTIVE]
        uid = chance.choice(uids[account.id])
        server.ask("GET", f"/api/memories/{uid}", account)

    def search(number: int) -> None:
        body = {"context": corpus.text(6), "limit": 10}
        server.ask("POST", "/api/memories/recall", active[number % ACTIVE], body)

    def empty(_number: int) -> None:
        server.ask("GET", "/livez")

    for warm in (empty, read, search):
        for number in range(ACTIVE * 2):
            warm(number)
    report.progress(f"{3 * REQUESTS} requests")
    nothing, keyed, searched = server.costs([empty, read, search], REQUESTS)
    report.add("an empty route", nothing.server, "CPU-ms")
    report.add("a keyed read", keyed.server, "CPU-ms")
    report.add("a keyed read to an empty route", keyed.server / nothing.server, "times", 4)
    report.add("the same, in PostgreSQL", keyed.database, "CPU-ms")
    report.add("a search", searched.server, "CPU-ms")
    report.add("a search to an empty route", searched.server / nothing.server, "times", 5)
    report.add("the same, in PostgreSQL", searched.database, "CPU-ms")


def _pushes(report: Report, server: Server, active: list[Account]) -> None:
    corpus = Corpus()
    pushes = [[_create(corpus, str(uuid4())) for _ in range(OPS)] for _ in range(2 * PUSHES)]
    bodies = [json.dumps({"ops": ops}).encode() for ops in pushes]
    report.progress(f"{len(bodies)} pushes")
    cost = server.cost(
        lambda number: server.ask("POST", "/api/memories/sync", active[0], bodies[number]), PUSHES
    )
    busier = 1_000 * OPS / max(cost)
    together = 1_000 * OPS / sum(cost)
    report.add(f"a push of {OPS}: the server's part of a row", cost.server / OPS, "CPU-ms")
    report.add("the same, PostgreSQL's part of a row", cost.database / OPS, "CPU-ms")
    report.add("the same, rows a second, a core for each", busier, "rows", 5_000, at_least=True)
    report.add("the same, rows for a second of CPU of both", together, "rows")
    rate = OPS * PUSHES / _by_the_clock(server, active, bodies[PUSHES:])
    report.add(f"the same, {PUSHERS} clients at once, by the clock", rate, "rows a second")


def _by_the_clock(server: Server, active: list[Account], bodies: list[bytes]) -> float:
    """Return the seconds that all pushes take, several at once, each for an account of its own."""

    def work(pusher: int) -> None:
        line = server.line()
        for body in bodies[pusher::PUSHERS]:
            server.ask("POST", "/api/memories/sync", active[pusher], body, line)
        line.close()

    begun = time.perf_counter()
    with ThreadPoolExecutor(PUSHERS) as pushers:
        list(pushers.map(work, range(PUSHERS)))
    return time.perf_counter() - begun


def _import(report: Report, url: str) -> None:
    corpus = Corpus()
    report.progress(f"import of {IMPORTED}")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "memories.json")
        file.write_text(json.dumps([_body(corpus) for _ in range(IMPORTED)]), encoding="utf-8")
        before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "backend", "import", str(file)],
            cwd=ROOT,
            env=surroundings() | {"DATABASE_URL": url},
            capture_output=True,
            check=True,
        )
        took, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    report.add(f"import of {IMPORTED:,} rows, wall time of the command", took, "s", 10)
    report.add("the command's part", used, "CPU-s")


def _create(corpus: Corpus, uid: str) -> dict[str, Any]:
    return {
        "op_id": str(uuid4()),
        "uid": uid,
        "kind": "create",
        "base": 0,
        "body": _body(corpus),
    }


def _body(corpus: Corpus) -> dict[str, Any]:
    return corpus.fact()._asdict()
