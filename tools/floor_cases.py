"""Asks everybody's prompts of everybody's store, for what the floor of the hooks is fitted to."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from claude_memory.hooks import recall_prompt
from claude_memory.memory import moment
from claude_memory.store import floor, meaning, recall, wording
from claude_memory.store.embedding import DIMENSIONS, UNIT
from claude_memory.store.vectors import ZERO

from bench import filled, foreign, questions, stores
from tools import people as training

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TypeAlias

    from claude_memory.store.recall import Hit

    from bench.filled import Filled
    from bench.questions import Person, Prompt

    Numbers: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]
    Places: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]

PRESENT = moment(questions.PRESENT)
PROMPTS = Path(__file__).with_name("floor_prompts.tsv")
OTHERS = "of others"  # what prompts about own work in somebody else's store are called
GENERAL = "general"  # what nobody's prompts that want nothing are called
NOTHING = (questions.NONE, GENERAL)  # kinds of prompts for which nothing is of use to anybody
NOBODY = "nobody"
FEW, OWN = floor.FEW, floor.MANY  # memories of a person in a store
SIZES = (FEW, OWN, 1_000, 20_000)  # the largest with foreign ones among them
ASIDE = 5  # one of so many prompts of others is asked, but of stores that hold what is one's own


class Said(NamedTuple):
    """What a prompt says by its text alone, and whether it is about somebody's own work."""

    meaning: Numbers  # of length 1, or zeros
    wording: Numbers
    phrases: Places
    counts: Numbers  # what each counts
    about_work: bool


@dataclass
class Case:
    """One prompt in one store: the traits of all that was found, and whether it was wanted."""

    owner: str
    asker: str
    kind: str
    size: int  # of the store
    said: Said
    memories: Numbers
    wanted: Numbers

    @property
    def is_own(self) -> bool:
        """Tell whether the prompt is asked where its answer would be."""
        return self.owner == self.asker

    @property
    def is_dealt(self) -> bool:
        """Tell whether the prompt is asked of this owner's store alone."""
        return self.asker in (self.owner, NOBODY)

    @property
    def wants_nothing(self) -> bool:
        """Tell whether nothing that anybody stored is of use for the prompt."""
        return self.kind in NOTHING

    @property
    def has_answer(self) -> float:
        """Return 1 if a wanted memory was found, else 0."""
        return float(self.wanted.any())


class Scene(NamedTuple):
    """A store, whose it is, how many memories lie in it, and nobody's prompts to it."""

    store: Filled
    owner: Person
    size: int
    dealt: Sequence[Prompt]


class Noted(floor.Floor):
    """A floor that notes what it weighs."""

    def __init__(self, noted: list[tuple[floor.Floor, list[Hit]]], *question: Any) -> None:
        """Keep where to note."""
        super().__init__(*question)
        self._noted = noted

    def likely(self, hits: list[Hit]) -> list[Hit]:
        """Note what may be meant."""
        found = super().likely(hits)
        self._noted.append((self, found))
        return found


def cases(people: Sequence[Person], size: int) -> list[Case]:
    """Ask everybody's prompts of everybody's store, which holds about so many memories."""
    found: list[Case] = []
    dealt = _nobodys()
    with stores.folder() as bases:
        for number, owner in enumerate(people):
            strangers = [one for place, one in enumerate(people) if place // 2 != number // 2][:2]
            base = bases / strangers[0].name
            if size > OWN and not base.exists():
                texts = [note.content for one in strangers for note in one.notes]
                foreign.fill(base, texts, size)
            # Foreign memories hold the words of those from whose they were made.
            askers = [one for one in people if size <= OWN or one not in strangers]
            hand = dealt[number :: len(people)] if size == OWN else []
            for part in _parts(owner) if size == FEW else [owner]:
                with stores.folder() as place:
                    if size > OWN:
                        shutil.copytree(base, place / "home")
                    with filled.fill(part, place / "home") as store:
                        found += _asked(Scene(store, part, size, hand), askers)
    return found


def said_by_people() -> list[Said]:
    """Return what the people say that training learns from."""
    asked = [
        (recall_prompt.question(prompt.text), prompt.kind not in training.GENERAL)
        for person in training.read(training.WORK)
        for prompt in person.prompts
    ]
    return [said(words, about_work=about_work) for words, about_work in asked if words]


def said(words: str, *, about_work: bool) -> Said:
    """Return what a prompt says by its text alone."""
    traits = np.array(wording.traits(words))
    phrases = wording.phrases(words)
    places = np.array(sorted(phrases), np.int64)
    counts = np.array([phrases[place] for place in sorted(phrases)])
    return Said(_meaning(words), traits, places, counts, about_work)


def _nobodys() -> list[Prompt]:
    """Return the prompts of nobody in particular."""
    kinds = {"own": OTHERS, "general": GENERAL}
    lines = PROMPTS.read_text(encoding="utf-8").splitlines()
    pairs = (line.split("\t", 1) for line in lines)
    return [
        questions.Prompt(str(number), kinds[kind], text.replace("\\n", "\n"), "", frozenset())
        for number, (kind, text) in enumerate(pairs)
    ]


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
        yield _case(scene, scene.owner.name, prompt, prompt.project)
    for asker in people:
        for number, prompt in enumerate(asker.prompts):
            if asker.name != scene.owner.name and (scene.size == OWN or not number % ASIDE):
                yield _case(scene, asker.name, prompt, projects[number % len(projects)])
    for number, prompt in enumerate(scene.dealt):
        yield _case(scene, NOBODY, prompt, projects[number % len(projects)])


def _case(scene: Scene, asker: str, prompt: Prompt, project: str) -> Case:
    words = recall_prompt.question(prompt.text)
    most = recall_prompt.CANDIDATES
    query = recall.Query(words, project, PRESENT, most, floor=True)
    noted: list[tuple[floor.Floor, list[Hit]]] = []
    recall.search(scene.store.connection(), query, partial(Noted, noted))
    gold = scene.store.gold(prompt) if asker == scene.owner.name else set()
    least, hits = noted[0] if words and noted else (None, [])
    traits = [least.of_memory(hit) for hit in hits] if least else []
    return Case(
        scene.owner.name,
        asker,
        prompt.kind,
        scene.size,
        said(words, about_work=prompt.kind not in NOTHING),
        np.array(traits).reshape(-1, len(floor.MEMORY)),
        np.array([float(hit.memory.local_no in gold) for hit in hits]),
    )


def _meaning(text: str) -> Numbers:
    found = meaning.asked(text)
    return (np.array(list(found)) - ZERO) / UNIT if found else np.zeros(DIMENSIONS)
