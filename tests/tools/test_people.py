"""The people that training learns from are well told, and are not those that it is judged by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from claude_memory.memory import CATEGORIES
from claude_memory.store.embedding import DIMENSIONS, Embedding

from bench import questions
from bench.questions import Note, Person, Prompt
from tools import people
from tools.static_embedding import tune

if TYPE_CHECKING:
    from pathlib import Path

WANTS_NOTHING = {"unanswered", *people.GENERAL}
KINDS = {
    people.WORK: {
        *("exact", "identifier", "paraphrase", "preference", "several", "correction"),
        *("temporal", "language", *WANTS_NOTHING),
    },
    people.LIVES: {"question"},
}
EVERYBODY = [one for folder in KINDS for one in people.read(folder)]


def test_there_are_people_of_both_kinds() -> None:
    """Hundreds of them, each with a name of its own."""
    names = [one.name for one in EVERYBODY]
    assert len(names) == len(set(names)) > 300


@pytest.mark.parametrize("folder", KINDS)
def test_people_are_well_told(folder: str) -> None:
    """Numbers ascend, what is replaced came before, and prompts need what they can see."""
    for person in people.read(folder):
        assert [int(one.id) for one in person.notes] == [*range(1, len(person.notes) + 1)]
        assert all(int(one.supersedes or 0) < int(one.id) for one in person.notes)
        assert {one.category for one in person.notes} <= set(CATEGORIES)
        live = {one.id: one for one in people.live(person)}
        for prompt in person.prompts:
            assert prompt.kind in KINDS[folder]
            assert (prompt.kind in WANTS_NOTHING) == (not prompt.gold), (person.name, prompt)
            seen = (people.is_seen(live[number], prompt) for number in prompt.gold)
            assert all(seen), (person.name, prompt)


def test_line_is_read_as_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its newlines; what holds everywhere has no project."""
    (tmp_path / "some").mkdir()
    lines = ["M\t1\t*\t1\tfacts\ta,b\t\tone\\ntwo", "P\tseveral\tb\t1,2\tthree\\nfour"]
    (tmp_path / "some" / "ann.tsv").write_text("\n".join(lines), encoding="utf-8")
    monkeypatch.setattr(people, "FOLDER", tmp_path)
    note = Note("1", "one\ntwo", "1", "facts", "a,b", "global", "")
    prompt = Prompt("0", "several", "three\nfour", "b", frozenset("12"))
    assert people.read("some") == [Person("ann", "some", (note,), (prompt,))]


def test_nobody_is_judged_by_what_was_learned() -> None:
    """No text of the evaluation set is among those that training sees."""
    judged = _texts([one for split in questions.SPLITS for one in questions.own(split)])
    assert not judged & _texts(EVERYBODY)


def _texts(among: list[Person]) -> set[str]:
    kept = {note.content for one in among for note in one.notes}
    return kept | {prompt.text for one in among for prompt in one.prompts}


def test_prompt_comes_nearer_to_what_it_needs() -> None:
    """And not to what was replaced, or holds in another project."""
    texts = {1: "sqlite is used", 2: "postgres is used", 3: "tests run on windows", 4: "red"}
    notes = (
        Note("1", texts[1], "", project="a"),
        Note("2", texts[2], "", project="a", supersedes="1"),
        Note("3", texts[3], ""),
        Note("4", texts[4], "", project="b"),
    )
    prompts = (
        Prompt("1", "exact", "database", "a", frozenset("2")),
        Prompt("2", "general", "explain trees", "a", frozenset()),
    )
    embedding = Embedding()
    learned = tune.case(Person("somebody", "", notes, prompts), embedding)
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
