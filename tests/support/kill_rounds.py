"""Kills servers in the middle of their work and compares what is left with what was promised.

Each round, a few sessions work on one long-lived store until they are killed. Whatever was
answered must be there; the one call of each that got no answer was either done wholly or not at
all. Used by the tests and by the benchmark.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from tests.support.sessions import Died, Session, assert_sound, rows

if TYPE_CHECKING:
    from pathlib import Path


class State(NamedTuple):
    """What the store holds of one memory."""

    content: str
    live: int
    earlier: int


class Tally(NamedTuple):
    """How much was done before the kills, and how many calls they cut off."""

    kills: int
    answered: int
    cut_off: int
    half_done: int


GONE = State("", 0, 0)
EARLY = 0.3  # share of victims that are killed while they start
MOST_CALLS = 8  # answers after which the others are killed
START, WORK = 0.2, 0.02  # seconds within which they are killed then


class Victim:
    """One session that changes memories of its own until it is killed."""

    def __init__(self, home: Path, seed: int, known: dict[str, State]) -> None:
        """Work on the memories that this victim's predecessors left."""
        self.known = known
        self.answered = 0
        self.pending: tuple[str, State] | None = None  # label (or "" for a new one), state to be
        self._home = home
        self._random = Random(seed)  # noqa: S311  (to be repeated)

    def live_and_die(self) -> None:
        """Start a server, give it work, and kill it at a random moment."""
        session = _session(self._home)
        is_early = self._random.random() < EARLY
        killer = self._kill_within(session, START) if is_early else None
        calls = self._random.randrange(MOST_CALLS)
        try:
            while True:
                if killer is None and self.answered >= calls:
                    killer = self._kill_within(session, WORK)
                self._change(session)
        except Died:
            if killer is None:  # nobody killed it
                raise
            killer.join()
        finally:
            session.peer.__exit__()

    def _kill_within(self, session: Session, seconds: float) -> threading.Timer:
        killer = threading.Timer(self._random.random() * seconds, session.kill)
        killer.start()
        return killer

    def _change(self, session: Session) -> None:
        live = [label for label, state in self.known.items() if state.live]
        kind = self._random.choice(("store", "store", "update", "delete", "purge"))
        if kind == "store" or not live:
            self._store(session)
            return
        label = self._random.choice(live)
        if kind == "update":
            after = State(self._text(), 1, 1)
            self._done(session, label, after, "memory_update", content=after.content)
        elif kind == "delete":
            self._done(session, label, State("", 0, 1), "memory_delete")
        else:
            self._done(session, label, GONE, "memory_delete", purge=True)

    def _store(self, session: Session) -> None:
        after = State(self._text(), 1, 0)
        self.pending = ("", after)
        label = session.store(after.content)
        self._settle(label, after)

    def _done(self, session: Session, label: str, after: State, tool: str, **more: object) -> None:
        self.pending = (label, after)
        session.done(tool, id=label, **more)
        self._settle(label, after)

    def _settle(self, label: str, after: State) -> None:
        self.known[label] = after
        self.pending = None
        self.answered += 1

    def _text(self) -> str:
        words = [f"w{self._random.randrange(10**6)}" for _ in range(self._random.randrange(4, 200))]
        return f"Note {self._random.getrandbits(64):x}: {' '.join(words)}."


def rounds(home: Path, count: int, seed: int, victims: int = 2) -> Tally:
    """Kill `count` servers, `victims` at a time, and check the store after each time.

    Raises:
        AssertionError: an answered write is lost, a row is half there, or the file is not sound.
    """
    random = Random(seed)  # noqa: S311  (to be repeated)
    known = _first_memory(home)
    answered = cut_off = half_done = kills = 0
    while kills < count:
        batch = [Victim(home, random.getrandbits(64), {}) for _ in range(victims)]
        for place, label in enumerate(known):  # each memory belongs to one victim a round
            batch[(place + kills) % victims].known[label] = known[label]
        with ThreadPoolExecutor(victims) as pool:
            list(pool.map(Victim.live_and_die, batch))
        assert_sound(home)
        half_done += _settled(home, batch)
        known = {label: state for one in batch for label, state in one.known.items()}
        kills += victims
        answered += sum(one.answered for one in batch)
        cut_off += sum(one.pending is not None for one in batch)
    return Tally(kills, answered, cut_off, half_done)


def _session(home: Path) -> Session:
    """Start a session that finds nothing else of the person's."""
    return Session(home, environ={"HOME": str(home), "MEMORY_LEARN": "off"})


def _first_memory(home: Path) -> dict[str, State]:
    with _session(home) as session:
        text = "Note 0: the store is made before anything is killed."
        return {session.store(text): State(text, 1, 0)}


def _settled(home: Path, batch: list[Victim]) -> int:
    """Compare the store with what victims know; return how many cut-off calls had been done."""
    found = _states(home)
    done = 0
    for victim in batch:
        if victim.pending:
            done += _settle_pending(victim, found)
        for label, state in victim.known.items():
            assert found.pop(label, None) == state, label
    assert not found, f"nobody stored {found}"
    return done


def _settle_pending(victim: Victim, found: dict[str, State]) -> bool:
    assert victim.pending
    label, after = victim.pending
    if not label:  # a new memory has its label only if it was stored
        label = next((one for one, state in found.items() if state == after), "")
    if not label or found[label] != after:
        return False
    victim.known[label] = after
    return True


def _states(home: Path) -> dict[str, State]:
    query = (
        "SELECT 'L' || local_no, content, live, EXISTS (SELECT 1 FROM history h "
        "WHERE h.uid = m.uid) FROM memories m"
    )
    return {row[0]: State(*row[1:]) for row in rows(home, query)}
