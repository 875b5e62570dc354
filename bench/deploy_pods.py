"""Pods of the chart: CPU until a server is ready, and a rolling update under load."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.serving import Server, database
from tests.support.chart import one
from tests.support.load import Load, high
from tests.support.plugins_at_work import USER, Plugins
from tests.support.release import Cluster
from tools import deploying

if TYPE_CHECKING:
    from bench.report import Report

STARTS = 7
QUIET = 20.0  # seconds before the update, to compare with


def run(report: Report) -> None:
    """Start servers; then update two to a next version with a next schema."""
    deploying.install()
    _starts(report)
    with tempfile.TemporaryDirectory() as folder:
        _update(report, Path(folder))


def _starts(report: Report) -> None:
    used = []
    with database() as (url, postmaster):
        for number in range(STARTS):
            report.progress(f"start {number + 1} of {STARTS}")
            with Server(url, postmaster) as server:
                used.append(server.used().server / 1e3)
    report.add("start of a server until it is ready", statistics.median(used), "CPU-s", 2)


def _update(report: Report, folder: Path) -> None:
    with Cluster(folder) as cluster, Plugins(folder, cluster.address) as plugins:
        with Load(cluster.proxy.port) as load:
            report.progress("load on two pods")
            begun = time.monotonic()
            time.sleep(QUIET)
            updated = time.monotonic()
            report.progress("rolling update")
            manifests = cluster.rendered("9.9.9")
            cluster.migrate(manifests)
            cluster.deployment.update(one(manifests, "Deployment"))
            ended = time.monotonic()
        plugins.finish(lambda: cluster.stored_by(USER))
        before, during = load.between(begun, updated), load.between(updated, ended)
        failed = [sent for sent in load.sent if sent.status != 200]
        report.add("rolling update under load: requests that failed", len(failed), "requests", 0)
        report.add("the same: requests during it", len(during), "requests")
        report.add("the same: plugins stored, none lost", len(plugins.stored), "memories")
        report.add("the same: 99th percentile before", high(before) * 1e3, "ms")
        report.add("the same: 99th percentile during it", high(during) * 1e3, "ms")
        report.add("the same, in those before", high(during) / high(before), "times", 3)
