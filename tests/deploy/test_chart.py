"""The Helm chart: every shape renders, is valid, and keeps what the README promises."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from backend.secrets.vault_login import SERVICE_ACCOUNT
from tests.support import chart
from tests.support.chart import SHAPES, complaints, helm, one, pods, refusal, render, values_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    Manifest = dict[str, Any]

pytestmark = pytest.mark.heavy
CUSTOM = json.loads((Path(__file__).parent / "custom_kinds.json").read_text("utf-8"))
EVERY_SHAPE = pytest.mark.parametrize("shape", SHAPES)
SEED = (
    "env.DATABASE_URL=postgresql://user:pass@host:5432/db",
    "env.API_KEY=your-own-key",
    "ingress.host=claude-memory.yourdomain.com",
)


def container(pod: Manifest) -> Manifest:
    """Return the only container of a pod."""
    [found] = pod["spec"]["containers"]
    made: Manifest = found
    return made


def variables(pod: Manifest) -> dict[str, Manifest]:
    """Return the variables of a pod by their names."""
    return {variable["name"]: variable for variable in container(pod)["env"]}


def texts(found: object) -> Iterator[str]:
    """Yield every text in a manifest."""
    if isinstance(found, dict):
        for part in found.values():
            yield from texts(part)
    elif isinstance(found, list):
        for part in found:
            yield from texts(part)
    else:
        yield str(found)


@EVERY_SHAPE
def test_shape_is_clean_and_valid(shape: str) -> None:
    """`helm lint --strict` finds nothing, and Kubernetes would take every object as it stands."""
    linted = helm("lint", "--strict", str(chart.CHART), "--values", values_of(shape))
    assert linted.returncode == 0, linted.stdout
    assert "[WARNING]" not in linted.stdout + linted.stderr
    manifests = render(shape)
    custom = [manifest for manifest in manifests if manifest["kind"] in CUSTOM]
    assert complaints([manifest for manifest in manifests if manifest not in custom]) == []
    for manifest in custom:
        jsonschema.validate(manifest["spec"], CUSTOM[manifest["kind"]])


def test_misspelt_field_would_be_noticed() -> None:
    """The check itself works."""
    manifests = render()
    deployment = one(manifests, "Deployment")
    server = container(deployment["spec"]["template"])
    server["redinessProbe"] = server.pop("readinessProbe")
    [(kind, why)] = complaints(manifests)
    assert kind == "Deployment"
    assert "redinessProbe" in why


@EVERY_SHAPE
def test_pods_are_restricted(shape: str) -> None:
    """Each pod would be admitted to a namespace that enforces the restricted profile, and more."""
    for kind, pod in pods(render(shape)).items():
        spec, inner = pod["spec"], container(pod)["securityContext"]
        assert spec["securityContext"]["runAsNonRoot"] is True, kind
        assert spec["securityContext"]["runAsUser"] > 0
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert inner == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert spec["automountServiceAccountToken"] is False
        assert container(pod)["resources"]["limits"]["memory"]
        assert {"name": "tmp", "mountPath": "/tmp"} in container(pod)["volumeMounts"]  # noqa: S108
        assert {"hostNetwork", "hostPID", "hostIPC"} & spec.keys() == set()


def test_high_availability_is_rendered() -> None:
    """Two replicas, none missing in an update, apart on nodes and zones, one up in a drain."""
    manifests = render()
    spec = one(manifests, "Deployment")["spec"]
    assert spec["replicas"] == 2
    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    pod, labels = spec["template"]["spec"], spec["template"]["metadata"]["labels"]
    [apart] = pod["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    assert apart["podAffinityTerm"]["topologyKey"] == "kubernetes.io/hostname"
    [spread] = pod["topologySpreadConstraints"]
    budget = one(manifests, "PodDisruptionBudget")["spec"]
    assert budget["minAvailable"] == 1
    service = one(manifests, "Service")["spec"]
    selectors = [
        spec["selector"]["matchLabels"],
        apart["podAffinityTerm"]["labelSelector"]["matchLabels"],
        spread["labelSelector"]["matchLabels"],
        budget["selector"]["matchLabels"],
        service["selector"],
    ]
    assert all(selector == selectors[0] for selector in selectors)
    assert selectors[0].items() <= labels.items()


def test_probes_give_a_minute_and_stopping_gives_time() -> None:
    """60 seconds to start; when stopping, the pod is forgotten first and then has 20 s to end."""
    pod = pods(render())["Deployment"]
    server = container(pod)
    startup = server["startupProbe"]
    assert startup["periodSeconds"] * startup["failureThreshold"] == 60
    paths = {
        name: server[f"{name}Probe"]["httpGet"]["path"]
        for name in ("startup", "readiness", "liveness")
    }
    assert paths == {"startup": "/startupz", "readiness": "/readyz", "liveness": "/livez"}
    assert server["lifecycle"]["preStop"]["exec"]["command"] == ["sleep", "10"]
    assert pod["spec"]["terminationGracePeriodSeconds"] == 40
    assert variables(pod)["MEMORY_MIGRATE"]["value"] == "off"


@EVERY_SHAPE
def test_job_needs_nothing_that_comes_after_it(shape: str) -> None:
    """Objects that the migration names are hooks that come before it, or were there before."""
    manifests = render(shape)
    if shape in {"bare", "manifests"}:
        assert not any("helm.sh/hook" in str(manifest) for manifest in manifests[:-1])
        return
    hooks = {
        (m["kind"], m["metadata"]["name"]): int(m["metadata"]["annotations"]["helm.sh/hook-weight"])
        for m in manifests
        if "pre-upgrade" in m["metadata"].get("annotations", {}).get("helm.sh/hook", "")
    }
    [job] = [m for m in manifests if m["kind"] == "Job"]
    weight = hooks.pop(("Job", job["metadata"]["name"]))
    assert job["spec"]["activeDeadlineSeconds"] < 300  # helm's own patience
    account = ("ServiceAccount", job["spec"]["template"]["spec"]["serviceAccountName"])
    assert hooks[account] < weight
    needed = {
        variable["valueFrom"]["secretKeyRef"]["name"]
        for variable in variables(job["spec"]["template"]).values()
        if not variable["valueFrom"]["secretKeyRef"]["optional"]
    }
    before = {name for kind, name in hooks if kind == "Secret"} | {"claude-memory-secrets"}
    assert needed <= before
    assert all(weight > earlier for earlier in hooks.values())


def test_three_values_of_the_readme_make_a_release() -> None:
    """The database, the key and the host; the address that callers use follows from the host."""
    manifests = [
        manifest
        for manifest in render("seed", *SEED)
        if "helm.sh/hook" not in manifest["metadata"].get("annotations", {})
    ]
    secret = one(manifests, "Secret")["stringData"]
    assert secret == {
        "database-url": "postgresql://user:pass@host:5432/db",
        "api-key": "your-own-key",
    }
    [rule] = one(manifests, "Ingress")["spec"]["rules"]
    assert rule["host"] == "claude-memory.yourdomain.com"
    given = variables(pods(manifests)["Deployment"])
    assert given["DATABASE_URL"]["valueFrom"]["secretKeyRef"]["name"] == "claude-memory"
    assert given["MEMORY_PUBLIC_URL"]["value"] == "https://claude-memory.yourdomain.com"


def test_secrets_are_in_secrets_alone() -> None:
    """No value below `env` reaches another object, and the server is not given the owner's URL."""
    marks = {
        name: f"postgresql://{name.lower()}" if name.endswith("_URL") else f"mark-of-{name}"
        for name in ("DATABASE_URL", "MEMORY_MIGRATION_URL", "API_KEY", "MEMORY_ENCRYPTION_KEY")
    }
    manifests = render("seed", *(f"env.{name}={mark}" for name, mark in marks.items()))
    held = {
        mark: {
            f"{manifest['kind']} {manifest['metadata']['name']}"
            for manifest in manifests
            if mark in " ".join(texts(manifest))
        }
        for mark in marks.values()
    }
    own, job = "Secret claude-memory", "Secret claude-memory-migration"
    assert list(held.values()) == [{own, job}, {job}, {own}, {own}]
    assert "MEMORY_MIGRATION_URL" not in variables(pods(manifests)["Deployment"])


