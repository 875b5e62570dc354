"""The evaluation set is what its README says: labels lead somewhere, paraphrases share no word."""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from claude_memory.memory import CATEGORIES, SCOPES, moment
from claude_memory.redaction.detector import redact
from claude_memory.store import commonness

from bench import questions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.questions import Note, Person, Prompt

PEOPLE = [person for split in questions.SPLITS for person in questions.own(split)]
PROMPTS = [prompt for person in PEOPLE for prompt in person.prompts]
NOTES = [note for person in PEOPLE for note in person.notes]
LEAST = {  # prompts of each kind in each half
    "exact": 25,
    "paraphrase": 40,
    "preference": 30,
    "correction": 15,
    "temporal": 15,
    "several": 20,
    "identifier": 30,
    "language": 25,
    "none": 100,
}
LANGUAGES = {  # what no other language of the set is written with, in memories and in prompts
    "German": r"\b(?:nicht|läuft|jede|wird|werden|dürfen)\b",
    "French": r"\b(?:le|les) \w+ .*\b(?:est|sont|du|par|une)\b",
    "Spanish": r"\b(?:los|del|desde|qué|dónde)\b",
    "Portuguese": r"\b(?:não|têm|são|em|tem|reunião)\b",
    "Swedish": r"\b(?:och|hur|visar|skriv)\b",
    "Russian": r"[а-я]{3}",
    "Japanese": r"[\u3041-\u30ff]",
    "Chinese": r"[的是了我]",
    "Korean": r"[\uac00-\ud7af]",
}
WORD = re.compile(r"[^\W_]+")
SECRET = re.compile(r"(?:AKIA|sk-|ghp_|eyJ|-----BEGIN)|\b[0-9a-f]{32,}\b")


