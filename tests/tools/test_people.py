"""The people that training learns from are well told, and are not those that it is judged by."""

from __future__ import annotations

import numpy as np
import pytest
from claude_memory.memory import CATEGORIES
from claude_memory.store.embedding import DIMENSIONS, Embedding

from bench import questions
from tools import people
from tools.people import Memory, Person, Prompt
from tools.static_embedding import tune

KINDS = {
    people.WORK: {
        *("exact", "identifier", "paraphrase", "preference", "several", "correction"),
        *("temporal", "language", people.UNANSWERED, *people.GENERAL),
    },
    people.LIVES: {"question"},
}
WANTS_NOTHING = {people.UNANSWERED, *people.GENERAL}
EVERYBODY = [(folder, one) for folder in KINDS for one in people.read(folder)]


def test_there_are_people_of_both_kinds() -> None:
    """Hundreds of them, each with a name of its own."""
    names = [one.name for _, one in EVERYBODY]
    assert len(names) == len(set(names)) > 300


@pytest.mark.parametrize("folder", KINDS)
def test_people_are_well_told(folder: str) -> None:
    """Numbers ascend, what is replaced came before, and prompts need what they can see."""
    for person in people.read(folder):
        assert [one.number for one in person.memories] == [*range(1, len(person.memories) + 1)]
        assert all(one.replaces < one.number for one in person.memories)
        assert {one.category for one in person.memories} <= set(CATEGORIES)
        places = {one.number: one.project for one in person.live()}
        for prompt in person.prompts:
            assert prompt.kind in KINDS[folder]
            assert (prompt.kind in WANTS_NOTHING) == (not prompt.gold), (person.name, prompt)
            seen = {places[number] for number in prompt.gold}
            assert seen <= {prompt.project, people.EVERYWHERE}, (person.name, prompt)


def test_nobody_is_judged_by_what_was_learned() -> None:
    """No text of the evaluation set is among those that training sees."""
    judged = {
        text
        for split in questions.SPLITS
        for one in questions.own(split)
        for text in (*(note.content for note in one.notes), *(ask.text for ask in one.prompts))
    }
    learned = {
        text
        for _, one in EVERYBODY
        for text in (*(note.content for note in one.memories), *(ask.text for ask in one.prompts))
    }
    assert not judged & learned


def test_prompt_comes_nearer_to_what_it_needs() -> None:
    """And not to what was replaced, or holds in another project."""
    texts = {1: "sqlite is used", 2: "postgres is used", 3: "tests run on windows", 4: "red"}
    wanted = Memory(2, "a", "facts", 1, texts[2])
    memories = (
        Memory(1, "a", "facts", 0, texts[1]),
        wanted,
        Memory(3, "*", "facts", 0, texts[3]),
        Memory(4, "b", "facts", 0, texts[4]),
    )
    prompts = (Prompt("exact", "a", (2,), "database"), Prompt("general", "a", (), "explain trees"))
    embedding = Embedding()
    learned = tune.case(Person("somebody", memories, prompts), embedding)
    assert [len(one) for one in learned.memories] == [3, 4, 1]  # tokens of 2, 3 and 4
    assert learned.seen.tolist() == [[True, True, False]]
    assert learned.wanted.tolist() == [[True, False, False]]

    chance = np.random.default_rng(1)
    count = max(number for text in texts.values() for number in embedding.tokens(text)) + 30_000
    begun = chance.normal(size=(count, DIMENSIONS)).astype(np.float32) / DIMENSIONS**0.5
    rows = tune.tuned(begun, [learned])

    def alike(table: tune.Floats, number: int) -> float:
        one, other = (
            table[list(embedding.tokens(text))].sum(axis=0) for text in ("database", texts[number])
        )
        return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))

    nearer = {number: alike(rows, number) - alike(begun, number) for number in texts}
    assert nearer[2] > 0.001 > nearer[3]
    assert np.array_equal(rows, tune.tuned(begun, [learned]))
