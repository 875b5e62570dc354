"""The tables of docs/recall.md and its plot, out of what a run of recall_quality found."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from bench import scores
from bench.asking import METRICS
from bench.processes import Costs
from bench.questions import SPLITS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from bench.asking import Answer, Findings

PRODUCT, YARDSTICK = "recall", "lexctx"
R1, R10, NDCG = (METRICS.index(name) for name in ("r@1", "r@10", "nDCG@10"))
INCHES, DOTS = (7, 4.5), 120


def tables(found: Findings, crowded: Findings | None = None) -> str:
    """Return all tables of a run as Markdown."""
    parts = [
        "### Kinds of prompts",
        *(_kinds(found, split) for split in SPLITS),
        "### Stages",
        stages(found),
        *_ablations(found),
        "### Injection",
        _injection(found),
    ]
    if crowded:
        count = max(crowded.memories)
        parts += [f"### The same in stores of {count:,} memories", stages(crowded)]
        parts += [_injection(crowded)]
        parts += [f"A server process held at most {crowded.server_mb:.0f} MB."]
    return "\n\n".join(parts)


def plot(found: Findings, path: Path) -> None:
    """Draw what each stage finds of our own set against what it costs."""
    from matplotlib.figure import Figure  # noqa: PLC0415  (half a second that only this needs)

    figure = Figure(figsize=INCHES, dpi=DOTS, layout="constrained")
    axes = figure.subplots()
    for colour, stage in enumerate(found.stages()):
        for split, mark in zip(SPLITS, "os", strict=True):
            answers = found.of_stage(stage, split)
            mean = percent(answers, R10)
            low, high = (100 * end for end in scores.interval(_figures(answers, R10)))
            axes.errorbar(
                statistics.median(one.cpu for one in answers),
                mean,
                yerr=[[mean - low], [high - mean]],
                fmt=mark,
                color=f"C{colour}",
                capsize=3,
                label=f"{stage} ({split})",
            )
    memories = max(found.memories)
    axes.set_xlabel(f"CPU time of a recall in a store of {memories:,} memories, median, ms")
    axes.set_ylabel("r@10 on the evaluation set, %, with 95 % intervals")
    axes.margins(0.15)
    figure.legend(loc="outside upper center", ncols=len(found.stages()))
    axes.grid(alpha=0.3)
    figure.savefig(path)


def stages(found: Findings) -> str:
    """Return what each stage finds in each group, and what it costs, as Markdown."""
    groups = found.groups()
    rows = [["r@10", *(f"`{group}`" for group in groups), "CPU-ms, median", "p95"]]
    for stage in found.stages():
        means = [f"{percent(found.of_stage(stage, group), R10):.1f}" for group in groups]
        costs = Costs.of([one.cpu for one in found.of_stage(stage, *SPLITS)])
        rows.append([stage, *means, f"{costs.median:.2f}", f"{costs.p95:.2f}"])
    if YARDSTICK in found.stages():
        against = [
            _difference(found.of_stage(PRODUCT, group), found.of_stage(YARDSTICK, group))
            for group in groups
        ]
        rows.append([f"{PRODUCT} against {YARDSTICK}", *against, "", ""])
    return _table(rows)


def _ablations(found: Findings) -> list[str]:
    if not found.ablations():
        return []
    return ["### What each part earns", _parts(found, R10), _parts(found, NDCG)]


def _parts(found: Findings, metric: int) -> str:
    """Tell how much better recall is with each part than without it."""
    groups = found.groups()
    head = f"{METRICS[metric]} of recall, above"
    rows = [[head, *(f"`{group}`" for group in groups)]]
    for stage in found.ablations():
        earned = [
            _difference(found.of_stage(PRODUCT, group), found.of_stage(stage, group), metric)
            for group in groups
        ]
        rows.append([stage, *earned])
    return _table(rows)


def percent(answers: Sequence[Answer], metric: int) -> float:
    """Return the mean of a metric in percent."""
    return 100 * statistics.fmean(_figures(answers, metric))


def _figures(answers: Iterable[Answer], metric: int) -> list[float]:
    return [answer.figures[metric] for answer in answers]


def _kinds(found: Findings, split: str) -> str:
    head = [f"`{split}` half", "prompts", *METRICS, "r@10 against lexctx"]
    rows = [[kind or "all", *_kind(found, split, kind)] for kind in (*found.kinds(split), "")]
    return _table([head, *rows])


def _kind(found: Findings, split: str, kind: str) -> list[str]:
    answers = found.of_stage(PRODUCT, split, kind=kind)
    figures = [f"{percent(answers, metric):.1f}" for metric in range(len(METRICS))]
    against = _difference(answers, found.of_stage(YARDSTICK, split, kind=kind))
    return [str(len(answers)), *figures, against]


def _difference(answers: Sequence[Answer], others: Sequence[Answer], metric: int = R10) -> str:
    """Tell the paired difference of a metric and its interval, in points."""
    pairs = zip(_figures(answers, metric), _figures(others, metric), strict=True)
    differences = [100 * (one - other) for one, other in pairs]
    low, high = scores.interval(differences)
    return f"{statistics.fmean(differences):+.1f} ({low:+.1f} to {high:+.1f})"


def _injection(found: Findings) -> str:
    head = ["injected", *(f"`{split}`" for split in SPLITS)]
    names = [
        "prompts given a memory that they want, %",
        "share of all wanted memories given, %",
        "prompts that want nothing and get something, %",
        "tokens for each prompt that gets something",
        "tokens for each wanted memory",
        "CPU-ms of the hook's work, median",
        "the same, 95th percentile",
    ]
    columns = [_injected(found, split) for split in SPLITS]
    return _table([head, *([name, *cells] for name, *cells in zip(names, *columns, strict=True))])


def _injected(found: Findings, split: str) -> list[str]:
    wanting = found.given_in(split, silent=False)
    silent = found.given_in(split, silent=True)
    everything = [*wanting, *silent]
    spent = sum(one.tokens for one in everything)
    useful = sum(one.useful for one in wanting)
    costs = Costs.of([one.cpu for one in everything])
    return [
        f"{100 * statistics.fmean(one.useful > 0 for one in wanting):.1f}",
        f"{100 * statistics.fmean(one.useful / one.wanted for one in wanting):.1f}",
        f"{100 * statistics.fmean(one.given > 0 for one in silent):.1f}",
        f"{spent / max(1, sum(one.given > 0 for one in everything)):.0f}",
        f"{spent / max(1, useful):.0f}",
        f"{costs.median:.2f}",
        f"{costs.p95:.2f}",
    ]


def _table(rows: Sequence[Sequence[str]]) -> str:
    head, *rest = rows
    lines = [head, ["---"] * len(head), *rest]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
