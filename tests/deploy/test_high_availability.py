"""The chart's Deployment, run by a small kubelet: updates, drains, kills and a database that goes.

Real server processes, a real PostgreSQL, a proxy that retries nothing, load all the time. What is
not shown here is what a cluster adds: scheduling on nodes, and its network.
"""

from __future__ import annotations

import re
import shutil
import time
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from backend.embedded import EmbeddedPostgres
from tests.support.chart import ROOT, one, pods, render
from tests.support.kubelet import Deployment, Node, Pod
from tests.support.load import KEY, Load, Sent, high
from tests.support.round_robin import Proxy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Manifest = dict[str, Any]

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(900)]
NEXT = '''"""One thing more, as a next version would have it."""

from alembic import op

revision, down_revision, branch_labels, depends_on = "9999", "{newest}", None, None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE memories ADD COLUMN colour TEXT")


def downgrade() -> None:
    raise NotImplementedError
'''
PLENTY = ("settings.rate=1000000", "settings.burst=1000000")


def next_version(folder: Path) -> Path:
    """Make a next version of the server, which needs a next schema."""
    for name in ("backend", "migrations"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    newest = max(path.name[:4] for path in (folder / "migrations" / "versions").glob("0*.py"))
    (folder / "migrations" / "versions" / "9999_next.py").write_text(NEXT.format(newest=newest))
    needed = folder / "backend" / "migrate.py"
    text = needed.read_text()
    needed.write_text(re.sub(r'(?m)^NEEDED = "\d+"', 'NEEDED = "9999"', text))
    assert needed.read_text() != text
    (folder / "backend" / "version.py").write_text('"""Next."""\n\nVERSION = "9.9.9"\n')
    return folder


class Cluster:
    """The release of the chart, on a database that can be restarted."""

    def __init__(self, folder: Path) -> None:
        """Start the database; its socket has a name that stays."""
        self.folder = folder
        self.postgres = EmbeddedPostgres(folder / "pg", throwaway=True)
        self.socket = folder / "socket"
        url = self.start_database()
        images = {"claude-memory:0.1.0": ROOT, "claude-memory:9.9.9": next_version(folder / "next")}
        secrets = {"claude-memory-secrets": {"database-url": url, "api-key": KEY}}
        (folder / "logs").mkdir()
        names: dict[str, str] = {}
        self.url, self.node = url, Node(images, secrets, folder / "logs", names)
        self.manifests = self.rendered("0.1.0")
        self.deployment = Deployment(one(self.manifests, "Deployment"), self.node)
        self.proxy = Proxy(lambda: self.deployment.pods)
        names["http://claude-memory:80"] = f"http://127.0.0.1:{self.proxy.port}"

    @staticmethod
    def rendered(version: str) -> list[Manifest]:
        """Render the chart for a version."""
        return render("existing-secret", f"image.tag={version}", *PLENTY)

    def start_database(self) -> str:
        """Start it, and let the name lead to it; return a URL that stays."""
        database, _, socket = self.postgres.start().partition("?host=")
        self.socket.unlink(missing_ok=True)
        self.socket.symlink_to(socket)
        return f"{database}?host={self.socket}"

    def migrate(self, manifests: list[Manifest]) -> None:
        """Run the migration Job as it is rendered."""
        pod = Pod(pods(manifests)["Job"], self.node)
        assert pod.run() == 0, pod.log.read_text()

    def versions(self) -> set[str]:
        """Return which versions serve."""
        found = {pod.container["image"] for pod in self.deployment.available()}
        return {image.partition(":")[2] for image in found}

    def stored(self) -> set[str]:
        """Return the first word of every memory."""
        with psycopg.connect(self.url) as connection:
            rows = connection.execute("SELECT split_part(content, ' ', 1) FROM memories").fetchall()
        return {word for (word,) in rows}

    def end(self) -> None:
        """Stop everything."""
        self.proxy.close()
        self.deployment.end()
        self.postgres.stop()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """Run a release: migrated first, then two pods that serve."""
    made = Cluster(tmp_path)
    try:
        made.migrate(made.manifests)
        made.deployment.start()
        yield made
    finally:
        made.end()


def failed(sent: list[Sent]) -> list[Sent]:
    """Return the requests without a good answer."""
    return [one for one in sent if one.status != 200]


def settle(load: Load, seconds: float = 3) -> tuple[float, float]:
    """Let the load go on for a while; return when that began and ended."""
    begun = time.monotonic()
    time.sleep(seconds)
    return begun, time.monotonic()


def assert_nothing_lost(cluster: Cluster, load: Load) -> None:
    """Every write that was answered well is there."""
    acknowledged = {one.wrote for one in load.sent if one.wrote and one.status == 200}
    assert len(acknowledged) > 20
    assert acknowledged <= cluster.stored()


def test_rolling_update_with_a_new_schema_fails_no_request(cluster: Cluster) -> None:
    """The migration first, under the old pods; then pod by pod. Every request is answered."""
    with Load(cluster.proxy.port) as load:
        before = settle(load, 5)
        manifests = cluster.rendered("9.9.9")
        begun = time.monotonic()
        cluster.migrate(manifests)
        assert cluster.versions() == {"0.1.0"}
        old = list(cluster.deployment.pods)
        cluster.deployment.update(one(manifests, "Deployment"))
        during = begun, time.monotonic()
        settle(load)
    assert cluster.versions() == {"9.9.9"}
    assert failed(load.sent) == []
    assert not any(pod.was_killed or pod.restarts for pod in [*old, *cluster.deployment.pods])
    assert_nothing_lost(cluster, load)
    quiet, busy = (high(load.between(*times)) for times in (before, during))
    print(f"p99 before {quiet * 1000:.0f} ms, during {busy * 1000:.0f} ms: {busy / quiet:.1f}")


def test_new_version_waits_for_its_schema(cluster: Cluster) -> None:
    """Without the migration the new pod never gets ready, and the old ones go on serving."""
    deployment = cluster.deployment
    with Load(cluster.proxy.port) as load:
        deployment.manifest = one(cluster.rendered("9.9.9"), "Deployment")
        added = deployment._add()
        deployment.wait(lambda: added.log.exists() and "\n" in added.log.read_text(), "a start")
        settle(load, 6)
        assert not added.is_ready
        assert cluster.versions() == {"0.1.0"}
        cluster.migrate(cluster.rendered("9.9.9"))
        deployment.wait(lambda: added.is_ready, "the new pod to find its schema")
    assert failed(load.sent) == []
    assert added.restarts == 0


def test_drain_of_a_node_fails_no_request(cluster: Cluster) -> None:
    """The pod is evicted within the budget; its running requests end, new ones go to the other."""
    budget = one(cluster.manifests, "PodDisruptionBudget")
    with Load(cluster.proxy.port) as load:
        settle(load)
        victim = cluster.deployment.pods[0]
        cluster.deployment.drain(victim, budget)
        settle(load)
    assert failed(load.sent) == []
    assert not victim.was_killed
    assert_nothing_lost(cluster, load)


def test_killed_process_takes_only_its_own_requests_along(cluster: Cluster) -> None:
    """Until the kubelet has noticed; the pod is started again, and no answered write is gone."""
    with Load(cluster.proxy.port) as load:
        settle(load)
        victim = cluster.deployment.pods[0]
        killed = time.monotonic()
        victim.kill()
        cluster.deployment.wait(lambda: victim.restarts == 1, "the kubelet to notice")
        noticed = time.monotonic()
        cluster.deployment.wait(lambda: victim.is_ready, "the pod to serve again")
        settle(load)
    assert all(
        killed - 1 <= one.at <= noticed + 2.5 and one.status == 0 for one in failed(load.sent)
    )
    assert len(failed(load.sent)) < len(load.between(killed - 1, noticed + 2.5))
    assert_nothing_lost(cluster, load)


def test_jobs_of_the_release_do_their_work(cluster: Cluster) -> None:
    """`helm test` stores, recalls and deletes through the Service; the purge runs to its end."""
    made = pods(cluster.manifests)
    cluster.deployment.wait(lambda: bool(cluster.proxy.known()), "the Service to find its pods")
    trial, purge = Pod(made["Pod"], cluster.node), Pod(made["CronJob"], cluster.node)
    assert trial.run() == 0, trial.log.read_text()
    assert trial.log.read_text() == "Stored, recalled and deleted a memory.\n"
    assert purge.run() == 0, purge.log.read_text()
    wrong = Node(cluster.node.images, {}, cluster.folder / "logs", cluster.node.names)
    nameless = Pod(made["Pod"], wrong)
    assert nameless.run() != 0
    assert "neither api-key nor api-keys" in nameless.log.read_text()


def test_restart_of_the_database_is_answered_with_503_and_survived(cluster: Cluster) -> None:
    """Nobody is cut off, no pod is restarted, and all is well again soon after."""
    with Load(cluster.proxy.port) as load:
        settle(load)
        cluster.postgres.stop()
        settle(load, 8)
        cluster.start_database()
        back = time.monotonic()
        deployment = cluster.deployment
        deployment.wait(lambda: deployment.available() == deployment.pods, "pods to be ready")
        time.sleep(1.5)  # until the proxy has heard of it
        recovered = settle(load)
    assert {one.status for one in failed(load.sent)} == {503}
    assert failed(load.between(*recovered)) == []
    assert max(one.at for one in failed(load.sent)) < back + 30
    assert [pod.restarts for pod in cluster.deployment.pods] == [0, 0]
    assert_nothing_lost(cluster, load)
