"""Fits what the floor of the hooks weighs, to the `dev` half of the evaluation set.

Every prompt is asked of its own person's store, and of those of the others, where nothing may come;
so in stores of few memories, of all of a person's, and of many foreign ones among them. Further
prompts, of nobody in particular (floor_prompts.tsv: about one's own work, or general), are dealt
out to the people and asked of their stores, where nothing may come either. By what meaning and by
which phrases somebody speaks of own work they teach as well, and so does all that is typed by the
people of tools/training. What is written is checked on people of `dev` that it was not fitted to:
each is left out once. Where a memory holds is no trait, since all foreign ones hold everywhere. It
takes some minutes.

    PYTHONPATH=.:plugin/mcp python -m tools.fit_floor            # shows how well it does
    PYTHONPATH=.:plugin/mcp python -m tools.fit_floor --write    # and writes what was fitted
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
from tools.floor_cases import FEW, GENERAL, NOBODY, OTHERS, OWN, SIZES, cases, said_by_people

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tools.floor_cases import Case, Numbers, Said

MODULE = Path(calibration.__file__)
PHRASES = Path(wording.PATH)
OF_OTHERS = 0.003  # what a prompt in somebody else's store counts beside one in its own
OF_OWNERS = 3.0  # what a person's prompt says about the direction of own work beside nobody's
RIDGE = 3.0  # on traits of memories, of one deviation, and of wording
LOOSE = 0.05  # on traits of a question
STEPS = 15
ALOOF = 0.28  # ridge on the direction of own work
SHY = 0.1  # the same on each place of a phrase
CLOSE = 1e-3  # of the first slope: then a step has been found
FOUND = 1e-2  # the steepest slope that is left where the weights are found
OUTLIERS = 1e-3  # share of the phrases whose weight is cut off: the others use the whole half byte
BYTES_A_LINE = 32  # of the written direction
NOISE = 0.04  # of the prompts that want nothing, at most
NOISE_OF_OTHERS = 0.09  # of the prompts about own work in somebody else's store of few, at most
NOTHING_WANTED = (questions.NONE, GENERAL)
CAPS = np.arange(-3.0, 10.0, 0.1)  # among which it is looked for how far own work counts there
NOTHING = -99.0  # what a prompt promises for which nothing likely was found
ALONE = "alone"  # what the weight without a trait is called
SPREAD = 4.0  # how far behind the best a memory may be that is given with it


class Speech(NamedTuple):
    """By what meaning and by which phrases somebody speaks of own work."""

    direction: Numbers  # whole numbers, of length UNIT
    meant: float  # what the direction counts
    worded: Numbers  # what the traits of `wording` count
    phrases: Numbers  # whole numbers from -8 to 7
    spoken: float  # what they count

    def own_work(self, case: Case) -> float:
        """Return how far a case's question points to own work, as the floor does."""
        said = case.said
        meant = said.meaning @ self.direction / UNIT * self.meant
        phrases = self.phrases[said.phrases] @ said.counts * self.spoken
        return float(meant + said.wording @ self.worded + phrases)


class Fit(NamedTuple):
    """What a set of cases teaches; the last weight of each stands alone."""

    memories: Numbers
    question: Numbers
    speech: Speech


class Outcome(NamedTuple):
    """What speaks for a prompt where it was not learned from, and whether it would be answered."""

    about_work: float
    best: float
    size: int
    is_useful: bool

    def traits(self, of_few: float = np.inf) -> tuple[float, ...]:
        """Return the traits of the question, by how far own work counts in a store of few."""
        return floor.of_question(floor.heard(self.about_work, self.size, of_few), self.best)

    def promise(self, weights: Numbers, of_few: float = np.inf) -> float:
        """Return what it promises."""
        if self.best <= NOTHING:
            return NOTHING
        return float(np.array([*self.traits(of_few), 1.0]) @ weights)


class Bounds(NamedTuple):
    """What has to be promised, and how far own work counts where there are few memories."""

    least: float
    of_few: float


