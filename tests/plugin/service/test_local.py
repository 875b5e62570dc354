"""What memory_recall says about why it found what it gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
