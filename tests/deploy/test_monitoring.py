"""Alerts and dashboard: what they ask for exists; alerts fire in time, and have a runbook."""

from __future__ import annotations

import functools
import json
import re
import subprocess
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
import yaml

from backend.telemetry import Served, Telemetry
from tests.support import chart, components

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Test = dict[str, Any]

DASHBOARD = chart.CHART / "files" / "dashboard.json"
RULES = chart.CHART / "templates" / "prometheusrule.yaml"
SERIES = 'namespace="memory",job="claude-memory-metrics"'
OTHERS = {  # Prometheus makes the first itself, kube-state-metrics the rest
    "up",
    "kube_job_failed",
    "kube_cronjob_status_last_successful_time",
}
METRIC = re.compile(r"\b(up|(?:memory|kube)_[a-z_]+)\b(?=\s*[{=])")
LABEL = re.compile(r'(\w+)\s*(?:=~|!~|!=|=)\s*"')


def served() -> dict[str, set[str]]:
    """Return the names of all series of a server that has answered a request, and their labels."""
    telemetry = Telemetry()
    telemetry.served(
        Served(request_id="r", method="GET", route="/x", status=200, seconds=0.1, account=uuid4())
    )
    return {
        sample.name: set(sample.labels)
        for family in telemetry.registry.collect()
        for sample in family.samples
    }


def asked_by_the_dashboard() -> Iterator[str]:
    """Yield every expression of the dashboard, with its variables filled in."""
    for panel in json.loads(DASHBOARD.read_text("utf-8"))["panels"]:
        for target in panel["targets"]:
            filled = target["expr"].replace("$namespace", "memory").replace("$job", "j")
            yield filled.replace("$__rate_interval", "5m")


@functools.cache
def groups() -> list[dict[str, Any]]:
    """Return the alerts as they are rendered."""
    found = chart.one(chart.render("monitored"), "PrometheusRule")["spec"]["groups"]
    made: list[dict[str, Any]] = found
    return made