def fit_memories(among: Sequence[Case]) -> Numbers:
    """Return the weights of the traits of a memory, and what stands alone."""
    traits = np.vstack([case.memories for case in among])
    wanted = np.concatenate([case.wanted for case in among])
    middle, spread = traits.mean(0), traits.std(0) + 1e-9
    ridge = np.full(traits.shape[1], RIDGE)
    scaled = _logistic((traits - middle) / spread, wanted, np.ones(len(wanted)), ridge)
    weights = scaled[:-1] / spread
    return np.append(weights, scaled[-1] - weights @ middle)


class Listener:
    """Learns by what somebody speaks of own work; whatever it has learned from is heard once."""

    def __init__(self, people: Sequence[Said]) -> None:
        """Learn from what people say whom nobody leaves out."""
        self._people = list(people)
        self._weights = np.zeros(DIMENSIONS + len(wording.NAMES) + wording.PLACES + 1)
        self._weights = self._learned(self._people, [1.0] * len(people))
        self._known: dict[tuple[int, ...], Speech] = {}

    def speech(self, among: Iterable[Case]) -> Speech:
        """Return by what somebody speaks of own work."""
        chosen = [case for case in among if case.is_dealt and case.size == OWN]
        key = tuple(map(id, chosen))
        if key not in self._known:
            self._known[key] = self._heard(chosen)
        return self._known[key]

    def _heard(self, chosen: Sequence[Case]) -> Speech:
        counts = [OF_OWNERS if case.is_own else 1.0 for case in chosen]
        said = [*self._people, *(case.said for case in chosen)]
        found = self._learned(said, [1.0] * len(self._people) + counts)
        direction, worded, phrases = np.split(found[:-1], [DIMENSIONS, -wording.PLACES])
        meant = float(np.linalg.norm(direction))
        whole: Numbers = np.rint(direction / meant * UNIT).clip(-ZERO, ZERO - 1)
        top = wording.ZERO - 1
        spoken = float(np.quantile(np.abs(phrases), 1 - OUTLIERS)) / top
        return Speech(whole, meant, worded, np.rint(phrases / spoken).clip(-top - 1, top), spoken)

    def _learned(self, said: Sequence[Said], counts: Sequence[float]) -> Numbers:
        traits = np.array([[*one.meaning, *one.wording] for one in said])
        about_work = np.array([float(one.about_work) for one in said])
        ridge = np.full(traits.shape[1] + wording.PLACES, SHY)
        ridge[: traits.shape[1]] = RIDGE
        ridge[:DIMENSIONS] = ALOOF
        sparse = Sparse(traits, said)
        return _sparse_logistic(sparse, about_work, np.array(counts), ridge, self._weights)


class Sparse:
    """Traits of prompts: some columns, one for each place of a phrase, one that stands alone."""

    def __init__(self, columns: Numbers, said: Sequence[Said]) -> None:
        """Keep both."""
        self._columns = columns
        self._rows = np.repeat(np.arange(len(said)), [len(one.phrases) for one in said])
        self._places = np.concatenate([one.phrases for one in said])
        self._counts = np.concatenate([one.counts for one in said])

    def weighed(self, weights: Numbers) -> Numbers:
        """Return the sum of each prompt's traits by their weights."""
        count = self._columns.shape[1]
        spread = weights[count:-1][self._places] * self._counts
        phrases = np.bincount(self._rows, spread, len(self._columns))
        total: Numbers = self._columns @ weights[:count] + phrases + weights[-1]
        return total

    def gathered(self, values: Numbers) -> Numbers:
        """Return the sum of each trait over the prompts, by a value of each."""
        spread = values[self._rows] * self._counts
        phrases = np.bincount(self._places, spread, wording.PLACES)
        return np.concatenate([values @ self._columns, phrases, [values.sum()]])


