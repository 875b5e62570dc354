"""Fits what the floor of the hooks weighs, to the `dev` half of the evaluation set.

Every prompt is asked of its own person's store, and of those of the others, where nothing may come.
What is written is checked on people that it was not fitted to: each person is left out once.

    PYTHONPATH=.:plugin/mcp python -m tools.fit_floor            # shows how well it does
    PYTHONPATH=.:plugin/mcp python -m tools.fit_floor --write    # and writes calibration.py
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from claude_memory.hooks import recall_prompt
from claude_memory.memory import moment
from claude_memory.store import calibration, floor, recall, wording

from bench import filled, questions, stores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import TypeAlias

    from claude_memory.store.recall import Hit

    from bench.filled import Filled
    from bench.questions import Person, Prompt

    Numbers: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]

MODULE = Path(calibration.__file__)
PRESENT = moment(questions.PRESENT)
OF_OTHERS = 0.12  # what a prompt in somebody else's store counts beside one in its own
RIDGE = 3.0  # on traits of one deviation: memories; on traits as they are: questions
LOOSE = 0.05  # the same where there is no doubt that a trait counts
TIGHT = len(wording.NAMES)  # the traits that are only wording
STEPS = 15
NOISE = 0.05  # of the prompts that want nothing, at most
NOISE_OF_OTHERS = 0.015  # of the prompts in somebody else's store, at most
SPREAD = 3.0  # how far behind the best a memory may be that is given with it


@dataclass
class Case:
    """One prompt in one store: the traits of all that was found, and whether it was wanted."""

    owner: str
    asker: str
    kind: str
    memories: Numbers
    wanted: Numbers
    question: Callable[[float], tuple[float, ...]]  # its traits, by how well the best memory fits

    @property
    def is_own(self) -> bool:
        """Tell whether the prompt is asked where its answer would be."""
        return self.owner == self.asker

    @property
    def has_answer(self) -> float:
        """Return 1 if a wanted memory was found, else 0."""
        return float(self.wanted.any())


class Noted(floor.Floor):
    """A floor that notes what it weighs."""

    def __init__(self, noted: list[tuple[floor.Floor, list[Hit]]], *question: Any) -> None:
        """Keep where to note."""
        super().__init__(*question)
        self._noted = noted

    def promise(self, hits: list[Hit], best: float) -> float:
        """Note the hits."""
        self._noted.append((self, hits))
        return super().promise(hits, best)


def cases(people: Sequence[Person]) -> list[Case]:
    """Ask everybody's prompts of everybody's store."""
    found = []
    for owner in people:
        with stores.folder() as place, filled.fill(owner, place / "home") as store:
            projects = sorted({note.project for note in owner.notes if note.project})
            for asker in people:
                for number, prompt in enumerate(asker.prompts):
                    elsewhere = projects[number % len(projects)]
                    project = prompt.project if asker is owner else elsewhere
                    case = _case(store, owner, asker, prompt, project)
                    found += [case] if case else []
    return found


def _case(store: Filled, owner: Person, asker: Person, prompt: Prompt, project: str) -> Case | None:
    words = recall_prompt.question(prompt.text)
    most = recall_prompt.CANDIDATES
    query = recall.Query(words, "", "", most, "relevance", "", project, PRESENT, floor=True)
    noted: list[tuple[floor.Floor, list[Hit]]] = []
    recall.search(store.connection(), query, partial(Noted, noted))
    if not words or not noted:
        return None
    [(least, hits)] = noted
    gold = store.gold(prompt) if asker is owner else set()
    traits = [least.of_memory(hit) for hit in hits]
    return Case(
        owner.name,
        asker.name,
        prompt.kind,
        np.array(traits).reshape(-1, len(floor.MEMORY)),
        np.array([float(hit.memory.local_no in gold) for hit in hits]),
        lambda best: least.of_question(hits, best),
    )


def fit_memories(among: Sequence[Case]) -> Numbers:
    """Return the weights of the traits of a memory, and what stands alone."""
    traits = np.vstack([case.memories for case in among])
    wanted = np.concatenate([case.wanted for case in among])
    middle, spread = traits.mean(0), traits.std(0) + 1e-9
    ridge = np.full(traits.shape[1], RIDGE)
    scaled = _logistic((traits - middle) / spread, wanted, np.ones(len(wanted)), ridge)
    weights = scaled[:-1] / spread
    return np.append(weights, scaled[-1] - weights @ middle)


def fit_questions(among: Sequence[Case], fits: Callable[[Case], float]) -> Numbers:
    """Return the weights of the traits of a question, given how well the best memories fit."""
    traits = np.array([case.question(fits(case)) for case in among])
    answered = np.array([case.has_answer for case in among])
    counts = np.array([1.0 if case.is_own else OF_OTHERS for case in among])
    ridge = np.full(traits.shape[1], LOOSE)
    ridge[:TIGHT] = RIDGE
    return _logistic(traits, answered, counts, ridge)


def _logistic(traits: Numbers, truth: Numbers, counts: Numbers, ridge: Numbers) -> Numbers:
    """Fit by Newton's method; the last weight stands alone and is not held back."""
    given = np.column_stack([traits, np.ones(len(traits))])
    held = np.diag(np.append(ridge, 0.0))
    weights = np.zeros(given.shape[1])
    for _ in range(STEPS):
        odds = 1 / (1 + np.exp(-given @ weights))
        slope = given.T @ (counts * (odds - truth)) + held @ weights
        curve = (given * (counts * odds * (1 - odds))[:, None]).T @ given + held
        weights -= np.linalg.solve(curve, slope)
    return weights


