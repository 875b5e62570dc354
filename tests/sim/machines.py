"""The machines of a simulation: a data folder each, a key, and one or two sessions that sync.

Everything that works here is shipped code; a session is put together as the plugin does it, with
the clock, the random numbers and the transport of the run.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from claude_memory import paths
from claude_memory.errors import StoreBusy
from claude_memory.keeper import choice
from claude_memory.service.local import LocalService
from claude_memory.service.opening import Opening
from claude_memory.service.place import Place
from claude_memory.service.secrets import Keepers, SecretDoor, Unattended
from claude_memory.settings import Settings
from claude_memory.store.bindings import fingerprint
from claude_memory.sync import standing
from claude_memory.sync.engine import Engine
from claude_memory.sync.files import Files
from claude_memory.sync.remote import Remote

from tests.sim.files import StoreFile
from tests.sim.network import Line, Network

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, timedelta
    from pathlib import Path
    from random import Random
    from typing import Protocol

    from tests.sim.files import Seen

    class World(Protocol):
        """What a machine stands in."""

        now: datetime
        chance: Random
        network: Network


URL = "https://memory.example"
ENDED = "ended"


@dataclass
class Machine:
    """One data folder and who works there."""

    name: str
    home: Path
    world: World
    skew: timedelta
    key: str = ""
    user: str = ""
    sleeps: int = 0  # until the trace is so long
    stores: dict[str, StoreFile] = field(default_factory=dict)
    last: dict[str, Seen] = field(default_factory=dict)  # each store as it was last looked at

    def __post_init__(self) -> None:
        """Prepare the parts that all sessions share."""
        self.folder = str(self.home / "memory")
        self.settings = Settings.from_env({"MEMORY_HOME": str(self.home)})
        self.keepers = Keepers(
            lambda: choice.choose(self.settings),
            lambda sealed: choice.opener(self.settings, sealed),
        )
        self.sessions: list[Session] = []
        self.keys: dict[str, str] = {}  # that were ever used here, and whose they are

    def now(self) -> datetime:
        """Return the time as this machine's clock tells it."""
        return self.world.now + self.skew

    def take_key(self, key: str, user: str) -> None:
        """Restart every session with another key."""
        self.key, self.user = key, user
        if key:
            self.keys[key] = user
        for session in self.sessions:
            session.crash()

    def look(self) -> Iterator[tuple[str, Seen | None, Seen]]:
        """Yield each store that has changed since the last look: path, before and after."""
        there = self._files()
        for gone in [name for name in self.stores if name not in there]:
            self.stores.pop(gone).close()
            self.last.pop(gone, None)
        for name in there:
            if name not in self.stores:
                self.stores[name] = StoreFile(name)
            before, after = self.last.get(name), self.stores[name].look()
            if after is not None and after is not before:
                self.last[name] = after
                yield name, before, after

    def _files(self) -> list[str]:
        try:
            with os.scandir(self.folder) as found:
                return sorted(one.path for one in found if one.name.endswith(".db"))
        except FileNotFoundError:
            return []

    def close(self) -> None:
        """End every session and look no more."""
        for session in self.sessions:
            session.crash()
        for store in self.stores.values():
            store.close()


class Session:
    """One process of the plugin: a person's hands, and a syncer that goes step by step."""

    def __init__(self, machine: Machine, number: int, network: Network) -> None:
        """Start the process; nothing is opened yet."""
        self.machine, self.number = machine, number
        self.line = Line(network, self)
        self.step = ""  # the one that is about to be made
        self._steps: Iterator[str] | None = None
        self._start()

    @property
    def name(self) -> str:
        """Return what the trace calls it."""
        return f"{self.machine.name}{self.number}"

    @property
    def path(self) -> str:
        """Return the file that this session works in."""
        self.place.connection()  # by now it may be another one
        return self.place.database

    def wait(self) -> float:
        """Return for how long the syncer is to keep still."""
        return standing.seconds_to_wait(self.place.connection(), self.machine.now())

    def advance(self) -> str:
        """Make the next step of the syncer; return what was made."""
        if self._steps is None:
            self._steps = self._engine.cycle()
        made = self.step or "begin"
        try:
            self.step = next(self._steps)
        except (StopIteration, StoreBusy) as error:
            self._steps, self.step = None, ""
            return f"{made} {error}, {ENDED}"
        return made

    def is_between(self) -> bool:
        """Tell whether the syncer is in the middle of a pass."""
        return self._steps is not None

    def crash(self) -> None:
        """Kill the process, and start it again."""
        if self._steps is not None:
            self._steps.close()  # type: ignore[attr-defined]
        found = getattr(self.place._shared.mine, "connection", None)
        if found is not None:
            found.close()
        self._start()

    def standing(self) -> standing.Standing:
        """Return how the store stands with its server."""
        return standing.read(self.place.connection())

    def _start(self) -> None:
        machine = self.machine
        mark = fingerprint(URL, machine.key) if machine.key else ""
        files = Files(str(machine.home), mark)
        first = paths.database(str(machine.home))
        self.place = Place(
            locate=files.path if mark else lambda: first,
            home=str(machine.home),
            project="",
            first_session=self.name,
            now=machine.now,
            opening=Opening(str(machine.home), machine.now, machine.keepers.seal),
        )
        door = SecretDoor(self.place, machine.keepers)
        self.service = LocalService(self.place, door, machine.settings)
        remote = Remote(self.line, machine.key)
        chance = machine.world.chance
        secrets = Unattended(self.place, machine.keepers)
        self._engine = Engine(self.place, remote, files, secrets, now=machine.now, chance=chance)
        self._steps, self.step = None, ""
