"""Asks every person's prompts, by every way of ranking and through the prompt hook."""

from __future__ import annotations

import shutil
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from bench import ablations, filled, foreign, scores, stages, stores
from bench.processes import Server
from bench.questions import NONE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.filled import Filled
    from bench.questions import Person, Prompt
    from bench.report import Report
    from bench.stages import Find

Found = TypeVar("Found")
LIMIT = 10  # memories asked for
WARMING = 3  # prompts whose cost is not counted: caches and compiled patterns
METRICS = ("r@1", "r@5", "r@10", "nDCG@10")


@dataclass(frozen=True)
class Answer:
    """How well one stage answered one prompt, and what that cost."""

    stage: str
    group: str
    kind: str
    prompt: str
    figures: tuple[float, ...]  # as METRICS
    cpu: float  # milliseconds


@dataclass(frozen=True)
class Injection:
    """What the hook gave to one prompt."""

    group: str
    kind: str
    prompt: str
    given: int  # memories
    useful: int  # of them, such as are wanted
    wanted: int
    tokens: int
    cpu: float  # milliseconds


@dataclass
class Findings:
    """All that was asked of some people's stores."""

    answers: list[Answer] = field(default_factory=list)
    injections: list[Injection] = field(default_factory=list)
    memories: list[int] = field(default_factory=list)  # in each store
    server_mb: float = 0.0  # the most that a server process on such a store has held

    @classmethod
    def read(cls, saved: dict[str, Any]) -> Self:
        """Build the findings that `asdict` of earlier ones gave."""
        answers = [Answer(**one) for one in saved["answers"]]
        injections = [Injection(**one) for one in saved["injections"]]
        return cls(answers, injections, saved["memories"], saved["server_mb"])

    def of_stage(self, stage: str, *groups: str, kind: str = "") -> list[Answer]:
        """Return the answers of a stage in some groups, of all kinds or of one."""
        return [
            answer
            for answer in self.answers
            if (answer.stage, answer.group in groups) == (stage, True) and kind in ("", answer.kind)
        ]

    def given_in(self, *groups: str, silent: bool) -> list[Injection]:
        """Return what was injected for prompts that want nothing, or for all others."""
        return [
            one for one in self.injections if one.group in groups and (one.kind == NONE) == silent
        ]

    def stages(self) -> list[str]:
        """Name the stages in their order, ways of ranking that lack a part aside."""
        named = dict.fromkeys(answer.stage for answer in self.answers)
        return [stage for stage in named if not stage.startswith(ablations.WITHOUT)]

    def ablations(self) -> list[str]:
        """Name the stages that lack a part."""
        named = dict.fromkeys(answer.stage for answer in self.answers)
        return [stage for stage in named if stage.startswith(ablations.WITHOUT)]

    def groups(self) -> list[str]:
        """Name the groups of people in their order."""
        return list(dict.fromkeys(answer.group for answer in self.answers))

    def kinds(self, *groups: str) -> list[str]:
        """Name the kinds of prompts in some groups, in their order."""
        return list(dict.fromkeys(one.kind for one in self.answers if one.group in groups))


def figures(found: Sequence[int], gold: set[int]) -> tuple[float, ...]:
    """Return the METRICS of one answer."""
    recalled = (scores.recall_at(found, gold, count) for count in (1, 5, 10))
    return (*recalled, scores.ndcg(found, gold, LIMIT))


def ask(people: Sequence[Person], report: Report, *, strangers: int = 0) -> Findings:
    """Ask all people's prompts of their own stores, with so many foreign memories in each."""
    findings = Findings()
    bases = _Bases(strangers)
    for person in people:
        report.progress(f"{person.name}: {len(person.prompts)} prompts")
        with stores.folder() as place:
            home = place / "home"
            if strangers:
                bases.copy(person, people, home)
            with filled.fill(person, home) as store:
                _ask(person, store, findings, ablated=report.ablations and not strangers)
            findings.memories.append(len(person.notes) + strangers)
            findings.server_mb = max(findings.server_mb, _server_mb(home, person))
    report.progress("")
    bases.clear()
    return findings


def _ask(person: Person, store: Filled, findings: Findings, *, ablated: bool) -> None:
    wanting = [prompt for prompt in person.prompts if prompt.gold]
    ways = stages.stages(store)
    if ablated:
        ways.update(ablations.stages(store))
    for name, find in ways.items():
        for prompt in wanting[:WARMING]:
            find(prompt, LIMIT)
        findings.answers += [_answer(name, find, person, prompt, store) for prompt in wanting]
    for prompt in person.prompts[:WARMING]:
        store.inject(prompt, session=f"warming {prompt.id}")
    findings.injections += [_injection(person, prompt, store) for prompt in person.prompts]


def _answer(stage: str, find: Find, person: Person, prompt: Prompt, store: Filled) -> Answer:
    found, cpu = _timed(lambda: find(prompt, LIMIT))
    scored = figures(found, store.gold(prompt))
    return Answer(stage, person.group, prompt.kind, prompt.id, scored, cpu)


def _injection(person: Person, prompt: Prompt, store: Filled) -> Injection:
    given, cpu = _timed(lambda: store.inject(prompt, session=prompt.id))
    gold = store.gold(prompt)
    return Injection(
        group=person.group,
        kind=prompt.kind,
        prompt=prompt.id,
        given=len(given.numbers),
        useful=len(gold & set(given.numbers)),
        wanted=len(gold),
        tokens=given.tokens,
        cpu=cpu,
    )


def _timed(work: Callable[[], Found]) -> tuple[Found, float]:
    begun = time.process_time()
    found = work()
    return found, (time.process_time() - begun) * 1000


def _server_mb(home: Path, person: Person) -> float:
    """Return what a server process holds at most while it answers a few questions."""
    with Server(home) as server:
        server.initialize()
        for prompt in person.prompts[:20]:
            server.call("memory_recall", context=prompt.text, scope="all")
        most = server.peak_mb()
        server.leave()
    return most


class _Bases:
    """Stores of foreign memories, one for each group, written from what others hold.

    A conversation that is stored in two ways is no other one.
    """

    def __init__(self, count: int) -> None:
        """Nothing is written before it is asked for."""
        self._count = count
        self._folders: dict[str, Path] = {}

    def copy(self, person: Person, people: Sequence[Person], home: Path) -> None:
        """Make a data folder in which a person's memories will lie among foreign ones."""
        if person.group not in self._folders:
            here = {one.name for one in people if one.group == person.group}
            others = [other for other in people if other.name not in here]
            folder = Path(tempfile.mkdtemp(prefix="claude-memory bench "))
            self._folders[person.group] = folder
            texts = (note.content for other in others for note in other.notes)
            foreign.fill(folder / "home", texts, self._count)
        shutil.copytree(self._folders[person.group] / "home", home)

    def clear(self) -> None:
        """Remove what was written."""
        for folder in self._folders.values():
            shutil.rmtree(folder, ignore_errors=True)