def best(case: Case, weights: Numbers) -> float:
    """Return how well the best memory fits."""
    fits = case.memories @ weights[:-1] + weights[-1]
    return float(fits.max(initial=floor.WORST))


def fit_both(among: Sequence[Case]) -> tuple[Numbers, Numbers]:
    """Fit memories, then questions on memories of people that these were not fitted to."""
    without = {name: fit_memories(_without(among, name)) for name in _owners(among)}
    questions_ = fit_questions(among, lambda case: best(case, without[case.owner]))
    return fit_memories(among), questions_


def promises(among: Sequence[Case]) -> list[float]:
    """Return how promising each prompt is to a fit that has seen neither owner nor asker."""
    found = {}
    for name in _owners(among):
        memories, question = fit_both(_without(among, name))
        for case in among:
            if case.owner == name:
                traits = np.array(case.question(best(case, memories)))
                found[id(case)] = float(traits @ question[:-1] + question[-1])
    return [found[id(case)] for case in among]


def _owners(among: Iterable[Case]) -> list[str]:
    return sorted({case.owner for case in among})


def _without(among: Iterable[Case], name: str) -> list[Case]:
    return [case for case in among if name not in (case.owner, case.asker)]


def least(among: Sequence[Case], promised: Sequence[float]) -> float:
    """Return what has to be promised, so that silence is kept where nothing is wanted."""
    pairs = list(zip(among, promised, strict=True))
    silent = [value for case, value in pairs if case.is_own and case.kind == questions.NONE]
    others = [value for case, value in pairs if not case.is_own]
    return float(max(np.quantile(silent, 1 - NOISE), np.quantile(others, 1 - NOISE_OF_OTHERS)))


def _show(among: Sequence[Case], promised: Sequence[float], bound: float) -> None:
    pairs = list(zip(among, promised, strict=True))

    def passing(which: Callable[[Case], bool]) -> str:
        chosen = [value >= bound for case, value in pairs if which(case)]
        return f"{100 * np.mean(chosen):5.1f} % of {len(chosen)}"

    for kind in dict.fromkeys(case.kind for case in among):
        sys.stdout.write(f"{kind:<12}{passing(_own_of(kind))}\n")
    sys.stdout.write(f"of others   {passing(lambda case: not case.is_own)}\n")


def _own_of(kind: str) -> Callable[[Case], bool]:
    return lambda case: case.is_own and case.kind == kind


def _module(memories: Numbers, question: Numbers, bound: float) -> str:
    return f'''"""What the floor weighs, and how much: written by tools/fit_floor.py. Hot."""

from __future__ import annotations

LEAST = {bound:.2f}  # that a question has to promise
SPREAD = {SPREAD}  # how far behind the best a memory may be that is given with it
MEMORY = (
{_lines(floor.MEMORY, memories)}
)
QUESTION = (
{_lines(floor.QUESTION, question)}
)
'''


def _lines(names: Sequence[str], weights: Numbers) -> str:
    pairs = zip((*names, "alone"), weights, strict=True)
    return "\n".join(f"    {weight:.3f},  # {name}" for name, weight in pairs)


def main() -> None:
    """Fit, show, and write."""
    parser = argparse.ArgumentParser(description="fit what the floor of the hooks weighs")
    parser.add_argument("--write", action="store_true", help="write calibration.py")
    given = parser.parse_args()
    asked = cases(questions.own("dev"))
    promised = promises(asked)
    bound = least(asked, promised)
    _show(asked, promised, bound)
    if given.write:
        MODULE.write_text(_module(*fit_both(asked), bound), encoding="utf-8")


if __name__ == "__main__":
    main()