def _sparse_logistic(
    traits: Sparse, truth: Numbers, counts: Numbers, ridge: Numbers, begun: Numbers
) -> Numbers:
    """Fit by Newton's method, by conjugate gradients; the last weight is not held back."""
    held = np.append(ridge, 0.0)
    sides = 1 - 2 * truth

    def loss(weights: Numbers, points: Numbers) -> float:
        return float(counts @ np.logaddexp(0, sides * points) + held @ weights**2 / 2)

    weights, points = begun, traits.weighed(begun)
    for _ in range(STEPS):
        odds = 1 / (1 + np.exp(-points))
        curve = counts * odds * (1 - odds)
        rest = -traits.gathered(counts * (odds - truth)) - held * weights
        if np.abs(rest).max() < FOUND:
            break
        step, way, left = np.zeros(len(held)), rest.copy(), rest @ rest
        least = left * CLOSE
        while left > least:
            bent = traits.gathered(curve * traits.weighed(way)) + held * way
            far = left / (way @ bent)
            step += far * way
            rest -= far * bent
            left, before = rest @ rest, left
            way = rest + left / before * way
        so_far, onward = loss(weights, points), traits.weighed(step)
        while loss(weights + step, points + onward) > so_far:  # it went too far
            step, onward = step / 2, onward / 2
        weights, points = weights + step, points + onward
    return weights


def fit_questions(among: Sequence[Case], found: Sequence[Outcome]) -> Numbers:
    """Return the weights of the traits of a question, in stores that hold what is one's own."""
    pairs = zip(among, found, strict=True)
    chosen = [(case, one) for case, one in pairs if case.size == OWN and len(case.memories)]
    traits = np.array([one.traits() for _, one in chosen])
    answered = np.array([case.has_answer for case, _ in chosen])
    counts = np.array([1.0 if case.is_own else OF_OTHERS for case, _ in chosen])
    return _logistic(traits, answered, counts, np.full(traits.shape[1], LOOSE))


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


def fit(among: Sequence[Case], listener: Listener) -> Fit:
    """Fit memories and speech to all, and questions to what comes of them without their people."""
    answered = [case for case in among if len(case.memories)]
    weights = fit_questions(among, outcomes(among, listener))
    return Fit(fit_memories(answered), weights, listener.speech(among))


def outcomes(among: Sequence[Case], listener: Listener) -> list[Outcome]:
    """Return what comes of each prompt by models that saw neither asker nor owner of the store."""
    names = sorted({case.owner for case in among})
    speech = {name: listener.speech(_without(among, name)) for name in names}
    answered = [case for case in among if len(case.memories)]
    memories = {name: fit_memories(_without(answered, name)) for name in names}

    def outcome(case: Case) -> Outcome:
        if not len(case.memories):
            return Outcome(0.0, NOTHING, case.size, is_useful=False)
        asker = case.owner if case.asker == NOBODY else case.asker
        by = memories[case.owner]
        useful = _is_useful(case, by)
        return Outcome(speech[asker].own_work(case), best(case, by), case.size, useful)

    return [outcome(case) for case in among]


def _is_useful(case: Case, weights: Numbers) -> bool:
    fits = case.memories @ weights[:-1]
    given = case.wanted[fits >= fits.max() - SPREAD]
    return bool(given[: recall_prompt.MOST].any())


def _without(among: Iterable[Case], name: str) -> list[Case]:
    return [case for case in among if name not in (case.owner, case.asker)]


def bounds(among: Sequence[Case], found: Sequence[Outcome], weights: Numbers) -> Bounds:
    """Return what keeps the silence that is wanted."""
    pairs = [(case.size, _shown_as(case), one) for case, one in zip(among, found, strict=True)]

    def noise(kinds: Sequence[str], size: int, share: float, of_few: float = np.inf) -> float:
        here = [one for place, kind, one in pairs if place == size and kind in kinds]
        return float(np.quantile([one.promise(weights, of_few) for one in here], 1 - share))

    least = noise(NOTHING_WANTED, OWN, NOISE)
    fits = [cap for cap in CAPS if noise([OTHERS], FEW, NOISE_OF_OTHERS, cap) <= least]
    return Bounds(least, max(fits, default=min(CAPS)))


