"""The functions of AWS Lambda: size, cold start and warm calls of what `sam build` makes."""

from __future__ import annotations

import json
import platform
import statistics
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.corpus import Corpus
from bench.serving import NO_LIMIT, accounts, cpu, database
from tests.support import artefact
from tests.support.lambda_runtime import function, http_v2
from tools import deploying

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.report import Report
    from tests.support.lambda_runtime import Function

STARTS = 7
ROUNDS, CALLS = 10, 40  # of each kind of call
WARM = 50
LIMIT_MB = 70
OTHER = {"x86_64": "arm64", "AMD64": "arm64"}.get(platform.machine(), "x86_64")
SNAPSTART = {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}


def run(report: Report) -> None:
    """Build the artefact, and run it in AWS's runtime client with Secrets Manager and KMS."""
    deploying.install()
    with tempfile.TemporaryDirectory() as place, database() as (url, _):
        folder = Path(place)
        report.progress("sam build")
        code = artefact.built(folder) / "ApiFunction"
        _sizes(report, code, folder / "other")
        [account] = accounts(url, 1)
        with artefact.aws(folder / "aws") as address:
            environ = artefact.environ(address, {"DATABASE_URL": url})
            functions = Functions(code, environ, folder, account.key)
            _starts(report, functions)
            _calls(report, functions)


class Functions:
    """Starts the function that serves, each time in a process of its own."""

    def __init__(self, code: Path, environ: dict[str, str], folder: Path, key: str) -> None:
        """Keep what it is made of."""
        self._code, self._log = code, folder / "log"
        self._environ = {**environ, "MEMORY_RATE": NO_LIMIT, "MEMORY_BURST": NO_LIMIT}
        self._headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}

    @contextmanager
    def start(self, **more: str) -> Iterator[Function]:
        """Run one."""
        with function(
            "backend.aws.api",
            self._log,
            self._environ | more,
            folder=self._code,
            python=artefact.runtime_python(),
        ) as started:
            yield started

    def ask(
        self, served: Function, method: str, path: str, body: dict[str, Any] | None = None
    ) -> None:
        """Send one request.

        Raises:
            RuntimeError: it is not a success.
        """
        text = None if body is None else json.dumps(body)
        answer = served.invoke(http_v2(method, path, body=text, headers=self._headers))
        if answer["statusCode"] != 200:
            raise RuntimeError(f"{method} {path}: {answer}")


def _sizes(report: Report, code: Path, other: Path) -> None:
    """Weigh the artefact, and that for the other kind of processor."""
    command = [artefact.runtime_python(), str(artefact.ROOT / "deploy" / "sam" / "artefact.py")]
    subprocess.run([*command, OTHER, str(other)], check=True, capture_output=True)
    ours = {"arm64": "x86_64", "x86_64": "arm64"}[OTHER]
    for name, folder in sorted(((ours, code), (OTHER, other))):
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        report.add(f"functions for {name}, unpacked", size / 1e6, "MB", LIMIT_MB)


def _starts(report: Report, functions: Functions) -> None:
    cold, copied = [], []
    for number in range(STARTS):
        report.progress(f"cold start {number + 1} of {STARTS}")
        with functions.start() as served:
            functions.ask(served, "GET", "/api/memories")
            cold.append(cpu(served.process.pid) / 1e3)
        with functions.start(**SNAPSTART) as served:
            before = cpu(served.process.pid)
            served.restore()
            functions.ask(served, "GET", "/api/memories")
            copied.append((cpu(served.process.pid) - before) / 1e3)
    report.add(
        "cold start of a function to its first answer", statistics.median(cold), "CPU-s", 1.2
    )
    report.add(f"the same, slowest of {STARTS}", max(cold), "CPU-s")
    report.add("a copy of a snapshot to its first answer", statistics.median(copied), "CPU-s")


def _calls(report: Report, functions: Functions) -> None:
    """Let the kinds of calls take turns, so that a busy moment meets all of them."""
    corpus = Corpus()
    kinds: dict[str, Callable[[], tuple[Any, ...]]] = {
        "a warm call that reads": lambda: ("GET", "/api/memories/1"),
        "a warm call that searches": lambda: (
            *("POST", "/api/memories/recall"),
            {"context": corpus.text(6), "limit": 10},
        ),
        "a warm call that stores": lambda: ("POST", "/api/memories", corpus.fact()._asdict()),
    }
    found: dict[str, list[float]] = {name: [] for name in kinds}
    with functions.start() as served:
        for make in reversed(kinds.values()):
            for _ in range(WARM):
                functions.ask(served, *make())
        for number in range(ROUNDS):
            report.progress(f"warm calls, round {number + 1} of {ROUNDS}")
            for name, make in kinds.items():
                calls = [make() for _ in range(CALLS)]
                before = cpu(served.process.pid)
                for call in calls:
                    functions.ask(served, *call)
                found[name].append((cpu(served.process.pid) - before) / CALLS)
    for name, costs in found.items():
        report.add(name, statistics.median(costs), "CPU-ms", 4)
