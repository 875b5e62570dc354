"""The server's recall on the evaluation set, through HTTP: an account for each person."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING

from bench import quality_page, questions, recall_quality
from bench.asking import LIMIT, METRICS, Answer, Findings, figures
from bench.processes import Costs
from bench.serving import ROOT, Server, accounts, database, surroundings
from tools import components

if TYPE_CHECKING:
    from bench.questions import Note, Person
    from bench.report import Report
    from bench.serving import Account

STAGE, STRONG = "server", "server, [semantic]"
WARM = 20
BOUNDS = {"locomo-dev turn": 75, "locomo-dev obs": 79, "beam-dev turn": 85}  # r@10 with the model


def run(report: Report) -> None:
    """Store everybody's memories, then ask all their prompts; with `--semantic` by MiniLM."""
    people = recall_quality.people(report)
    python, environ = sys.executable, {}
    if report.semantic:
        python, environ = str(components.semantic_python()), {"MEMORY_SEMANTIC": "on"}
    found = Findings()
    with database() as (url, postmaster):
        opened = accounts(url, len(people))
        with Server(url, postmaster, python, **environ) as server:
            numbers = []
            for person, account in zip(people, opened, strict=True):
                report.progress(f"{person.name}: {len(person.notes)} memories")
                numbers.append(_store(server, account, person))
                found.memories.append(len(person.notes))
            report.progress("reading what waits to be read")
            server.pause()
            _read_all(url, python, environ)
            for person, account, known in zip(people, opened, numbers, strict=True):
                report.progress(f"{person.name}: {len(person.prompts)} prompts")
                found.answers += _ask(
                    server, account, person, known, STRONG if report.semantic else STAGE
                )
            found.server_mb = server.resident()
    report.progress("")
    _tell(report, found, STRONG if report.semantic else STAGE)
    name = recall_quality.OF_STRONG if report.semantic else recall_quality.OF_SERVER
    recall_quality.keep(name, [found])


def _read_all(url: str, python: str, environ: dict[str, str]) -> None:
    """Do at once what the server would do in the background."""
    subprocess.run(
        [python, "-m", "backend", "embed"],
        cwd=ROOT,
        env={**surroundings(), **environ, "DATABASE_URL": url},
        capture_output=True,
        check=True,
    )


def _store(server: Server, account: Account, person: Person) -> dict[str, int]:
    """Store a person's memories; return the server's number of each."""
    numbers: dict[str, int] = {}
    last: Counter[str] = Counter()
    for note in person.notes:
        last[note.session] += 1
        body = _body(note, last[note.session])
        if note.supersedes:
            body["supersedes"] = str(numbers[note.supersedes])
        numbers[note.id] = server.ask("POST", "/api/memories", account, body)["id"]
    return numbers


def _body(note: Note, seq: int) -> dict[str, object]:
    return {
        "content": note.content,
        "category": note.category,
        "tags": note.tags,
        "scope": note.scope,
        "project": note.project,
        "session": note.session,
        "session_seq": seq,
        **({"created_at": note.created_at} if note.created_at else {}),
    }


def _ask(
    server: Server, account: Account, person: Person, numbers: dict[str, int], stage: str
) -> list[Answer]:
    wanting = [prompt for prompt in person.prompts if prompt.gold]
    answers = []
    for prompt in (*wanting[:WARM], *wanting):
        body = {"context": prompt.text, "limit": LIMIT, "scope": "", "project": prompt.project}
        before = sum(server.used())
        rows = server.ask("POST", "/api/memories/recall", account, body)["memories"]
        cpu = sum(server.used()) - before
        gold = {numbers[one] for one in prompt.gold}
        scored = figures([row["id"] for row in rows], gold)
        answers.append(Answer(stage, person.group, prompt.kind, prompt.id, scored, cpu))
    return answers[len(wanting[:WARM]) :]


def _tell(report: Report, found: Findings, stage: str) -> None:
    own = found.of_stage(stage, *questions.SPLITS)
    report.add(f"{stage}, own set, r@10", quality_page.percent(own, quality_page.R10), "%")
    for kind in ("paraphrase", "identifier"):
        answers = found.of_stage(stage, *questions.SPLITS, kind=kind)
        for metric in (quality_page.R1, quality_page.R10):
            figure = quality_page.percent(answers, metric)
            report.add(f"the same, {kind}, {METRICS[metric]}", figure, "%")
    for group in found.groups():
        if group not in questions.SPLITS:
            figure = quality_page.percent(found.of_stage(stage, group), quality_page.R10)
            bound = BOUNDS.get(group) if stage == STRONG else None
            report.add(f"{stage}, {group}, r@10", figure, "%", bound, at_least=True)
    costs = Costs.of([one.cpu for one in own])
    report.add("server and database for a recall", costs.median, "CPU-ms")
    report.add("the same, 95th percentile", costs.p95, "CPU-ms")
    report.add("resident memory of the server", found.server_mb, "MB")
