"""Servers killed at random points: what was answered stays, the rest is whole or absent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.kill_rounds import rounds
from tests.support.promises import promise

if TYPE_CHECKING:
    from pathlib import Path


@promise("store.survives-kills")
@pytest.mark.once
def test_no_answered_write_is_lost_to_a_kill(tmp_path: Path) -> None:
    """60 kills while starting, storing, updating, deleting and purging, on one growing store."""
    tally = rounds(tmp_path, 60, seed=1)
    print(tally)
    assert tally.answered > tally.kills, "the servers hardly worked before they were killed"
    assert tally.cut_off > tally.kills / 4, "the kills hardly hit work"


@promise("store.survives-kills")
@pytest.mark.heavy
@pytest.mark.once
def test_no_answered_write_is_lost_to_500_kills(tmp_path: Path) -> None:
    """The same for longer, four sessions at a time."""
    tally = rounds(tmp_path, 500, seed=2, victims=4)
    print(tally)
    assert tally.half_done, "no call was cut off between its commit and its answer"
