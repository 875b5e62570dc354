"""The server's recall on the evaluation set, through HTTP: an account for each person."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from bench import quality_page, questions, recall_quality
from bench.asking import LIMIT, Answer, Findings, figures
from bench.processes import Costs
from bench.serving import Server, accounts, database

if TYPE_CHECKING:
    from bench.questions import Note, Person
    from bench.report import Report
    from bench.serving import Account

STAGE = "server"
WARM = 20


def run(report: Report) -> None:
    """Store everybody's memories, then ask all their prompts."""
    people = recall_quality.people(report)
    found = Findings()
    with database() as (url, postmaster):
        opened = accounts(url, len(people))
        with Server(url, postmaster) as server:
            for person, account in zip(people, opened, strict=True):
                report.progress(f"{person.name}: {len(person.notes)} memories")
                numbers = _store(server, account, person)
                found.answers += _ask(server, account, person, numbers)
                found.memories.append(len(person.notes))
    report.progress("")
    _tell(report, found)
    recall_quality.keep(recall_quality.OF_SERVER, [found])


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


def _ask(server: Server, account: Account, person: Person, numbers: dict[str, int]) -> list[Answer]:
    wanting = [prompt for prompt in person.prompts if prompt.gold]
    answers = []
    for prompt in (*wanting[:WARM], *wanting):
        body = {"context": prompt.text, "limit": LIMIT, "scope": "", "project": prompt.project}
        before = sum(server.used())
        rows = server.ask("POST", "/api/memories/recall", account, body)["memories"]
        cpu = sum(server.used()) - before
        gold = {numbers[one] for one in prompt.gold}
        scored = figures([row["id"] for row in rows], gold)
        answers.append(Answer(STAGE, person.group, prompt.kind, prompt.id, scored, cpu))
    return answers[len(wanting[:WARM]) :]


def _tell(report: Report, found: Findings) -> None:
    own = found.of_stage(STAGE, *questions.SPLITS)
    report.add("server, own set, r@10", quality_page.percent(own, quality_page.R10), "%")
    for kind in ("paraphrase", "identifier"):
        answers = found.of_stage(STAGE, *questions.SPLITS, kind=kind)
        report.add(f"the same, {kind}", quality_page.percent(answers, quality_page.R10), "%")
    for group in found.groups():
        if group not in questions.SPLITS:
            figure = quality_page.percent(found.of_stage(STAGE, group), quality_page.R10)
            report.add(f"server, {group}, r@10", figure, "%")
    costs = Costs.of([one.cpu for one in own])
    report.add("server and database for a recall", costs.median, "CPU-ms")
    report.add("the same, 95th percentile", costs.p95, "CPU-ms")
