"""The shipped client and server in a seeded world of faults: the protocol's invariants hold."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from tests.sim.faults import FAULTS, planted
from tests.sim.runs import hunt, make
from tests.sim.simulation import STEPS_OF_A_RUN, Failed, simulate
from tests.support.promises import promise

if TYPE_CHECKING:
    from tests.sim.server import SimulatedServer

RUNS = 10  # of one test
MOST_RUNS = 60  # in which a planted fault has to be noticed
QUICK = (
    "the cursor is saved before the rows",
    "an operation that was sent is changed",
    "whose store it is is not checked",
)


@promise("sync.nothing-is-lost", "sync.deletes-are-final", "sync.accounts-never-mix")
@pytest.mark.parametrize("first", range(1, 50, RUNS))
def test_invariants_hold(server: SimulatedServer, first: int) -> None:
    """Fifty runs, each with another mix of faults; a failure says how to repeat it."""
    assert make(server, range(first, first + RUNS), STEPS_OF_A_RUN).broken == ()


@pytest.mark.heavy
@pytest.mark.parametrize("first", range(51, 300, RUNS))
def test_invariants_hold_in_more_runs(server: SimulatedServer, first: int) -> None:
    """Another two hundred and fifty."""
    assert make(server, range(first, first + RUNS), STEPS_OF_A_RUN).broken == ()


def test_lost_row_that_nobody_else_had_is_not_missed(server: SimulatedServer) -> None:
    """Its only copy was lost on the machine after a restore, before it could be given back."""
    assert make(server, (579,), STEPS_OF_A_RUN).broken == ()


def test_text_refused_on_its_way_need_not_be_on_the_shelf(server: SimulatedServer) -> None:
    """It had lost a conflict before, and that answer was lost: it is refused and shown."""
    assert make(server, (820,), STEPS_OF_A_RUN).broken == ()


@promise("sync.deletes-are-final")
def test_damaged_version_brings_no_memory_back(server: SimulatedServer) -> None:
    """A restore found one that no server gave; the memory was deleted, and nobody knew any more."""
    assert make(server, (903,), STEPS_OF_A_RUN).broken == ()


def test_same_seed_repeats_a_run(server: SimulatedServer) -> None:
    """What a failure says can be seen again, to the last id."""
    said = []
    for _ in range(2):
        with pytest.raises(Failed) as failure:
            simulate(server, 1, fault=QUICK[0])
        said.append(str(failure.value))
    assert said[0] == said[1]


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_can_be_planted(fault: str) -> None:
    """What it replaces is still there, under the same name."""
    with planted(fault, Random(1)):  # noqa: S311  (to be repeated)
        pass


@pytest.mark.parametrize("fault", QUICK)
def test_fault_is_noticed(server: SimulatedServer, fault: str) -> None:
    """Code that is broken in one of the ways that matter most does not pass."""
    assert hunt(server, fault, range(1, MOST_RUNS), STEPS_OF_A_RUN).invariant


@pytest.mark.heavy
@pytest.mark.parametrize("fault", [one for one in FAULTS if one not in QUICK])
def test_each_fault_is_noticed(server: SimulatedServer, fault: str) -> None:
    """Nor in any other way of the list."""
    assert hunt(server, fault, range(1, MOST_RUNS), STEPS_OF_A_RUN).invariant