@pytest.fixture(scope="module")
def stems() -> Iterator[Callable[[str], set[str]]]:
    """Cut the words of a text that have content to their stems, as the index does."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE VIRTUAL TABLE t USING fts5(x, tokenize='porter unicode61')")
        connection.execute("CREATE VIRTUAL TABLE v USING fts5vocab(t, instance)")

        def stemmed(text: str) -> set[str]:
            telling = [word for word in WORD.findall(text.lower()) if not commonness.is_stop(word)]
            connection.execute("DELETE FROM t")
            connection.execute("INSERT INTO t VALUES (?)", (" ".join(telling),))
            return {row[0] for row in connection.execute("SELECT term FROM v")}

        yield stemmed


def by_id(person: Person) -> dict[str, Note]:
    """Return the memories of a person by id."""
    return {note.id: note for note in person.notes}


def kind_of(kind: str) -> list[tuple[Person, Prompt]]:
    """Return all prompts of a kind, each with who typed it."""
    return [(one, prompt) for one in PEOPLE for prompt in one.prompts if prompt.kind == kind]


def test_set_is_large_enough_and_every_id_is_its_own() -> None:
    """400 memories, 300 prompts that need one, 150 that need none."""
    assert len({note.id for note in NOTES}) == len(NOTES) >= 400
    assert len({prompt.id for prompt in PROMPTS}) == len(PROMPTS)
    needy = sum(prompt.kind != questions.NONE for prompt in PROMPTS)
    assert needy >= 300
    assert len(PROMPTS) - needy >= 150
    assert len({note.content for note in NOTES}) == len(NOTES)
    assert len({prompt.text for prompt in PROMPTS}) == len(PROMPTS)


@pytest.mark.parametrize("split", questions.SPLITS)
def test_each_half_holds_every_kind(split: str) -> None:
    """What is tuned on one half is judged by the other, so neither may lack a kind."""
    counts = Counter(prompt.kind for one in PEOPLE if one.group == split for prompt in one.prompts)
    assert set(counts) == set(LEAST)
    assert {kind: counts[kind] for kind in LEAST if counts[kind] < LEAST[kind]} == {}


def test_halves_share_no_person_and_no_project() -> None:
    """Else the tuned half would tell about the other."""
    halves = [{p.name for p in PEOPLE if p.group == split} for split in questions.SPLITS]
    assert [len(half) for half in halves] == [5, 5]
    assert not halves[0] & halves[1]
    owners: dict[str, set[str]] = {}
    for person in PEOPLE:
        for note in person.notes:
            owners.setdefault(note.project, set()).add(person.name)
    assert len(owners) == 20
    assert all(len(names) == 1 for names in owners.values())


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.name)
def test_gold_can_be_given_where_it_is_asked_for(person: Person) -> None:
    """It exists, is not superseded, and is seen from the project of the prompt."""
    notes = by_id(person)
    outdated = {note.supersedes for note in person.notes}
    for prompt in person.prompts:
        assert bool(prompt.gold) == (prompt.kind != questions.NONE), prompt.id
        assert not prompt.gold & outdated, prompt.id
        for gold in prompt.gold:
            assert notes[gold].scope == "global" or notes[gold].project == prompt.project, prompt.id
        assert prompt.project in {note.project for note in person.notes}


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.name)
def test_memories_could_have_been_stored_by_the_plugin(person: Person) -> None:
    """Known categories and scopes, in the order of time, and what is replaced comes before."""
    seen: dict[str, str] = {}
    for note in person.notes:
        assert note.category in CATEGORIES
        assert note.scope in SCOPES
        assert note.supersedes in {"", *seen}
        assert max(seen.values(), default="") < note.created_at < questions.PRESENT
        seen[note.id] = note.created_at
    assert moment(max(seen.values())) < moment(questions.PRESENT)


def test_positions_in_a_session_count_from_one() -> None:
    """Neighbours are what was stored just before and after in the same session."""
    for person in PEOPLE:
        path = questions.EVALUATION / person.group / f"{person.name}.memories.jsonl"
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        assert {line["person"] for line in lines} == {person.name}
        last: Counter[str] = Counter()
        for line in lines:
            last[line["session"]] += 1
            assert line["session_seq"] == last[line["session"]], line["id"]


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.name)
def test_paraphrase_shares_no_content_word_with_its_memory(
    person: Person, stems: Callable[[str], set[str]]
) -> None:
    """Only meaning leads from one to the other."""
    notes = by_id(person)
    for prompt in person.prompts:
        if prompt.kind == "paraphrase":
            for gold in prompt.gold:
                held = stems(f"{notes[gold].content} {notes[gold].tags}")
                assert not stems(prompt.text) & held, prompt.id


def test_correction_asks_for_what_superseded_something() -> None:
    """The outdated fact stands in the same store."""
    for person, prompt in kind_of("correction"):
        assert any(by_id(person)[gold].supersedes for gold in prompt.gold), prompt.id


def test_several_needs_more_than_one_memory() -> None:
    """Otherwise it would be one of the other kinds."""
    assert all(len(prompt.gold) > 1 for _, prompt in kind_of("several"))


def test_prompts_without_memory_share_words_with_memories(
    stems: Callable[[str], set[str]],
) -> None:
    """Silence is easy where no word is known; long pasted text is among them, too."""
    silent = kind_of("none")
    words = {one.name: set.union(*(stems(note.content) for note in one.notes)) for one in PEOPLE}
    tempting = [one for person, one in silent if stems(one.text) & words[person.name]]
    assert len(tempting) > 0.75 * len(silent)
    assert sum("\n" in prompt.text for _, prompt in silent) >= 30


@pytest.mark.parametrize("language", LANGUAGES)
def test_language_is_spoken_in_memories_and_in_prompts(language: str) -> None:
    """People do not always write English."""
    pattern = re.compile(LANGUAGES[language], re.IGNORECASE)
    assert any(pattern.search(note.content) for note in NOTES)
    assert any(pattern.search(prompt.text) for prompt in PROMPTS)


def test_nothing_looks_like_a_secret() -> None:
    """A store would redact it, and somebody would have to ask whether it was real."""
    texts = [f"{note.content}\n{note.tags}" for note in NOTES] + [one.text for one in PROMPTS]
    assert [text for text in texts if redact(text).found or SECRET.search(text)] == []