def promtool(*arguments: str) -> str:
    """Run promtool and return what it said; a complaint fails the test."""
    command = [str(components.deploying_program("promtool")), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("source", ["dashboard", "alerts"])
def test_series_and_labels_that_are_asked_for_exist(source: str) -> None:
    """A renamed metric would leave panels empty and alerts silent."""
    there = served()
    text = RULES.read_text("utf-8")
    asked = list(asked_by_the_dashboard()) if source == "dashboard" else [text]
    used = {name for expression in asked for name in METRIC.findall(expression)}
    assert used - OTHERS, "nothing was found"
    assert used <= there.keys() | OTHERS
    known = {"namespace", "job", "job_name", "cronjob"}.union(*there.values())
    named = {label for expression in asked for label in LABEL.findall(expression)}
    if source == "dashboard":
        assert named <= known, named - known


def test_each_alert_has_its_runbook() -> None:
    """Under a heading of its own on the operations page, and no heading without an alert."""
    alerts = set(re.findall(r"ClaudeMemory\w+", RULES.read_text("utf-8")))
    page = (chart.ROOT / "docs" / "operations.md").read_text("utf-8")
    assert set(re.findall(r"^### (ClaudeMemory\w+)$", page, re.MULTILINE)) == alerts


@pytest.mark.heavy
def test_expressions_are_prometheus_own_language(tmp_path: Path) -> None:
    """Prometheus reads every alert, and every expression of the dashboard."""
    recorded = [
        {"record": f"panel:{number}", "expr": expression}
        for number, expression in enumerate(asked_by_the_dashboard())
    ]
    rules = tmp_path / "rules.yaml"
    rules.write_text(
        yaml.safe_dump({"groups": [*groups(), {"name": "panels", "rules": recorded}]}), "utf-8"
    )
    assert "SUCCESS" in promtool("check", "rules", str(rules))


@pytest.mark.heavy
def test_links_lead_to_the_runbooks() -> None:
    """The address that the values name, and the alert's heading as an anchor."""
    for group in groups():
        for rule in group["rules"]:
            url = rule["annotations"]["runbook_url"]
            assert url == f"https://example.com/claude-memory/operations#{rule['alert'].lower()}"
            assert rule["labels"]["severity"] in {"page", "ticket"}


def counted(status: str, growth: int) -> Test:
    """Return a counter of requests that grows so much a minute."""
    name = (
        f'memory_requests_total{{{SERIES},method="POST",route="/api/memories",status="{status}"}}'
    )
    return {"series": name, "values": f"0+{growth}x4600"}


def pod(name: str, values: str) -> Test:
    """Return whether a pod could be reached, minute by minute."""
    return {"series": f'up{{{SERIES},pod="{name}"}}', "values": values}


UP = [pod("a", "1x4600"), pod("b", "1x4600")]
CASES: list[tuple[str, list[Test], str, set[str]]] = [
    ("quiet", [*UP, counted("200", 1000)], "2h", set()),
    ("one of 2,000 fails", [*UP, counted("200", 1999), counted("503", 1)], "72h", set()),
    (
        "one of 300 fails",
        [*UP, counted("200", 299), counted("503", 1)],
        "73h",
        {"ClaudeMemoryBudgetBurnsSlowly"},
    ),
    (
        "one of 50 fails",
        [*UP, counted("200", 49), counted("500", 1)],
        "7h",
        {"ClaudeMemoryBudgetBurnsFast", "ClaudeMemoryBudgetBurns", "ClaudeMemoryBudgetBurnsSlowly"},
    ),
    ("one pod is gone", [pod("a", "1x4600"), pod("b", "0x4600")], "1h", {"ClaudeMemoryOneLeft"}),
    ("no pod answers", [pod("a", "0x4600"), pod("b", "0x4600")], "10m", {"ClaudeMemoryDown"}),
    ("no pod is known", [], "10m", {"ClaudeMemoryDown"}),
    (
        "a key asks too often",
        [*UP, counted("200", 90), counted("429", 10)],
        "2h",
        {"ClaudeMemoryRefuses"},
    ),
    (
        "requests are slow",
        [
            *UP,
            {"series": f'memory_request_seconds_bucket{{{SERIES},le="0.5"}}', "values": "0+90x200"},
            {"series": f"memory_request_seconds_count{{{SERIES}}}", "values": "0+100x200"},
        ],
        "2h",
        {"ClaudeMemorySlow"},
    ),
    (
        "requests wait",
        [*UP, {"series": f"memory_requests_running{{{SERIES}}}", "values": "50x200"}],
        "1h",
        {"ClaudeMemoryCrowded"},
    ),
    (
        "the keeper fails",
        [*UP, {"series": f"memory_keeper_failures_total{{{SERIES}}}", "values": "0+1x200"}],
        "1h",
        {"ClaudeMemoryKeeperFails"},
    ),
    (
        "the keeper failed for a moment",
        [*UP, {"series": f"memory_keeper_failures_total{{{SERIES}}}", "values": "0x40 9x160"}],
        "52m",
        set(),
    ),
    (
        "the migration failed",
        [
            *UP,
            {
                "series": 'kube_job_failed{namespace="memory",condition="true",'
                'job_name="claude-memory-migration-0-1-0"}',
                "values": "1x100",
            },
        ],
        "30m",
        {"ClaudeMemoryJobFailed"},
    ),
    (
        "a purge succeeded after one of its pods failed",
        [
            *UP,
            {
                "series": 'kube_job_status_failed{namespace="memory",'
                'job_name="claude-memory-purge-29"}',
                "values": "1x100",
            },
            {
                "series": 'kube_job_failed{namespace="memory",condition="false",'
                'job_name="claude-memory-purge-29"}',
                "values": "1x100",
            },
        ],
        "30m",
        set(),
    ),
    (
        "nothing was purged for long",
        [
            *UP,
            {
                "series": 'kube_cronjob_status_last_successful_time{namespace="memory",'
                'cronjob="claude-memory-purge"}',
                "values": "0x4500",
            },
        ],
        "74h",
        {"ClaudeMemoryNotPurged"},
    ),
]


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("series", "moment", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_alert_fires_when_it_should_and_alone(
    series: list[Test], moment: str, expected: set[str], tmp_path: Path
) -> None:
    """Prometheus is played the series, and shows what fires at that moment."""
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": groups()}), "utf-8")
    alerts = [rule["alert"] for group in groups() for rule in group["rules"]]
    # ALERTS holds what fires, whatever labels it has.
    checks = [
        {
            "expr": f'count(ALERTS{{alertname="{alert}",alertstate="firing"}}) or vector(0)',
            "eval_time": moment,
            "exp_samples": [{"labels": "{}", "value": int(alert in expected)}],
        }
        for alert in alerts
    ]
    test = {"interval": "1m", "input_series": series, "promql_expr_test": checks}
    story = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": [test]}
    (tmp_path / "story.yaml").write_text(yaml.safe_dump(story), "utf-8")
    promtool("test", "rules", str(tmp_path / "story.yaml"))
