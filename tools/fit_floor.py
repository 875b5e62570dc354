"""Fits what the floor of the hooks weighs, to the `dev` half of the evaluation set.

Every prompt is asked of its own person's store, and of those of the others, where nothing may come;
so in stores of few memories, of all of a person's, and of many foreign ones among them. What is
written is checked on people that it was not fitted to: each person is left out once. Where a
memory holds is no trait, since all foreign ones hold everywhere. It takes some minutes.

    PYTHONPATH=.:plugin/mcp python -m tools.fit_floor            # shows how well it does
    PYTHONPATH=.:plugin/mcp python -m tools.fit_floor --write    # and writes calibration.py
"""

from __future__ import annotations

import argparse
import shutil
import sys
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from claude_memory.hooks import recall_prompt
from claude_memory.memory import moment
from claude_memory.store import calibration, floor, recall, wording

from bench import filled, foreign, questions, stores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
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
OTHERS = "of others"  # what prompts in somebody else's store are called
NOISE = 0.05  # of the prompts that want nothing, at most
NOISE_OF_OTHERS = 0.01  # of the prompts in somebody else's store, at most
FEW, OWN = 8, 50  # memories of a person in a store
SIZES = (FEW, OWN, 1_000, 20_000)  # the largest with foreign ones among them
ASIDE = 5  # one of so many prompts of others is asked, but of stores that hold what is one's own
NOTHING = -99.0  # what a prompt promises for which nothing likely was found
SPREAD = 3.0  # how far behind the best a memory may be that is given with it


@dataclass
class Case:
    """One prompt in one store: the traits of all that was found, and whether it was wanted."""

    owner: str
    asker: str
    kind: str
    size: int  # of the store
    memories: Numbers
    wanted: Numbers
    # Its traits, by how well the best memory fits; none where nothing likely was found.
    question: Callable[[float], tuple[float, ...]] | None

    @property
    def is_own(self) -> bool:
        """Tell whether the prompt is asked where its answer would be."""
        return self.owner == self.asker

    @property
    def wants_nothing(self) -> bool:
        """Tell whether nothing that is stored is of use for the prompt."""
        return self.is_own and self.kind == questions.NONE

    @property
    def has_answer(self) -> float:
        """Return 1 if a wanted memory was found, else 0."""
        return float(self.wanted.any())


class Scene(NamedTuple):
    """A store, whose it is, and how many memories lie in it."""

    store: Filled
    owner: Person
    size: int


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


