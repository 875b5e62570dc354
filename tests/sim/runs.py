"""Many runs: here, or in several processes with one PostgreSQL; and hunts for planted faults."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from tests.sim.server import SimulatedServer
from tests.sim.simulation import Failed, simulate
from tests.support.postgres import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    T = TypeVar("T")
    Work = Callable[[SimulatedServer], T]

CHUNK = 5  # runs that a process makes before it reports


class Found(NamedTuple):
    """What became of some runs: how many were made, and what each broken one said."""

    made: int
    broken: tuple[tuple[int, str], ...]


class Caught(NamedTuple):
    """Which invariant noticed a planted fault, and in the how many-th run; none if it is empty."""

    invariant: str
    runs: int


def make(server: SimulatedServer, seeds: Sequence[int], steps: int) -> Found:
    """Make runs one after the other."""
    broken = []
    for seed in seeds:
        try:
            simulate(server, seed, steps)
        except Failed as failure:
            broken.append((seed, str(failure)))
    return Found(len(seeds), tuple(broken))


def hunt(server: SimulatedServer, fault: str, seeds: Sequence[int], steps: int) -> Caught:
    """Plant a fault and make runs until one notices."""
    for count, seed in enumerate(seeds, 1):
        try:
            simulate(server, seed, steps, fault)
        except Failed as failure:
            return Caught(failure.invariant, count)
    return Caught("", len(seeds))


def spread(
    folder: Path, seeds: Sequence[int], steps: int, jobs: int, tell: Callable[[Found], None]
) -> None:
    """Make runs in several processes, and tell of each chunk as it is done."""
    chunks = [seeds[at : at + CHUNK] for at in range(0, len(seeds), CHUNK)]
    work: list[Work[Found]] = [partial(make, seeds=one, steps=steps) for one in chunks]
    for found in _spread(folder, jobs, work):
        tell(found)


def hunt_all(
    folder: Path, faults: Sequence[str], seeds: Sequence[int], steps: int, jobs: int
) -> Iterator[tuple[str, Caught]]:
    """Hunt planted faults in several processes; yield each as it is caught, or not."""
    work: list[Work[tuple[str, Caught]]] = [
        partial(_hunt_one, fault=one, seeds=seeds, steps=steps) for one in faults
    ]
    yield from _spread(folder, jobs, work)


def _hunt_one(
    server: SimulatedServer, *, fault: str, seeds: Sequence[int], steps: int
) -> tuple[str, Caught]:
    return fault, hunt(server, fault, seeds, steps)


def _spread(folder: Path, jobs: int, work: Sequence[Work[T]]) -> Iterator[T]:
    with Server(folder), ProcessPoolExecutor(jobs, initializer=_join, initargs=(folder,)) as pool:
        for done in as_completed([pool.submit(_work, one) for one in work]):
            yield done.result()


_mine: list[SimulatedServer] = []


def _join(folder: Path) -> None:
    """Give this process its own database in the PostgreSQL of all; it goes with the folder."""
    postgres = Server(folder).__enter__()
    _mine.append(SimulatedServer(postgres, f"sim_{os.getpid()}"))


def _work(work: Work[T]) -> T:
    return work(_mine[0])
