"""A small kubelet, a Deployment's rolling update and a Service, for real processes on loopback.

What a manifest says is done as Kubernetes does it: command, environment, ports, the three probes,
`preStop` and the grace period. Each pod has an address of its own in 127.0.0.0/8. What it is not:
a scheduler, a network, a cluster.
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import os
import random
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    Manifest = dict[str, Any]

NEWS = 1.0  # seconds until everybody has heard of a change of a pod
BACK_OFF = 1.0
PATIENCE = 270.0  # a guard against hanging
TICK = 0.05
NETWORK = f"127.{random.SystemRandom().randrange(16, 250)}.{random.SystemRandom().randrange(250)}"


@dataclass(frozen=True)
class Node:
    """What a pod finds where it runs: the code of each image, Secrets, and a place for logs."""

    images: Mapping[str, Path]
    secrets: Mapping[str, Mapping[str, str]]
    logs: Path
    names: Mapping[str, str] = field(default_factory=dict)  # of Services: where they lead here


class Pod:
    """One pod: a container that is started, probed, restarted and stopped."""

    numbers = itertools.count(2)

    def __init__(self, template: Manifest, node: Node) -> None:
        """Take the template; nothing runs yet."""
        self.spec = template["spec"]
        [self.container] = self.spec["containers"]
        number = next(Pod.numbers)
        self.ip = f"{NETWORK}.{number}"
        self.node = node
        self.log = node.logs / f"pod-{number}"
        self.is_ready = self.is_terminating = self.was_killed = False
        self.restarts = 0
        self.ready_since = self.ready_at = 0.0  # when it got ready; when it last said so
        self.process: subprocess.Popen[bytes] | None = None
        self._over = threading.Event()
        self._watch = threading.Thread(target=self._live, daemon=True)

    def start(self) -> None:
        """Start the container and look after it."""
        self._watch.start()

    def terminate(self) -> None:
        """Stop as the kubelet does: `preStop`, SIGTERM, and SIGKILL after the grace period."""
        self.is_terminating = True
        deadline = time.monotonic() + self.spec["terminationGracePeriodSeconds"]
        hook = self.container.get("lifecycle", {}).get("preStop", {}).get("exec")
        if hook:
            subprocess.run(hook["command"], check=True)
        self._over.set()
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(max(deadline - time.monotonic(), 0))
        except subprocess.TimeoutExpired:
            self.was_killed = True
            self.process.kill()
            self.process.wait()
        self._watch.join()

    def kill(self) -> None:
        """End the container at once, as the kernel does when memory runs out."""
        assert self.process is not None
        self.process.kill()

    def run(self) -> int:
        """Run the container to its end, as a Job does; return its exit status."""
        self._begin()
        assert self.process is not None
        return self.process.wait(PATIENCE)

    def end(self) -> None:
        """Clear away whatever still runs."""
        self._over.set()
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def _begin(self) -> None:
        command = [self._local(word) for word in self.container["command"]]
        folder = self.node.images[self.container["image"]]
        environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(folder), **self._variables()}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=folder, env=environ, stdout=log, stderr=log
            )

    def _local(self, word: str) -> str:
        """Put in what differs outside a container: its address and its Python."""
        return {"0.0.0.0": self.ip, "python": sys.executable}.get(word, word)  # noqa: S104

    def _variables(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for one in self.container["env"]:
            if "value" in one:
                found[one["name"]] = self.node.names.get(one["value"], one["value"])
                continue
            reference = one["valueFrom"]["secretKeyRef"]
            secret = self.node.secrets.get(reference["name"], {})
            assert reference["key"] in secret or reference["optional"], reference
            if reference["key"] in secret:
                found[one["name"]] = secret[reference["key"]]
        return found

    def _live(self) -> None:
        while not self._over.is_set():
            self._begin()
            if self._has_started():
                self._probe_until_the_end()
            self.is_ready = False
            if not self._over.is_set():
                self.restarts += 1
                self._over.wait(BACK_OFF)

    def _has_started(self) -> bool:
        probe = self.container["startupProbe"]
        for _ in range(probe["failureThreshold"]):
            if self._waited(probe["periodSeconds"]):
                return False
            if self._asks(probe):
                return True
        self.kill()
        return False

    def _probe_until_the_end(self) -> None:
        """Ask both probes in their own rhythm; the process ending ends it too."""
        failures = dict.fromkeys(("readinessProbe", "livenessProbe"), 0)
        due = dict.fromkeys(failures, time.monotonic())
        while not self._waited(TICK):
            for name in failures:
                probe = self.container[name]
                asked_at = time.monotonic()
                if asked_at < due[name]:
                    continue
                due[name] = asked_at + probe["periodSeconds"]
                failures[name] = 0 if self._asks(probe) else failures[name] + 1
                has_failed = failures[name] >= probe["failureThreshold"]
                if name == "livenessProbe" and has_failed:
                    self.kill()
                elif name == "readinessProbe" and (has_failed or not failures[name]):
                    self._note(asked_at, is_ready=not failures[name])

    def _note(self, asked_at: float, *, is_ready: bool) -> None:
        if is_ready:
            self.ready_at = asked_at
            self.ready_since = self.ready_since if self.is_ready else time.monotonic()
        self.is_ready = is_ready

    def _waited(self, seconds: float) -> bool:
        """Wait; return whether the container has ended meanwhile."""
        deadline = time.monotonic() + seconds
        assert self.process is not None
        while self.process.poll() is None and time.monotonic() < deadline:
            time.sleep(min(TICK, seconds))
        return self.process.poll() is not None

    def _asks(self, probe: Manifest) -> bool:
        ports = {port["name"]: port["containerPort"] for port in self.container["ports"]}
        asked = probe["httpGet"]
        with contextlib.closing(
            http.client.HTTPConnection(
                self.ip, ports[asked["port"]], timeout=probe["timeoutSeconds"]
            )
        ) as connection:
            try:
                connection.request("GET", asked["path"])
                return 200 <= connection.getresponse().status < 400
            except (OSError, http.client.HTTPException):
                return False


@dataclass
class Deployment:
    """Keeps as many pods as the manifest says, and replaces them as its strategy says."""

    manifest: Manifest
    node: Node
    pods: list[Pod] = field(default_factory=list)

    def start(self) -> None:
        """Start all pods and wait until they are available."""
        for _ in range(self.manifest["spec"]["replicas"]):
            self._add()
        self.wait(lambda: self.available() == self.pods, "pods to become available")

    def update(self, manifest: Manifest) -> None:
        """Replace every pod: one more (`maxSurge`) before one less (`maxUnavailable`)."""
        rolling = manifest["spec"]["strategy"]["rollingUpdate"]
        assert rolling == {"maxUnavailable": 0, "maxSurge": 1}
        old, self.manifest = list(self.pods), manifest
        for pod in old:
            added = self._add()
            self.wait(lambda: added in self.available(), "the new pod to become available")  # noqa: B023
            self.remove(pod)

    def drain(self, pod: Pod, budget: Manifest) -> None:
        """Evict a pod, if the disruption budget lets it, while its successor is started."""
        assert len(self.available()) - 1 >= budget["spec"]["minAvailable"]
        self._add()
        self.remove(pod)
        self.wait(lambda: self.available() == self.pods, "the successor to become available")

    def remove(self, pod: Pod) -> None:
        """Stop a pod and forget it."""
        pod.terminate()
        self.pods.remove(pod)

    def available(self) -> list[Pod]:
        """Return the pods that have been ready for long enough."""
        enough = time.monotonic() - self.manifest["spec"]["minReadySeconds"]
        return [
            pod
            for pod in self.pods
            if pod.is_ready and not pod.is_terminating and pod.ready_since <= enough
        ]

    def wait(self, until: Callable[[], bool], what: str, patience: float = 120) -> None:
        """Wait for something that the cluster does by itself."""
        deadline = time.monotonic() + patience
        while not until():
            logs = "\n".join(pod.log.read_text()[-2000:] for pod in self.pods if pod.log.exists())
            assert time.monotonic() < deadline, f"waited for {what}\n{logs}"
            time.sleep(TICK)

    def _add(self) -> Pod:
        pod = Pod(self.manifest["spec"]["template"], self.node)
        self.pods.append(pod)
        pod.start()
        return pod

    def end(self) -> None:
        """Clear everything away."""
        for pod in self.pods:
            pod.end()
