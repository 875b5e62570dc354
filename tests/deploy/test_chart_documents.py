"""What is made from the chart is up to date, and what the chart lets be set is described."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest
import yaml

from backend.settings import Settings
from tests.support.chart import CHART, ROOT
from tools import chart

VALUES = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
SCHEMA = json.loads((CHART / "values.schema.json").read_text("utf-8"))


def leaves(schema: dict[str, Any], path: str = "") -> list[str]:
    """Return the paths that a schema lets be set."""
    properties = schema.get("properties")
    if not properties or path.endswith("resources"):
        return [path]
    inner = [leaves(part, f"{path}.{name}") for name, part in properties.items()]
    return [leaf.lstrip(".") for found in inner for leaf in found]


def test_every_value_has_its_comment_and_its_schema() -> None:
    """In the same order; what Helm hands to every chart is not ours to describe."""
    commented = [path for path, _ in chart.comments()]
    assert [leaf for leaf in leaves(SCHEMA) if leaf != "global"] == commented


def test_nothing_else_can_be_set() -> None:
    """Each object of the schema refuses what it does not know, or says what its values are."""
    waiting, open_ones = [("", SCHEMA)], []
    while waiting:
        path, schema = waiting.pop()
        if schema.get("type") == "object" and "additionalProperties" not in schema:
            open_ones.append(path)
        waiting += [(f"{path}.{name}", part) for name, part in schema.get("properties", {}).items()]
    assert open_ones == [".global"]


def test_readme_holds_the_table_of_all_values() -> None:
    """`python -m tools.chart` writes it."""
    text = chart.README.read_text("utf-8")
    assert chart.with_table(text, chart.table()) == text


def test_defaults_are_those_of_the_server() -> None:
    """A pod is set up as a server without settings is."""
    used, set_here = Settings(), VALUES["settings"]
    assert set_here["rate"] == used.rate
    assert set_here["burst"] == used.burst
    assert set_here["poolSize"] == used.pool_size
    assert VALUES["metrics"]["port"] == used.metrics_port
    assert VALUES["vault"]["mount"] == used.vault_mount
    assert VALUES["vault"]["prefix"] == used.vault_prefix


def test_version_is_that_of_the_project() -> None:
    """The chart and the application are released together."""
    written = yaml.safe_load((CHART / "Chart.yaml").read_text("utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert (written["version"], written["appVersion"]) == (project, project)


@pytest.mark.heavy
def test_manifests_for_kubectl_are_rendered_from_the_chart() -> None:
    """`python -m tools.chart` writes them; nobody edits them."""
    there = {path.name: path.read_text("utf-8") for path in chart.MANIFESTS.glob("*.yaml")}
    assert there == chart.manifests()