def cases(people: Sequence[Person], size: int) -> list[Case]:
    """Ask everybody's prompts of everybody's store, which holds about so many memories."""
    found: list[Case] = []
    with stores.folder() as bases:
        for number, owner in enumerate(people):
            strangers = [one for place, one in enumerate(people) if place // 2 != number // 2][:2]
            base = bases / strangers[0].name
            if size > OWN and not base.exists():
                texts = [note.content for one in strangers for note in one.notes]
                foreign.fill(base, texts, size)
            # Foreign memories hold the words of those from whose they were made.
            askers = [one for one in people if size <= OWN or one not in strangers]
            for part in _parts(owner) if size == FEW else [owner]:
                with stores.folder() as place:
                    if size > OWN:
                        shutil.copytree(base, place / "home")
                    with filled.fill(part, place / "home") as store:
                        found += _asked(Scene(store, part, size), askers)
    return found


def _parts(owner: Person) -> Iterator[Person]:
    """Cut a person into several who remember little, with the prompts that this can answer."""
    count = len(owner.notes) // FEW
    for number in range(count):
        notes = [replace(note, supersedes="") for note in owner.notes[number::count]]
        known = {note.id for note in notes}
        prompts = [
            replace(prompt, gold=prompt.gold & known)
            for place, prompt in enumerate(owner.prompts)
            if prompt.gold & known or (not prompt.gold and place % count == number)
        ]
        yield replace(owner, notes=tuple(notes), prompts=tuple(prompts))


def _asked(scene: Scene, people: Sequence[Person]) -> Iterator[Case]:
    projects = sorted({note.project for note in scene.owner.notes if note.project})
    for prompt in scene.owner.prompts:
        yield from _case(scene, scene.owner, prompt, prompt.project)
    for asker in people:
        for number, prompt in enumerate(asker.prompts):
            if asker.name != scene.owner.name and (scene.size == OWN or not number % ASIDE):
                yield from _case(scene, asker, prompt, projects[number % len(projects)])


def _case(scene: Scene, asker: Person, prompt: Prompt, project: str) -> Iterator[Case]:
    words = recall_prompt.question(prompt.text)
    most = recall_prompt.CANDIDATES
    query = recall.Query(words, "", "", most, "relevance", "", project, PRESENT, floor=True)
    noted: list[tuple[floor.Floor, list[Hit]]] = []
    recall.search(scene.store.connection(), query, partial(Noted, noted))
    gold = scene.store.gold(prompt) if asker is scene.owner else set()
    least, hits = noted[0] if words and noted else (None, [])
    traits = [least.of_memory(hit) for hit in hits] if least else []
    yield Case(
        scene.owner.name,
        asker.name,
        prompt.kind,
        scene.size,
        np.array(traits).reshape(-1, len(floor.MEMORY)),
        np.array([float(hit.memory.local_no in gold) for hit in hits]),
        partial(least.of_question, hits) if least else None,
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
    traits = np.array([case.question(fits(case)) for case in among if case.question])
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
    among = [case for case in among if case.question]
    without = {name: fit_memories(_without(among, name)) for name in _owners(among)}
    questions_ = fit_questions(among, lambda case: best(case, without[case.owner]))
    return fit_memories(among), questions_


def promises(among: Sequence[Case]) -> list[float]:
    """Return how promising each prompt is to a fit that has seen neither owner nor asker."""
    found = {}
    for name in _owners(among):
        memories, question = fit_both(_without(among, name))
        for case in among:
            if case.owner == name and case.question:
                traits = np.array(case.question(best(case, memories)))
                found[id(case)] = float(traits @ question[:-1] + question[-1])
    return [found.get(id(case), NOTHING) for case in among]


def _owners(among: Iterable[Case]) -> list[str]:
    return sorted({case.owner for case in among})


def _without(among: Iterable[Case], name: str) -> list[Case]:
    return [case for case in among if name not in (case.owner, case.asker)]


def least(among: Sequence[Case], promised: Sequence[float]) -> float:
    """Return what has to be promised, so that silence is kept where nothing is wanted."""
    pairs = list(zip(among, promised, strict=True))
    others = [value for case, value in pairs if not case.is_own and case.size == OWN]
    bounds = [np.quantile(others, 1 - NOISE_OF_OTHERS)]
    for size in SIZES:
        silent = [value for case, value in pairs if case.size == size and case.wants_nothing]
        bounds.append(np.quantile(silent, 1 - NOISE))
    return float(max(bounds))


def _show(among: Sequence[Case], promised: Sequence[float], bound: float) -> None:
    """Say which prompts pass, by kind: a column for each size."""
    pairs = list(zip(among, promised, strict=True))
    kinds = [*dict.fromkeys(case.kind for case in among), OTHERS]
    sys.stdout.write(f"{'':<12}" + "".join(f"{size:>9,}" for size in SIZES) + "\n")
    for kind in kinds:
        cells = ""
        for size in SIZES:
            chosen = [
                value >= bound
                for case, value in pairs
                if case.size == size and kind == (case.kind if case.is_own else OTHERS)
            ]
            cells += f"{100 * np.mean(chosen):9.1f}"
        sys.stdout.write(f"{kind:<12}{cells}\n")


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
    asked = [one for size in SIZES for one in cases(questions.own("dev"), size)]
    promised = promises(asked)
    bound = least(asked, promised)
    _show(asked, promised, bound)
    if given.write:
        MODULE.write_text(_module(*fit_both(asked), bound), encoding="utf-8")


if __name__ == "__main__":
    main()
