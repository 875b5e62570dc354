"""What memory_recall says about why it found what it gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from claude_memory.errors import NotFound
from claude_memory.store.lines import CUT

from tests.support.desk import Desk

if TYPE_CHECKING:
    from pathlib import Path


def test_recall_explains_itself_on_request(tmp_path: Path) -> None:
    """Words, meaning and score of every memory; nothing of it otherwise."""
    desk = Desk(tmp_path)
    desk.store("Anna has two cats")
    desk.store("Invoices go out on Monday")
    explained = desk.call("memory_recall", context="Anna and her pets", explain=True)
    assert "L1: score " in explained
    assert "words anna, meaning 0." in explained
    assert "meaning" not in desk.call("memory_recall", context="Anna and her pets")


@pytest.mark.parametrize("tool", ["memory_list", "memory_recall"])
def test_long_texts_are_cut_where_an_answer_would_be_too_long_for_a_client(
    tmp_path: Path, tool: str
) -> None:
    """They share the room that short ones leave; the id of one as context shows all of it."""
    desk = Desk(tmp_path)
    texts = [f"Report {number} " + "of the day " * 1_400 for number in range(4)]
    for text in (*texts, "A short report " + "of one day " * 450):
        desk.store(text)
    asked = {"context": "report", "limit": 5} if tool == "memory_recall" else {}
    found = desk.call(tool, **asked)
    assert 39_000 < len(found) < 41_000
    assert "A short report" in found
    assert found.splitlines()[-1] == CUT
    lengths = {len(line) for line in found.splitlines() if "…" in line and "Report" in line}
    assert max(lengths) - min(lengths) < 20
    assert texts[2].strip() in desk.call("memory_recall", context="L3")


def test_recall_of_ids_gives_the_memories_that_they_name(tmp_path: Path) -> None:
    """Whole and in their order, whatever they are about; a word beside them makes it a search."""
    desk = Desk(tmp_path)
    long = "Invoices go out on Monday. " + "So it was agreed. " * 100
    desk.store("Anna has two cats")
    desk.store(long)

    found = desk.call("memory_recall", context="L2, l1")
    assert [line.split(" ")[0] for line in found.splitlines()[1:]] == ["L2", "L1"]
    assert long.strip() in found
    assert "Anna" not in desk.call("memory_recall", context="L2 invoices")
    with pytest.raises(NotFound, match="L9"):
        desk.call("memory_recall", context="L9")


@pytest.mark.parametrize("tag", ["Ärzte", "ärzte", "ÄRZTE"])
def test_tag_is_found_in_capitals_and_in_small_letters(tmp_path: Path, tag: str) -> None:
    """Of every alphabet, not of ASCII alone; a part of a tag is none."""
    desk = Desk(tmp_path)
    desk.store("Dr Aue takes new patients", tags="door, Ärzte")
    desk.store("The band plays in May", tags="Ärztebühne")
    assert [one.split(" ")[0] for one in desk.texts(tag=tag)] == ["L1"]
