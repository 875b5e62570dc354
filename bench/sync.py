"""Syncing with a real server: catching up, a steady cycle, a first pull, news, and silence."""

from __future__ import annotations

import sqlite3
import statistics
import time
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING

from claude_memory import paths

from bench import stores
from bench.corpus import Corpus
from bench.processes import Server, share
from bench.serving import Server as Api
from bench.serving import accounts, database
from tests.support.cable import Cable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bench.report import Report
    from bench.serving import Account

COUNT = 10_000
CYCLES = 15
ROUNDS = 8
LATER = 200
PATIENCE = 300.0  # seconds


class Bench:
    """The server, a cable to it, and the machines that are measured."""

    def __init__(self, report: Report, place: Path, cable: Cable) -> None:
        """Keep where everything is."""
        self.report, self.place, self.cable = report, place, cable
        self._corpus = Corpus(seed=7)

    @contextmanager
    def machine(self, name: str, account: Account, interval: int = 60) -> Iterator[Server]:
        """Run a session on a data folder of its own."""
        environ = {
            "MEMORY_API_URL": self.cable.url,
            "MEMORY_API_KEY": account.key,
            "MEMORY_SYNC_INTERVAL": str(interval),
        }
        with Server(self.home(name), **environ) as session:
            session.initialize()
            yield session

    def home(self, name: str) -> Path:
        """Return the data folder of a machine."""
        return self.place / name / "home"

    def store(self, session: Server) -> None:
        """Store a made-up memory."""
        fact = self._corpus.fact()._replace(scope="global")._asdict()
        del fact["project"]
        session.call("memory_store", **fact)

    def value(self, name: str, query: str) -> str:
        """Read one value of a machine's store; empty where there is none."""
        path = paths.database(str(self.home(name)))
        with closing(sqlite3.connect(path, timeout=30)) as connection:
            row = connection.execute(query).fetchone()
        return str(row[0]) if row else ""

    def queued(self, name: str) -> int:
        """Return how many changes wait to be sent."""
        return int(self.value(name, "SELECT count(*) FROM pending_ops"))

    def is_bound(self, name: str) -> bool:
        """Tell whether a machine has seen the end of the feed."""
        return bool(self.value(name, "SELECT v FROM sync_state WHERE k = 'cursor' AND v <> ''"))


def run(report: Report) -> None:
    """Measure on one server; each machine has a data folder of its own."""
    with ExitStack() as stack:
        place = stack.enter_context(stores.folder())
        url, postmaster = stack.enter_context(database())
        api = stack.enter_context(Api(url, postmaster))
        cable = stack.enter_context(Cable("127.0.0.1", api.port))
        bench = Bench(report, place, cable)
        one, two, three = accounts(url, 3)
        _catch_up(bench, one)
        _catch_up_after_a_kill(bench, two)
        _steady(bench, one)
        _first_pull(bench, one)
        _news(bench, three)
        _silence(bench, three)


def _catch_up(bench: Bench, account: Account) -> None:
    with bench.machine("whole", account) as session:
        _go_offline_and_store(bench, "whole", session)
        bench.cable.plug()
        took, waits = _until_sent(bench, "whole", session)
    bench.report.add(f"{COUNT:,} offline stores reach the server", took, "s", 20)
    _add_waits(bench.report, waits)


def _catch_up_after_a_kill(bench: Bench, account: Account) -> None:
    with bench.machine("killed", account) as session:
        _go_offline_and_store(bench, "killed", session)
        session.process.kill()
    bench.cable.plug()
    with bench.machine("killed", account) as session:
        took, waits = _until_sent(bench, "killed", session)
    bench.report.add("the same after kill -9 and a restart", took, "s", 20)
    _add_waits(bench.report, waits)


def _add_waits(report: Report, waits: list[float]) -> None:
    report.add("the same: a tool's answer meanwhile, longest", max(waits), "s", 0.3)
    report.add("the same: a tool's answer meanwhile, median", statistics.median(waits), "s")


def _go_offline_and_store(bench: Bench, name: str, session: Server) -> None:
    session.call("memory_list")
    _wait(lambda: bench.is_bound(name))
    bench.cable.pull()
    for number in range(COUNT):
        bench.store(session)
        if number % 100 == 0:
            bench.report.progress(f"{name}: {number:,} of {COUNT:,} offline stores")


def _until_sent(bench: Bench, name: str, session: Server) -> tuple[float, list[float]]:
    """Use tools until nothing waits; return how long that took, and each call."""
    begun, waits = time.perf_counter(), []
    while bench.queued(name):
        for tool, asked in (("memory_recall", {"context": "river"}), ("memory_list", {})):
            waits.append(_timed(lambda: session.call(tool, **asked)))  # noqa: B023  (called at once)
        bench.report.progress(f"{name}: {bench.queued(name):,} to send")
        time.sleep(0.2)
    return time.perf_counter() - begun, waits


