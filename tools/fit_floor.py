"""Fits what the floor of the hooks weighs, to the `dev` half of the evaluation set.

Every prompt is asked of its own person's store, and of those of the others, where nothing may come;
so in stores of few memories, of all of a person's, and of many foreign ones among them. Further
prompts, of nobody in particular (floor_prompts.tsv: about one's own work, or general), are dealt
out to the people and asked of their stores, where nothing may come either; they teach as well in
which direction of meaning one's own work lies. What is written is checked on people, and on such
prompts, that it was not fitted to: each person is left out once. Where a memory holds is no trait,
since all foreign ones hold everywhere. It takes some minutes.

    PYTHONPATH=.:plugin/mcp python -m tools.fit_floor            # shows how well it does
    PYTHONPATH=.:plugin/mcp python -m tools.fit_floor --write    # and writes calibration.py
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from claude_memory.hooks import recall_prompt
from claude_memory.store import calibration, floor, wording
from claude_memory.store.embedding import DIMENSIONS, UNIT, Embedding
from claude_memory.store.vectors import ZERO

from bench import questions
from tools.floor_cases import GENERAL, NOBODY, OTHERS, OWN, SIZES, cases

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tools.floor_cases import Case, Numbers

MODULE = Path(calibration.__file__)
OF_OTHERS = 0.12  # what a prompt in somebody else's store counts beside one in its own
OF_OWNERS = 3.0  # what a person's prompt says about the direction of own work beside nobody's
RIDGE = 3.0  # on traits of one deviation: memories; on traits as they are: questions
LOOSE = 0.05  # the same where there is no doubt that a trait counts
TIGHT = len(wording.NAMES)  # the traits that are only wording
STEPS = 15
ABOUT = floor.QUESTION.index("own_work")
ALOOF = 2.5  # ridge on the direction of own work
BYTES_A_LINE = 32  # of the written direction
NOISE = 0.04  # of the prompts that want nothing, at most
NOISE_OF_OTHERS = 0.05  # of the prompts about own work in somebody else's store, at most
NOTHING = -99.0  # what a prompt promises for which nothing likely was found
SPREAD = 3.0  # how far behind the best a memory may be that is given with it


class Fit(NamedTuple):
    """What a set of cases teaches; the last weight of each stands alone."""

    memories: Numbers
    question: Numbers
    direction: Numbers  # whole numbers, of length UNIT


class Outcome(NamedTuple):
    """What a prompt promises, and whether what is given with it then is wanted."""

    promise: float
    is_useful: bool


def fit_memories(among: Sequence[Case]) -> Numbers:
    """Return the weights of the traits of a memory, and what stands alone."""
    traits = np.vstack([case.memories for case in among])
    wanted = np.concatenate([case.wanted for case in among])
    middle, spread = traits.mean(0), traits.std(0) + 1e-9
    ridge = np.full(traits.shape[1], RIDGE)
    scaled = _logistic((traits - middle) / spread, wanted, np.ones(len(wanted)), ridge)
    weights = scaled[:-1] / spread
    return np.append(weights, scaled[-1] - weights @ middle)


def fit_direction(among: Iterable[Case]) -> Numbers:
    """Return the direction of meaning in which own work lies, wording aside."""
    chosen = [case for case in among if case.is_dealt and case.size == OWN]
    traits = np.array([[*case.meaning, *case.wording] for case in chosen])
    about_work = np.array([float(not case.wants_nothing) for case in chosen])
    counts = np.array([OF_OWNERS if case.is_own else 1.0 for case in chosen])
    ridge = np.full(traits.shape[1], RIDGE)
    ridge[:DIMENSIONS] = ALOOF
    found = _logistic(traits, about_work, counts, ridge)[:DIMENSIONS]
    whole: Numbers = np.rint(found / np.linalg.norm(found) * UNIT).clip(-ZERO, ZERO - 1)
    return whole


def _traits(case: Case, memories: Numbers, direction: Numbers) -> Numbers:
    """Return the traits of a case's question, by weights of memories and by a direction."""
    ask = case.question or (lambda _: ())
    found = np.array(ask(best(case, memories)))
    found[ABOUT] = case.meaning @ direction / UNIT
    return found


def fit_questions(among: Sequence[Case], traits: Callable[[Case], Numbers]) -> Numbers:
    """Return the weights of the traits of a question."""
    found = np.array([traits(case) for case in among])
    answered = np.array([case.has_answer for case in among])
    counts = np.array([1.0 if case.is_own else OF_OTHERS for case in among])
    ridge = np.full(found.shape[1], LOOSE)
    ridge[:TIGHT] = RIDGE
    return _logistic(found, answered, counts, ridge)


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


