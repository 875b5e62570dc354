"""The floor weighs what it was fitted to, and knows what it kept back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from claude_memory.store import calibration, floor, recall, wording
from claude_memory.store.embedding import DIMENSIONS, Embedding

from tests.support.stores import NOW, opened, put

if TYPE_CHECKING:
    from pathlib import Path


def test_every_trait_has_its_weight() -> None:
    """And one weight stands alone: a trait without a weight would push the others aside."""
    assert len(calibration.MEMORY) == len(floor.MEMORY) + 1
    assert len(calibration.QUESTION) == len(floor.QUESTION) + 1
    assert len(wording.traits("")) == len(wording.NAMES)


def test_what_was_kept_back_is_known(tmp_path: Path) -> None:
    """So that somebody can be told why."""
    store = opened(tmp_path)
    put(store, "The deploy region is eu-north-7")
    put(store, "Anna waters the plants of the region on Mondays")
    query = recall.Query("Which deploy region?", "", "", 9, "relevance", "", "", NOW, floor=True)
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
