"""The bench of recall counts rightly, asks through tool and hook, and writes its page."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from math import log2
from typing import TYPE_CHECKING

import pytest

from bench import (
    ablations,
    asking,
    document,
    filled,
    foreign,
    quality_page,
    questions,
    scores,
    stages,
)
from bench.report import Report

if TYPE_CHECKING:
    from pathlib import Path

    from bench.asking import Findings
    from bench.questions import Person

HANDFUL = 12  # prompts


@pytest.fixture(scope="module")
def people() -> list[Person]:
    """Lend one person of each half, with some of their prompts of every kind."""
    halves = [questions.own(split)[0] for split in questions.SPLITS]
    return [replace(one, prompts=one.prompts[:: len(one.prompts) // HANDFUL]) for one in halves]


@pytest.fixture(scope="module")
def findings(people: list[Person]) -> Findings:
    """Lend what asking them found."""
    return asking.ask(people, Report())


def test_shares_and_places_are_counted() -> None:
    """Two wanted, one at the second place of four."""
    assert scores.recall_at([5, 1, 6, 7], {1, 2}, 1) == 0
    assert scores.recall_at([5, 1, 6, 7], {1, 2}, 2) == 0.5
    assert scores.ndcg([1, 2, 5], {1, 2}, 10) == 1
    assert scores.ndcg([5, 1], {1}, 10) == pytest.approx(1 / log2(3))
    assert scores.ndcg([5], {1}, 10) == 0


def test_interval_holds_the_mean_and_is_the_same_each_time() -> None:
    """Few and far-spread figures give a wide one, equal ones none at all."""
    low, high = scores.interval([0.0, 1.0] * 20)
    assert 0.3 < low < 0.5 < high < 0.7
    assert scores.interval([0.0, 1.0] * 20) == (low, high)
    assert scores.interval([0.25] * 9) == (0.25, 0.25)


def test_every_stage_answers_what_wants_an_answer(people: list[Person], findings: Findings) -> None:
    """Each prompt once by each stage, and once by the hook."""
    wanting = [prompt.id for one in people for prompt in one.prompts if prompt.gold]
    for stage in ("words", "lexctx", "recall"):
        answers = findings.of_stage(stage, *questions.SPLITS)
        assert [answer.prompt for answer in answers] == wanting
    silent = [len(findings.given_in(*questions.SPLITS, silent=is_so)) for is_so in (False, True)]
    assert sum(silent) == sum(len(one.prompts) for one in people)
    assert silent[0] == len(wanting)


def test_exact_words_are_found_by_every_stage_and_given_by_the_hook(findings: Findings) -> None:
    """If not even these come, the bench asks wrongly."""
    for stage in findings.stages():
        found = findings.of_stage(stage, *questions.SPLITS, kind="exact")
        assert quality_page.percent(found, 2) == 100, stage
    given = [one for one in findings.injections if one.kind == "exact"]
    assert all(one.useful == one.wanted for one in given)
    assert all(0 < one.tokens <= 600 for one in given)


def test_superseded_memory_is_answered_by_its_successor(tmp_path: Path) -> None:
    """By the yardsticks as by the plugin: they see the same memories."""
    person = next(one for one in questions.own("dev") if one.name == "mara")
    [prompt] = [one for one in person.prompts if one.id == "mara-correction-02"]
    with filled.fill(person, tmp_path / "home") as store:
        outdated = {store.numbers[note.supersedes] for note in person.notes if note.supersedes}
        for find in stages.stages(store).values():
            found = find(prompt, 10)
            assert store.gold(prompt) <= set(found)
            assert not outdated & set(found)


def test_foreign_memories_lie_in_the_store_and_change_no_number(
    people: list[Person], tmp_path: Path
) -> None:
    """They answer nothing, yet they are found by common words."""
    foreign.fill(tmp_path / "home", (note.content for note in people[1].notes), 500)
    with filled.fill(people[0], tmp_path / "home") as store:
        assert min(store.numbers.values()) == 501
        count = store.connection().execute("SELECT count(*) FROM memories").fetchone()[0]
        assert count == 500 + len(people[0].notes)
        prompt = next(one for one in people[0].prompts if one.kind == "exact")
        assert store.gold(prompt) <= set(store.recall(prompt, 10))


def test_conversations_of_a_folder_become_people(tmp_path: Path) -> None:
    """One for each granularity; a question without evidence in it is left out."""
    turn = {"id": "D1:1", "text": "I moved to Oslo", "date": "2023-05-08", "session": 1}
    obs = {"id": "O1", "text": "Ann moved to Oslo", "date": None, "session": 1}
    query = {"id": "q0", "text": "Where does Ann live?", "category": "single-hop"}
    corpus = {
        "id": "conv-1",
        "memories": {"turn": [turn], "obs": [obs], "session": []},
        "queries": [{**query, "gold": {"turn": ["D1:1"], "obs": []}}],
    }
    (tmp_path / "locomo-x.json").write_text(json.dumps({"corpora": [corpus]}))
    turns, facts = questions.others(tmp_path)
    assert (turns.group, facts.group) == ("locomo-x turn", "locomo-x obs")
    assert [prompt.gold for prompt in turns.prompts] == [{"D1:1"}]
    assert facts.prompts == ()
    assert facts.notes[0].content == "Ann moved to Oslo"


def test_findings_can_be_kept_and_shown(findings: Findings, tmp_path: Path) -> None:
    """What --write puts into the page: every kind, every stage, and what is injected."""
    kept = asking.Findings.read(json.loads(json.dumps(asdict(findings))))
    page = tmp_path / "recall.md"
    page.write_text(f"before\n{document.BEGIN}\nold\n{document.END}\nafter\n")
    document.put(page, quality_page.tables(kept, kept))
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    for row in ("| exact | ", "| all | ", "| words | ", "| lexctx | ", "| recall | "):
        assert row in text
    assert "prompts that want nothing and get something" in text


def test_each_part_is_left_out_by_itself(people: list[Person]) -> None:
    """Recall without it is asked the same and told apart; afterwards everything is as before."""
    found = asking.ask(people, Report(ablations=True))
    assert found.stages() == ["words", "lexctx", "recall"]
    assert found.ablations() == [f"without {part}" for part in ablations.PARTS]
    (usual, without) = (
        [answer.figures for answer in found.of_stage(stage, *questions.SPLITS)]
        for stage in ("recall", "without meaning")
    )
    assert len(usual) == len(without)
    assert usual != without
    again = asking.ask(people, Report())
    assert usual == [answer.figures for answer in again.of_stage("recall", *questions.SPLITS)]
    assert again.ablations() == []
    assert "| without neighbours | " in quality_page.tables(found)
