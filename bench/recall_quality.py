"""Recall on the evaluation set: what is found, what is injected, at what cost."""

from __future__ import annotations

import json
import statistics
from dataclasses import asdict
from typing import TYPE_CHECKING

from bench import asking, document, quality_page, questions
from bench.processes import Costs

if TYPE_CHECKING:
    from bench.asking import Findings
    from bench.questions import Person
    from bench.report import Report

DOCS = document.PAGE.parent
RESULTS = DOCS.parent / "bench-results"
ANSWERS = "recall_quality.answers.json"
OF_SERVER = "backend_recall_quality.answers.json"
OF_STRONG = "backend_recall_quality.semantic.answers.json"
PLOT = "recall.png"
PRODUCT, YARDSTICK = "recall", "lexctx"
R1, R10 = 0, 2  # among asking.METRICS
OTHERS = {"locomo-dev turn": 74, "locomo-dev obs": 76.5, "beam-dev turn": 80}  # bounds of r@10
CROWDED = "locomo-dev obs"  # what is asked again among foreign memories, beside our own set


def run(report: Report) -> None:
    """Ask our own set, the conversations of `--data`, and both again among `--foreign` memories."""
    everybody = people(report)
    found = asking.ask(everybody, report)
    _own(report, found)
    _others(report, found)
    crowded = None
    if report.foreign:
        crowded = asking.ask(_again(everybody), report, strangers=report.foreign)
        _crowded(report, found, crowded)
    keep(ANSWERS, [one for one in (found, crowded) if one])


def people(report: Report) -> list[Person]:
    """Return everybody who is asked: of our own set, and of the folder that was named."""
    own = [one for split in questions.SPLITS for one in questions.own(split)]
    return own + (questions.others(report.data) if report.data else [])


def keep(name: str, findings: list[Findings]) -> None:
    """Write every single answer to a file, by which two runs can be compared."""
    RESULTS.mkdir(exist_ok=True)
    saved = [asdict(one) for one in findings]
    (RESULTS / name).write_text(json.dumps(saved), encoding="utf-8")


def publish() -> None:
    """Put the tables and the plot of the latest runs into docs/."""
    found, *crowded = _kept(ANSWERS)
    tables = quality_page.tables(found, *crowded)
    for title, name in (("The server", OF_SERVER), ("The server with [semantic]", OF_STRONG)):
        for server in _kept(name):
            tables += f"\n\n### {title}\n\n{quality_page.stages(server)}"
    document.put(DOCS / "recall.md", tables)
    quality_page.plot([found, *crowded][-1], DOCS / PLOT)


def _kept(name: str) -> list[Findings]:
    if not (RESULTS / name).is_file():
        return []
    saved = json.loads((RESULTS / name).read_text(encoding="utf-8"))
    return [asking.Findings.read(one) for one in saved]


def _again(people: list[Person]) -> list[Person]:
    return [one for one in people if one.group in (*questions.SPLITS, CROWDED)]


def _own(report: Report, found: Findings) -> None:
    own = questions.SPLITS
    gain = [
        100 * (one.figures[R10] - other.figures[R10])
        for one, other in zip(
            found.of_stage(PRODUCT, *own), found.of_stage(YARDSTICK, *own), strict=True
        )
    ]
    report.add("own set, r@10", _mean(found, R10, *own), "%")
    report.add("the same, above lexctx", statistics.fmean(gain), "points", 8, at_least=True)
    for kind, metric, least in (("paraphrase", R1, 25), ("paraphrase", R10, 55)):
        figure = _mean(found, metric, *own, kind=kind)
        report.add(f"{kind}, {asking.METRICS[metric]}", figure, "%", least, at_least=True)
    figure = _mean(found, R1, *own, kind="identifier")
    report.add("identifier, r@1", figure, "%", 95, at_least=True)
    wanting = found.given_in(*own, silent=False)
    silent = found.given_in(*own, silent=True)
    right = 100 * statistics.fmean(one.useful > 0 for one in wanting)
    report.add("prompts given what they want, in 600 tokens", right, "%", 92, at_least=True)
    quiet = 100 * statistics.fmean(one.given == 0 for one in silent)
    report.add("prompts that want nothing and get nothing", quiet, "%", 95, at_least=True)
    useful = sum(one.useful for one in wanting)
    spent = sum(one.tokens for one in (*wanting, *silent))
    report.add("tokens injected for each wanted memory", spent / max(1, useful), "tokens")
    costs = Costs.of([one.cpu for one in found.of_stage(PRODUCT, *own)])
    report.add("memory_recall, stores of 50", costs.median, "CPU-ms")
    report.add("the same, 95th percentile", costs.p95, "CPU-ms")


def _others(report: Report, found: Findings) -> None:
    for group in found.groups():
        if group not in questions.SPLITS:
            figure = _mean(found, R10, group)
            report.add(f"{group}, r@10", figure, "%", OTHERS.get(group), at_least=True)


def _crowded(report: Report, found: Findings, crowded: Findings) -> None:
    among = f"among {report.foreign:,} foreign memories"
    for name, groups, bound in (("own set", questions.SPLITS, None), (CROWDED, (CROWDED,), 4)):
        if crowded.of_stage(PRODUCT, *groups):
            lost = _mean(found, R10, *groups) - _mean(crowded, R10, *groups)
            report.add(f"{name}, r@10 lost {among}", lost, "points", bound)
    costs = Costs.of([one.cpu for one in crowded.of_stage(PRODUCT, *questions.SPLITS)])
    report.add(f"memory_recall {among}", costs.median, "CPU-ms")
    report.add("the same, 95th percentile", costs.p95, "CPU-ms")
    report.add(f"server process {among}", crowded.server_mb, "MB")


def _mean(found: Findings, metric: int, *groups: str, kind: str = "") -> float:
    return quality_page.percent(found.of_stage(PRODUCT, *groups, kind=kind), metric)
