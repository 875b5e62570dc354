"""The Helm chart, rendered by the real helm, and what Kubernetes would say to it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tests.support import components
from tools import deploying
from tools.environment import python_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    Manifest = dict[str, Any]

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "helm" / "claude-memory"
SHAPES = sorted(path.name.replace("-values.yaml", "") for path in CHART.glob("ci/*-values.yaml"))
KUBERNETES = "1.37"
VALIDATE = """
import json, sys, kubernetes_validate
for number, manifest in enumerate(json.load(sys.stdin)):
    try:
        kubernetes_validate.validate(manifest, sys.argv[1], strict=True)
    except (kubernetes_validate.ValidationError, kubernetes_validate.SchemaNotFoundError) as error:
        print(json.dumps([number, type(error).__name__, str(error).splitlines()[0]]))
"""


def helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run helm and return what it said."""
    command = [str(components.deploying_program("helm")), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


def values_of(shape: str) -> str:
    """Return the file of values of a shape."""
    return str(CHART / "ci" / f"{shape}-values.yaml")


def render(shape: str = "existing-secret", *sets: str, namespace: str = "memory") -> list[Manifest]:
    """Render a shape, with values changed, as a release named `claude-memory`."""
    command = ["template", "claude-memory", str(CHART), "--namespace", namespace]
    command += ["--values", values_of(shape)]
    done = helm(*command, *(word for one in sets for word in ("--set", one)))
    assert done.returncode == 0, done.stderr
    return [manifest for manifest in yaml.safe_load_all(done.stdout) if manifest]


def refusal(*sets: str, shape: str = "existing-secret") -> str:
    """Return why helm does not render a shape with these values."""
    command = ["template", "claude-memory", str(CHART), "--values", values_of(shape)]
    done = helm(*command, *(word for one in sets for word in ("--set", one)))
    assert done.returncode != 0, f"{sets} was taken"
    return done.stderr


def one(manifests: Iterable[Manifest], kind: str, name: str = "claude-memory") -> Manifest:
    """Return the only manifest of that kind and name."""
    [found] = [m for m in manifests if m["kind"] == kind and m["metadata"]["name"] == name]
    return found


def pods(manifests: Iterable[Manifest]) -> dict[str, Manifest]:
    """Return the pod of everything that makes pods: `Deployment`, `Job`, `CronJob`, `Pod`."""
    found: dict[str, Manifest] = {}
    for manifest in manifests:
        kind, spec = manifest["kind"], manifest.get("spec", {})
        if kind == "Pod":
            found[kind] = manifest
        elif kind in {"Deployment", "Job"}:
            found[kind] = spec["template"]
        elif kind == "CronJob":
            found[kind] = spec["jobTemplate"]["spec"]["template"]
    return found


def complaints(manifests: list[Manifest]) -> list[tuple[str, str]]:
    """Return what Kubernetes would refuse: the kind, and why; unknown fields are refused too."""
    python = components.there(python_of(deploying.ENVIRONMENT), "kubernetes-validate")
    done = subprocess.run(
        [str(python), "-c", VALIDATE, KUBERNETES],
        input=json.dumps(manifests),
        capture_output=True,
        text=True,
        check=True,
    )
    told = [json.loads(line) for line in done.stdout.splitlines()]
    return [(manifests[number]["kind"], f"{kind}: {text}") for number, kind, text in told]
