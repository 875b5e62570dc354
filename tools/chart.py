"""What is made from the Helm chart: the table of its README, and the manifests for kubectl.

`python -m tools.chart` writes both; tests compare them with what is there.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import yaml

from tools.deploying import program
from tools.environment import ROOT, say

if TYPE_CHECKING:
    from collections.abc import Iterator

CHART = ROOT / "deploy" / "helm" / "claude-memory"
README = CHART / "README.md"
MANIFESTS = ROOT / "deploy" / "kubernetes"
BEGIN, END = "<!-- made from values.yaml -->\n", "<!-- until here -->"
LINE = re.compile(r"(?P<indent> *)(?P<name>[\w.-]+):(?P<rest>.*)")
SOURCE = re.compile(r"^# Source: claude-memory/templates/(?P<name>[\w/.-]+)$", re.MULTILINE)
HEAD = "# Rendered from deploy/helm/claude-memory by `python -m tools.chart`; not edited.\n"


def main() -> int:
    """Write what is made from the chart."""
    text = README.read_text("utf-8")
    README.write_text(with_table(text, table()), "utf-8")
    for old in MANIFESTS.glob("*.yaml"):
        old.unlink()
    MANIFESTS.mkdir(exist_ok=True)
    for name, manifest in manifests().items():
        (MANIFESTS / name).write_text(manifest, "utf-8")
    say("the chart's README and deploy/kubernetes are written")
    return 0


def comments() -> Iterator[tuple[str, str]]:
    """Yield the path of every value that has a comment of its own, and that comment."""
    path: list[tuple[int, str]] = []
    waiting = ""
    for line in (CHART / "values.yaml").read_text("utf-8").splitlines():
        if line.lstrip().startswith("# -- "):
            waiting = line.lstrip().removeprefix("# -- ")
            continue
        found = LINE.fullmatch(line)
        if not found:
            continue
        indent = len(found["indent"])
        path = [(depth, name) for depth, name in path if depth < indent]
        path.append((indent, found["name"]))
        if waiting:
            yield ".".join(name for _, name in path), waiting
            waiting = ""


def default(path: str) -> object:
    """Return the default of a value."""
    found = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
    for name in path.split("."):
        found = found[name]
    return found


def table() -> str:
    """Return the table of all values."""
    rows = ["| value | meaning | default |", "| --- | --- | --- |"]
    for path, comment in comments():
        rows.append(f"| `{path}` | {comment} | `{json.dumps(default(path))}` |")
    return "\n".join(rows) + "\n"


def with_table(text: str, new: str) -> str:
    """Return the README with another table."""
    before, _, rest = text.partition(BEGIN)
    return before + BEGIN + new + END + rest.partition(END)[2]


def manifests() -> dict[str, str]:
    """Render what `kubectl apply` takes: the text of each file."""
    values = CHART / "ci" / "manifests-values.yaml"
    command = [str(program("helm")), "template", "claude-memory", str(CHART)]
    command += ["--namespace", "claude-memory", "--values", str(values)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    files: dict[str, str] = {}
    for document in re.split(r"^---\n", done.stdout, flags=re.MULTILINE):
        source = SOURCE.search(document)
        if source:
            body = SOURCE.sub("", document).strip() + "\n"
            name = source["name"]
            files[name] = f"{files[name]}---\n{body}" if name in files else HEAD + body
    return files


if __name__ == "__main__":
    sys.exit(main())
