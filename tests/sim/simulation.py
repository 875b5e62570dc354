"""Makes one run of the simulation: the same seed makes the same run, to the last random byte."""

from __future__ import annotations

import gc
import os
import random
import shutil
import tempfile
from contextlib import contextmanager, nullcontext
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from claude_memory.sync import remote

from backend.services import feeding
from tests.sim.faults import planted
from tests.sim.ledger import Broken
from tests.sim.network import Crash
from tests.sim.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sim.server import SimulatedServer

MEMORY = Path("/dev/shm")  # noqa: S108  (a file system in memory, where there is one)
STEPS_OF_A_RUN = 400
TOLD = 60  # lines of the trace


class Failed(AssertionError):
    """A run broke an invariant; says how to repeat it."""

    def __init__(self, invariant: str, text: str) -> None:
        """Keep which invariant."""
        super().__init__(text)
        self.invariant = invariant


def simulate(
    server: SimulatedServer, seed: int, steps: int = STEPS_OF_A_RUN, fault: str = ""
) -> None:
    """Make one run, with a planted fault if one is named.

    Raises:
        Failed: an invariant does not hold, or the code under test fell over.
    """
    place = MEMORY if MEMORY.is_dir() else None
    folder = Path(tempfile.mkdtemp(prefix="claude-memory-sim-", dir=place))
    broken = planted(fault, Random(seed)) if fault else nullcontext()  # noqa: S311
    with _repeatable(seed), _small(seed), _no_collecting(), broken:
        world = World(server, seed, folder)
        try:
            world.run(steps)
        except (Exception, Crash) as error:
            invariant = error.invariant if isinstance(error, Broken) else type(error).__name__
            text = "\n".join([f"seed {seed}, steps {steps}: {error}", *world.trace[-TOLD:]])
            raise Failed(invariant, text) from error
        finally:
            world.close()
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _repeatable(seed: int) -> Iterator[None]:
    """Draw the system's random bytes from the seed as well."""
    real, drawn = os.urandom, Random(seed)  # noqa: S311
    os.urandom = random._urandom = drawn.randbytes  # type: ignore[attr-defined]
    try:
        yield
    finally:
        os.urandom = random._urandom = real  # type: ignore[attr-defined]


@contextmanager
def _no_collecting() -> Iterator[None]:
    """Leave what is no longer used where it is until the run is over."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.collect(1)


@contextmanager
def _small(seed: int) -> Iterator[None]:
    """Let pages and batches be as small as the seed says: they hold for any size."""
    chance = Random(seed)  # noqa: S311
    pages, batches = remote.PAGE_ROWS, feeding.LIMITS["ops"]
    remote.PAGE_ROWS = chance.choice((1, 2, 3, 7, 500))
    feeding.LIMITS["ops"] = chance.choice((1, 2, 5, 200))
    try:
        yield
    finally:
        remote.PAGE_ROWS, feeding.LIMITS["ops"] = pages, batches