def test_changed_plain_values_start_new_pods() -> None:
    """The pods' annotation follows the values."""
    first, second = (
        pods(render("seed", f"env.API_KEY=key-number-{number}"))["Deployment"] for number in "12"
    )
    assert first["metadata"]["annotations"] != second["metadata"]["annotations"]


def test_vault_login_has_a_token_of_its_own() -> None:
    """With Vault's audience, where the server reads it; without Vault there is none."""
    pod = pods(render("vault"))["Deployment"]
    [volume] = [one for one in pod["spec"]["volumes"] if "projected" in one]
    [source] = volume["projected"]["sources"]
    assert source["serviceAccountToken"]["audience"] == "vault"
    [mount] = [m for m in container(pod)["volumeMounts"] if m["name"] == volume["name"]]
    assert Path(mount["mountPath"], source["serviceAccountToken"]["path"]) == SERVICE_ACCOUNT
    assert "projected" not in str(pods(render())["Deployment"])


def test_network_is_closed_but_for_what_is_needed() -> None:
    """Requests in; metrics for the monitoring; out to names, the database and the keeper."""
    policy = one(render("vault"), "NetworkPolicy")["spec"]
    requests, metrics = policy["ingress"]
    assert requests == {"ports": [{"protocol": "TCP", "port": "http"}]}
    assert metrics["ports"] == [{"protocol": "TCP", "port": "metrics"}]
    assert metrics["from"]
    opened = [port["port"] for rule in policy["egress"] for port in rule["ports"]]
    assert opened == [53, 53, 5432, 6432, 8200]
    covered = [m["spec"]["podSelector"]["matchLabels"] for m in render() if "podSelector" in str(m)]
    components = {labels["app.kubernetes.io/component"] for labels in covered}
    assert components == {"server", "purge", "migration"}


