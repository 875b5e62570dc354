"""The chart's Deployment, run by a small kubelet: updates, drains, kills and a database that goes.

Real server processes, a real PostgreSQL, a proxy that retries nothing, and all the time callers of
the API, half of whom keep their connection, and real plugins in hybrid mode. What is not shown here
is what a cluster adds: scheduling on nodes, and its network.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.support import plugins_at_work
from tests.support.chart import one, pods
from tests.support.kubelet import NEWS, Node, Pod
from tests.support.load import Load, Sent, high
from tests.support.plugins_at_work import Plugins
from tests.support.release import Cluster

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(900)]


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """Run a release: migrated first, then two pods that serve."""
    with Cluster(tmp_path) as running:
        yield running


def failed(sent: list[Sent]) -> list[Sent]:
    """Return the requests without a good answer."""
    return [one for one in sent if one.status != 200]


def settle(load: Load, seconds: float = 3) -> tuple[float, float]:
    """Let the load go on for a while; return when that began and ended."""
    begun = time.monotonic()
    time.sleep(seconds)
    return begun, time.monotonic()


@pytest.fixture
def plugins(cluster: Cluster, tmp_path: Path) -> Iterator[Plugins]:
    """Let a person's plugins work through the Service all the while."""
    with Plugins(tmp_path, cluster.address) as working:
        yield working


def assert_nothing_lost(cluster: Cluster, load: Load, plugins: Plugins) -> None:
    """All that was answered well is there, once where it was a plugin's, and on each machine."""
    plugins.finish(lambda: cluster.stored_by(plugins_at_work.USER))
    acknowledged = {one.wrote for one in load.sent if one.wrote and one.status == 200}
    assert len(acknowledged) > 20
    assert acknowledged <= {text.split()[0] for text in cluster.stored_by("default")}


def test_rolling_update_with_a_new_schema_fails_no_request(
    cluster: Cluster, plugins: Plugins
) -> None:
    """The migration first, under the old pods; then pod by pod. Every request is answered.

    Both callers that keep their connection are told, so that they come to a pod that stays.
    """
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
    assert load.told >= 2
    assert not any(pod.was_killed or pod.restarts for pod in [*old, *cluster.deployment.pods])
    assert_nothing_lost(cluster, load, plugins)
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


def test_drain_of_a_node_fails_no_request(cluster: Cluster, plugins: Plugins) -> None:
    """The pod is evicted within the budget; its running requests end, new ones go to the other."""
    budget = one(cluster.manifests, "PodDisruptionBudget")
    with Load(cluster.proxy.port) as load:
        settle(load)
        victim = cluster.deployment.pods[0]
        cluster.deployment.drain(victim, budget)
        settle(load)
    assert failed(load.sent) == []
    assert not victim.was_killed
    assert_nothing_lost(cluster, load, plugins)


def test_killed_process_takes_only_its_own_requests_along(
    cluster: Cluster, plugins: Plugins
) -> None:
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
    assert_nothing_lost(cluster, load, plugins)


def test_jobs_of_the_release_do_their_work(cluster: Cluster) -> None:
    """`helm test` stores, recalls and deletes through the Service; the purge runs to its end."""
    made = pods(cluster.manifests)
    trial, purge = Pod(made["Pod"], cluster.node), Pod(made["CronJob"], cluster.node)
    assert trial.run() == 0, trial.log.read_text()
    assert trial.log.read_text() == "Stored, recalled and deleted a memory.\n"
    assert purge.run() == 0, purge.log.read_text()
    wrong = Node(cluster.node.images, {}, cluster.folder / "logs", cluster.node.names)
    nameless = Pod(made["Pod"], wrong)
    assert nameless.run() != 0
    assert "neither api-key nor api-keys" in nameless.log.read_text()


def test_restart_of_the_database_is_answered_with_503_and_survived(
    cluster: Cluster, plugins: Plugins
) -> None:
    """Nobody is cut off, no pod is restarted, and all is well again soon after."""
    with Load(cluster.proxy.port) as load:
        settle(load)
        cluster.postgres.stop()
        settle(load, 8)
        cluster.start_database()
        back = time.monotonic()
        deployment = cluster.deployment
        deployment.wait(
            lambda: all(pod.ready_at > back for pod in deployment.pods), "pods, asked since"
        )
        time.sleep(
            2 * NEWS + 0.5
        )  # until the proxy, which looks once in that time, has heard of it
        recovered = settle(load)
    assert {one.status for one in failed(load.sent)} == {503}
    assert failed(load.between(*recovered)) == []
    assert max(one.at for one in failed(load.sent)) < back + 30
    assert [pod.restarts for pod in cluster.deployment.pods] == [0, 0]
    assert_nothing_lost(cluster, load, plugins)
