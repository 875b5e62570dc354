"""The floor weighs what it was fitted to, and knows what it kept back."""

from __future__ import annotations

from pathlib import Path

import pytest
from claude_memory.store import calibration, floor, recall, wording
from claude_memory.store.embedding import DIMENSIONS, Embedding

from tests.support.stores import NOW, opened, put


def test_every_trait_has_its_weight() -> None:
    """And one weight stands alone: a trait without a weight would push the others aside."""
    assert len(calibration.MEMORY) == len(floor.MEMORY) + 1
    assert len(calibration.QUESTION) == len(floor.QUESTION) + 1
    assert len(calibration.WORDING) == len(wording.traits("")) == len(wording.NAMES)


def test_what_was_kept_back_is_known(tmp_path: Path) -> None:
    """So that somebody can be told why."""
    store = opened(tmp_path)
    put(store, "The deploy region is eu-north-7")
    put(store, "Anna waters the plants of the region on Mondays")
    query = recall.Query("Which deploy region?", "", NOW, limit=9, floor=True)
    floors = []

    def noted(*question: object) -> floor.Floor:
        floors.append(floor.Floor(*question))  # type: ignore[arg-type]
        return floors[-1]

    [hit] = recall.search(store, query, noted)
    assert hit.memory.content == "The deploy region is eu-north-7"
    assert [one.memory.content[:4] for one in floors[0].cut] == ["Anna"]


def test_floor_was_fitted_to_the_table_that_is_shipped() -> None:
    """The direction of own work is one of this table's meanings, and of no other's."""
    table = Embedding()
    assert table.model == calibration.MODEL
    assert len(calibration.OWN_WORK) == DIMENSIONS


def test_every_place_of_a_phrase_has_its_weight() -> None:
    """What was fitted is for phrases that are cut and counted like those of today."""
    assert Path(wording.PATH).stat().st_size == wording.SIZE
    near = ("who", "mows", "5", "?", "^ who", "who mows", "mows 5", "5 ?", "? $")
    framed = ("^^ who", "^^ who mows", "^^ who mows 5", "? $$", "5 ? $$")
    far = ("^ who mows", "who mows 5", "mows 5 ?", "5 ? $")
    between = ("^ * mows", "who * 5", "mows * ?", "5 * $")
    pairs = ("2 ^ who", "2 who x", "2 x 9", "2 9 ?", "2 ? $")
    threes = ("3 ^ who x", "3 who x 9", "3 x 9 ?", "3 9 ? $")
    fours = ("4 ^ who x 9", "4 who x 9 ?", "4 x 9 ? $")
    counts = {
        int.from_bytes(one.encode(), "little") % wording.PLACES: len(sort) ** -0.5
        for sort in ((*near, *framed), (*far, *between), (*pairs, *threes, *fours))
        for one in sort
    }
    assert wording.phrases("Who mows 5?") == pytest.approx(counts)
    assert wording.phrases("") == wording.phrases(" \n") == {}


def test_own_work_counts_less_where_there_are_few_memories() -> None:
    """Hardly anything has its answer there; from some dozens on there is no difference."""
    heard = [floor.heard(7.0, total, 2.0) for total in (0, 1, floor.FEW, 20, floor.MANY, 100_000)]
    assert heard[:3] == [2.0] * 3
    assert 2.0 < heard[3] < 7.0
    assert heard[4:] == [pytest.approx(7.0)] * 2
    assert floor.heard(-5.0, 1, 2.0) == floor.heard(-5.0, floor.MANY, 2.0) == -5.0


@pytest.mark.parametrize(
    ("own", "general"),
    [
        ("where do we keep the crash dumps", "where does linux keep crash dumps"),
        ("who signs off the releases", "what is a release train"),
        ("wer gibt die Releases frei", "was ist ein Release auf Deutsch"),
        ("add an endpoint that returns the open orders", "explain what an endpoint is"),
    ],
)
def test_phrases_tell_who_speaks_of_own_work(own: str, general: str) -> None:
    """Of one subject, what has an answer in a memory and what has the same for everybody."""
    assert wording.spoken(own) > wording.spoken(general)


def test_phrases_say_nothing_without_their_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A damaged installation is no reason to fail a prompt."""
    wording._weights.cache_clear()
    monkeypatch.setattr(wording, "PATH", str(tmp_path / "missing.bin"))
    try:
        assert wording.spoken("where do we keep the crash dumps") == 0
    finally:
        wording._weights.cache_clear()