def fit(among: Sequence[Case]) -> Fit:
    """Fit memories and direction, then questions on what these were not fitted to."""
    among = [case for case in among if case.question]
    names = _owners(among)
    memories = {name: fit_memories(_without(among, name)) for name in names}
    direction = {name: fit_direction(_without(among, name)) for name in names}

    def traits(case: Case) -> Numbers:
        asker = case.owner if case.asker == NOBODY else case.asker
        return _traits(case, memories[case.owner], direction[asker])

    return Fit(fit_memories(among), fit_questions(among, traits), fit_direction(among))


def outcomes(among: Sequence[Case]) -> list[Outcome]:
    """Return what comes of each prompt by a fit that has not seen the owner of the store."""
    found = {}
    for name in _owners(among):
        known = fit(_without(among, name))
        for case in among:
            if case.owner == name and case.question:
                traits = _traits(case, known.memories, known.direction)
                promise = float(traits @ known.question[:-1] + known.question[-1])
                found[id(case)] = Outcome(promise, _is_useful(case, known.memories))
    return [found.get(id(case), Outcome(NOTHING, is_useful=False)) for case in among]


def _is_useful(case: Case, weights: Numbers) -> bool:
    fits = case.memories @ weights[:-1]
    given = case.wanted[fits >= fits.max() - SPREAD]
    return bool(given[: recall_prompt.MOST].any())


def _owners(among: Iterable[Case]) -> list[str]:
    return sorted({case.owner for case in among})


def _without(among: Iterable[Case], name: str) -> list[Case]:
    return [case for case in among if name not in (case.owner, case.asker)]


def least(among: Sequence[Case], found: Sequence[Outcome]) -> float:
    """Return what has to be promised, so that silence is kept where nothing is wanted."""
    pairs = [(case, one.promise) for case, one in zip(among, found, strict=True)]
    bounds = [np.quantile([value for case, value in pairs if case.kind == GENERAL], 1 - NOISE)]
    for size in SIZES:
        here = [(_shown_as(case), value) for case, value in pairs if case.size == size]
        for kind, noise in ((questions.NONE, NOISE), (OTHERS, NOISE_OF_OTHERS)):
            bounds.append(np.quantile([value for shown, value in here if shown == kind], 1 - noise))
    return float(max(bounds))


def _show(among: Sequence[Case], found: Sequence[Outcome], bound: float) -> None:
    """Say by kind which prompts pass, and which get what they want: two columns for each size."""
    pairs = list(zip(among, found, strict=True))
    kinds = [*dict.fromkeys(case.kind for case in among if case.is_own), GENERAL, OTHERS]
    sys.stdout.write(f"{'':<12}" + "".join(f"{size:>12,}" for size in SIZES) + "\n")
    for kind in kinds:
        cells = ""
        for size in SIZES:
            chosen = [one for case, one in pairs if case.size == size and kind == _shown_as(case)]
            passed = [one.promise >= bound for one in chosen]
            useful = [one.is_useful and one.promise >= bound for one in chosen]
            share = (100 * np.mean(one) if one else 0.0 for one in (passed, useful))
            cells += "".join(f"{one:6.1f}" for one in share)
        sys.stdout.write(f"{kind:<12}{cells}\n")


def _shown_as(case: Case) -> str:
    if case.is_own or case.kind == GENERAL:
        return case.kind
    return "" if case.wants_nothing else OTHERS


def _module(found: Fit, bound: float) -> str:
    table = Embedding()
    return f'''"""What the floor weighs, and how much: written by tools/fit_floor.py. Hot."""

from __future__ import annotations

MODEL = "{table.model}"  # the table of word vectors that this was fitted to
LEAST = {bound:.2f}  # that a question has to promise
SPREAD = {SPREAD}  # how far behind the best a memory may be that is given with it
MEMORY = (
{_lines(floor.MEMORY, found.memories)}
)
QUESTION = (
{_lines(floor.QUESTION, found.question)}
)
OWN_WORK = bytes.fromhex(  # the direction of meaning in which somebody's own work lies
{_hexadecimal(bytes(int(one) + ZERO for one in found.direction))}
)
'''


def _hexadecimal(data: bytes) -> str:
    rows = (data[place : place + BYTES_A_LINE].hex() for place in range(0, len(data), BYTES_A_LINE))
    return "\n".join(f'    "{row}"' for row in rows)


def _lines(names: Sequence[str], weights: Numbers) -> str:
    pairs = zip((*names, "alone"), weights, strict=True)
    return "\n".join(f"    {weight:.3f},  # {name}" for name, weight in pairs)


def main() -> None:
    """Fit, show, and write."""
    parser = argparse.ArgumentParser(description="fit what the floor of the hooks weighs")
    parser.add_argument("--write", action="store_true", help="write calibration.py")
    given = parser.parse_args()
    asked = [one for size in SIZES for one in cases(questions.own("dev"), size)]
    found = outcomes(asked)
    bound = least(asked, found)
    _show(asked, found, bound)
    if given.write:
        MODULE.write_text(_module(fit(asked), bound), encoding="utf-8")


if __name__ == "__main__":
    main()
