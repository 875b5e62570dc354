"""A stand-in for the user's `claude`, and machines that learn."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.support.learning import Learning
from tests.support.stand_in_claude import StandIn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def claude(tmp_path: Path) -> StandIn:
    """The stand-in for the user's program; it finds nothing until told otherwise."""
    return StandIn(tmp_path / "bin")


@pytest.fixture
def make_machine(tmp_path: Path) -> Iterator[Callable[..., Learning]]:
    """Set up a machine with an empty store, given its program and its environment."""
    with ExitStack() as open_ones:

        def make(program: str = "", **environ: str) -> Learning:
            return open_ones.enter_context(Learning(tmp_path / "data", program, **environ))

        yield make