def _steady(bench: Bench, account: Account) -> None:
    """Watch cycles in which nothing has changed."""
    with bench.machine("whole", account, interval=1) as session:
        _wait(lambda: _is_settled(bench, "whole"))  # what was sent comes back in the feed once
        before = _Seen(bench.cable, session)
        _wait(lambda: bench.cable.pulls >= before.pulls + CYCLES)
        after = _Seen(bench.cable, session)
    cycles = after.pulls - before.pulls
    requests = (after.requests - before.requests) / cycles
    bench.report.add(f"a cycle without changes at {COUNT:,}, requests", requests, "requests", 1)
    carried = (after.carried - before.carried) / cycles
    bench.report.add("the same, both ways with all headers", carried, "bytes", 1_024)
    bench.report.add("the same", (after.cpu - before.cpu) / cycles, "CPU-ms", 30)


def _is_settled(bench: Bench, name: str) -> bool:
    """Let three cycles pass; tell whether they brought nothing new."""
    query = "SELECT v FROM sync_state WHERE k = 'cursor'"
    cursor, pulls = bench.value(name, query), bench.cable.pulls
    _wait(lambda: bench.cable.pulls > pulls + 3)
    return bench.value(name, query) == cursor


class _Seen:
    """What a cable has carried so far, and what a session has used."""

    def __init__(self, cable: Cable, session: Server) -> None:
        time.sleep(0.5)  # the answer to the last request has come too
        self.pulls, self.carried, self.cpu = cable.pulls, cable.carried, session.cpu()
        self.requests = cable.pulls + cable.pushes


def _first_pull(bench: Bench, account: Account) -> None:
    with Server(bench.home("local")) as session:
        session.initialize()
        session.call("memory_list")
        usual = session.peak_mb()
    with bench.machine("empty", account) as session:
        begun, used = time.perf_counter(), session.cpu()
        session.call("memory_list")  # who asks is told soon
        _wait(lambda: bench.is_bound("empty") and not bench.value("empty", SWEEPING))
        took, used = time.perf_counter() - begun, session.cpu() - used
        grown = session.peak_mb() - usual
    assert bench.value("empty", "SELECT count(*) FROM memories WHERE live = 1") == str(COUNT)
    bench.report.add(f"pull of {COUNT:,} into an empty store", took, "s", 5)
    bench.report.add("the same, the plugin's part", used / 1_000, "CPU-s")
    bench.report.add("the same, growth of memory over a local session", grown, "MB", 30)


SWEEPING = "SELECT v FROM sync_state WHERE k = 'need_sweep' AND v <> ''"


def _news(bench: Bench, account: Account) -> None:
    """Store on one machine, and look into the store of another that nobody touches meanwhile."""
    waits = []
    with bench.machine("writer", account) as writer, bench.machine("reader", account) as reader:
        reader.call("memory_list")
        _wait(lambda: bench.is_bound("reader"))
        for number in range(1, ROUNDS + 1):
            bench.store(writer)
            waits.append(_timed(lambda: _wait(lambda: _live(bench, "reader") == number)))  # noqa: B023
    bench.report.add("a change reaches another machine, longest", max(waits), "s", 5)
    bench.report.add("the same, median", statistics.median(waits), "s")


def _live(bench: Bench, name: str) -> int:
    return int(bench.value(name, "SELECT count(*) FROM memories WHERE live = 1"))


def _silence(bench: Bench, account: Account) -> None:
    """Let the server fall silent under a session, and start one in the silence."""
    alone = _alone(bench)
    with bench.machine("writer", account) as session:
        session.call("memory_list")
        bench.store(session)
        _wait(lambda: not bench.queued("writer"))
        bench.cable.mute()
        first = _timed(lambda: bench.store(session))
        later = [_timed(lambda: bench.store(session)) for _ in range(LATER)]
    starts = [_timed(lambda: _start(bench, account)) for _ in range(ROUNDS)]
    bench.cable.plug()
    middle = statistics.median(starts)
    bench.report.add("silent server: start to tools/list, median", middle, "s", 0.3)
    bench.report.add("the same in starts without a server", middle / _usual_start(bench), "times")
    bench.report.add("silent server: the first store", first, "s", 0.4)
    beyond = 1_000 * (statistics.median(later) - statistics.median(alone))
    bench.report.add("silent server: a later store, beyond one without a server", beyond, "ms", 20)
    worst = 1_000 * (share(later, 0.95) - share(alone, 0.95))
    bench.report.add("the same, 95th percentile", worst, "ms", 20)


def _alone(bench: Bench) -> list[float]:
    """Return what stores take where there is no server at all."""
    with Server(bench.home("alone")) as session:
        session.initialize()
        bench.store(session)
        return [_timed(lambda: bench.store(session)) for _ in range(LATER)]


def _usual_start(bench: Bench) -> float:
    def start() -> None:
        with Server(bench.home("alone")) as session:
            session.initialize()
            session.ask("tools/list")

    return statistics.median(_timed(start) for _ in range(ROUNDS))


def _start(bench: Bench, account: Account) -> None:
    with bench.machine("writer", account) as session:
        session.ask("tools/list")


def _timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _wait(is_done: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not is_done():
        if time.monotonic() > end:
            raise TimeoutError("what was waited for did not come")
        time.sleep(0.02)