def test_autoscaler_takes_over_the_number_of_pods() -> None:
    """An upgrade must not set it back."""
    manifests = render("monitored")
    assert "replicas" not in one(manifests, "Deployment")["spec"]
    scaler = one(manifests, "HorizontalPodAutoscaler")["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 8)
    assert scaler["scaleTargetRef"]["name"] == "claude-memory"


def test_purge_runs_daily_and_alone() -> None:
    """With the days that the values say."""
    job = one(render("large"), "CronJob", "memory-purge")["spec"]
    assert (job["concurrencyPolicy"], job["timeZone"]) == ("Forbid", "Etc/UTC")
    command = container(job["jobTemplate"]["spec"]["template"])["command"]
    assert command[-4:] == ["--history-days", "30", "--tombstone-days", "365"]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("replicaCount=1", "minimum"),
        ("replicaCount=two", "got string, want integer"),
        ("replicas=2", "replicas"),
        ("env.DATABASE=postgresql://x", "DATABASE"),
        ("env.DATABASE_URL=mysql://x", "DATABASE_URL"),
        ("env.API_KEY=short", "API_KEY"),
        ("ingress.hosts[0]=x", "hosts"),
        ("ingress.host=https://memory.example.com", "host"),
        ("image.pullPolicy=Sometimes", "pullPolicy"),
        ("image.digest=sha256:12", "digest"),
        ("podAntiAffinity=maybe", "podAntiAffinity"),
        ("vault.address=vault:8200", "address"),
        ("settings.publicUrl=https://x.example/path", "publicUrl"),
        ("resources.limits.memory=lots", "memory"),
        ("metrics.prometheusRule.availability=100", "availability"),
        ("purge.schedule=daily", "schedule"),
        ("disruptionBudget.minAvailable=2", "disruptionBudget.minAvailable must be less"),
        ("metrics.port=8000", "metrics.port cannot be 8000"),
        ("preStopSeconds=20", "terminationGracePeriodSeconds must be more"),
        ("httpRoute.enabled=true", "parentRefs"),
        ("env.API_KEY=long-enough-key", "not both"),
        ("existingSecret=", "Set existingSecret"),
    ],
)
def test_wrong_value_is_refused_with_its_name(value: str, reason: str) -> None:
    """By the schema, or by the chart where two values do not fit together."""
    assert reason in refusal(value)


def test_command_that_is_shown_reads_the_settings_that_the_pods_read() -> None:
    """Where an agent writes them into a file, a shell in the pod knows none of them by itself."""
    command = ["install", "claude-memory", str(chart.CHART), "--dry-run=client", "--values"]
    vault, plain = (
        helm(*command, values_of(shape)).stdout.partition("NOTES:")[2]
        for shape in ("vault-agent", "existing-secret")
    )
    made = "python -m backend keys create --user alice --name laptop"
    assert f"-- sh -c '. /vault/secrets/env && exec {made}'" in vault
    assert f"-- {made}\n" in plain


def test_value_that_nothing_would_read_is_refused() -> None:
    """A Secret is made for env.DATABASE_URL; without it the others would be dropped in silence."""
    told = refusal("env.API_KEY=your-own-key", shape="vault-agent")
    assert "put them into envFile" in told