def _show(
    among: Sequence[Case], found: Sequence[Outcome], weights: Numbers, needed: Bounds
) -> None:
    """Say by kind which prompts pass, and which get what they want: two columns for each size."""
    pairs = list(zip(among, found, strict=True))
    kinds = [*dict.fromkeys(case.kind for case in among if case.is_own), GENERAL, OTHERS]
    sys.stdout.write(f"{'':<12}" + "".join(f"{size:>12,}" for size in SIZES) + "\n")
    for kind in kinds:
        cells = ""
        for size in SIZES:
            chosen = [one for case, one in pairs if case.size == size and kind == _shown_as(case)]
            passed = [one.promise(weights, needed.of_few) >= needed.least for one in chosen]
            useful = [
                one.is_useful and is_given for one, is_given in zip(chosen, passed, strict=True)
            ]
            share = (100 * np.mean(one) if one else 0.0 for one in (passed, useful))
            cells += "".join(f"{one:6.1f}" for one in share)
        sys.stdout.write(f"{kind:<12}{cells}\n")


def _shown_as(case: Case) -> str:
    if case.is_own or case.kind == GENERAL:
        return case.kind
    return "" if case.wants_nothing else OTHERS


def _module(found: Fit, needed: Bounds) -> str:
    table = Embedding()
    return f'''"""What the floor weighs, and how much: written by tools/fit_floor.py. Hot."""

from __future__ import annotations

MODEL = "{table.model}"  # the table of word vectors that this was fitted to
LEAST = {needed.least:.2f}  # that a question has to promise
OF_FEW = {needed.of_few:.1f}  # more does not count for own work in a store of few memories
SPREAD = {SPREAD}  # how far behind the best a memory may be that is given with it
MEMORY = (
{_lines((*floor.MEMORY, ALONE), found.memories)}
)
QUESTION = (
{_lines((*floor.QUESTION, ALONE), found.question)}
)
WORDING = (
{_lines(wording.NAMES, found.speech.worded)}
)
MEANT = {found.speech.meant:.3f}  # what the direction counts in which somebody's own work lies,
SPOKEN = {found.speech.spoken:.5f}  # and what the phrases count
OWN_WORK = bytes.fromhex(  # the direction of meaning
{_hexadecimal(_bytes(found.speech.direction))}
)
'''


def _bytes(numbers: Numbers) -> bytes:
    return bytes(int(one) + ZERO for one in numbers)


def _halves(numbers: Numbers) -> bytes:
    found = (np.append(numbers, 0.0) + wording.ZERO).astype(np.uint8)
    return bytes(found[::2] | found[1::2] << 4)


def _hexadecimal(data: bytes) -> str:
    rows = (data[place : place + BYTES_A_LINE].hex() for place in range(0, len(data), BYTES_A_LINE))
    return "\n".join(f'    "{row}"' for row in rows)


def _lines(names: Sequence[str], weights: Numbers) -> str:
    pairs = zip(names, weights, strict=True)
    return "\n".join(f"    {weight:.3f},  # {name}" for name, weight in pairs)


def main() -> None:
    """Fit, show, and write."""
    parser = argparse.ArgumentParser(description="fit what the floor of the hooks weighs")
    parser.add_argument("--write", action="store_true", help="write what was fitted")
    given = parser.parse_args()
    asked = [one for size in SIZES for one in cases(questions.own("dev"), size)]
    listener = Listener(said_by_people())
    fitted, found = fit(asked, listener), outcomes(asked, listener)
    needed = bounds(asked, found, fitted.question)
    _show(asked, found, fitted.question, needed)
    if given.write:
        MODULE.write_text(_module(fitted, needed), encoding="utf-8")
        PHRASES.write_bytes(_halves(fitted.speech.phrases))


if __name__ == "__main__":
    main()
