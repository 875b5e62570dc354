"""Clients that work on shared memories while they, the server and its database are killed.

Every answer is noted. In the end the faults stop, all clients sync until they are idle, and what is
there is compared with what was answered. Used by the test and by the benchmark.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import Counter
from contextlib import ExitStack
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.support.ledger import Ledger
from tests.support.sessions import Died, Session, database, rows
from tests.support.world import COMPARED, World

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.world import Account

    State = tuple[int, dict[str, Any]]  # version and fields

# Which sessions there are: the user and the data folder of each. Two work on one folder.
SESSIONS = (
    ("alice", "laptop"),
    ("alice", "laptop"),
    ("alice", "desk"),
    ("bob", "laptop"),
    ("bob", "desk"),
)
KINDS = ("store", "store", "store", "edit", "edit", "edit", "delete", "restore")
VICTIMS = ("client", "client", "client", "worker", "worker", "server", "database")
PAUSE = 0.2  # seconds between two calls of a session, at most
CALM = (0.5, 3.0)  # seconds between two kills
PATIENCE = 240.0  # seconds until all must be in step


class Outcome(NamedTuple):
    """What was done, and what of it was broken."""

    calls: int
    cut_off: int
    kills: Counter[str]
    broken: list[str]
    seconds_to_idle: float


class Worker:
    """One session after the other on a data folder, each until it is killed."""

    def __init__(self, world: World, place: Place, seed: int, stopped: threading.Event) -> None:
        """Keep where to work."""
        self._world, self._place, self._stopped = world, place, stopped
        self._random = Random(seed)  # noqa: S311  (to be repeated)
        self._name = f"{place.user}-{place.folder.name}-{seed:x}"
        self._made = 0
        self.session: Session | None = None
        self.failure: BaseException | None = None

    def run(self) -> None:
        """Work until it is told to stop."""
        try:
            while not self._stopped.is_set():
                self._live()
        except BaseException as error:  # noqa: BLE001  (raised again by the thread that waits)
            self.failure = error
            self._stopped.set()

    def _live(self) -> None:
        self.session = self._place.open(self._world)
        try:
            while not self._stopped.wait(self._random.uniform(0, PAUSE)):
                self._change(self.session)
        except Died:
            pass
        finally:
            self.session.peer.__exit__()

    def _change(self, session: Session) -> None:
        kind = self._random.choice(KINDS)
        uid = self._someone(is_live=kind != "restore") if kind != "store" else ""
        if not uid:
            self._made += 1
            text = f"Note {self._name}-{self._made} edition 0: {self._random.getrandbits(64):x}."
            self._call(session, "", "store", "memory_store", content=text)
        elif kind == "edit":
            old = self._place.content(uid).split(" edition ")[0]
            text = f"{old} edition {self._name}-{self._random.getrandbits(64):x}."
            tags = self._random.choice(({}, {"tags": f"t{self._random.randrange(9)}"}))
            self._call(session, uid, "edit", "memory_update", id=uid, content=text, **tags)
        elif kind == "delete":
            self._call(session, uid, "delete", "memory_delete", id=uid)
        else:
            self._call(session, uid, "restore", "memory_update", id=uid, restore=True)

    def _call(self, session: Session, uid: str, kind: str, tool: str, **arguments: Any) -> None:
        ledger = self._place.ledger
        one = ledger.begin(self._place.folder.name, uid, kind, arguments.get("content", ""))
        try:
            answer = session.call(tool, **arguments)
        except Died:
            ledger.cut(one)
            raise
        assert "Internal error" not in answer.text, answer.text
        if answer.refused:  # somebody else has deleted it, or there is nothing to go back to
            ledger.refuse(one)
        elif kind == "store":
            ledger.acknowledge(one, self._place.uid_of(answer.text))
        elif kind != "restore":
            ledger.acknowledge(one)

    def _someone(self, *, is_live: bool) -> str:
        """Return a memory that this machine knows, or nothing."""
        found = self._place.rows("SELECT uid FROM memories WHERE live = ? ORDER BY uid", is_live)
        return str(self._random.choice(found)[0]) if found else ""


class Place:
    """One data folder of one user, with what was said to its sessions."""

    def __init__(self, user: str, folder: Path, ledger: Ledger) -> None:
        """Keep whose it is."""
        self.user, self.folder, self.ledger = user, folder, ledger

    def open(self, world: World) -> Session:
        """Start a session here."""
        settings = {"MEMORY_API_URL": world.url, "MEMORY_API_KEY": world.keys[self.user]}
        return Session(self.folder, environ={**settings, "MEMORY_LEARN": "off"})

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Read the store, where there is one yet."""
        return rows(self.folder, query, *values) if database(self.folder).exists() else []

    def content(self, uid: str) -> str:
        """Return the text of a memory."""
        return str(self.rows("SELECT content FROM memories WHERE uid = ?", uid)[0][0])

    def uid_of(self, answer: str) -> str:
        """Return which memory an answer names."""
        label = answer.split("memory ", 1)[1].split(maxsplit=1)[0].rstrip(".:,")
        column = "no" if label[0] == "#" else "local_no"
        found = self.rows(f"SELECT uid FROM memories WHERE {column} = ?", int(label[1:]))
        return str(found[0][0])

    def differences(self, server: Account) -> list[str]:
        """Return in what the store differs from the server."""
        waiting = self.rows("SELECT uid, kind, state, error FROM pending_ops")
        if waiting:
            return [f"not sent: {waiting}"]
        names = ", ".join(COMPARED)
        found = self.rows(f"SELECT uid, sv, {names} FROM memories WHERE live = 1")
        here = {row[0]: (row[1], dict(zip(COMPARED, row[2:], strict=True))) for row in found}
        there = {row.uid: (row.version, row.fields) for row in server.rows.values() if row.lives}
        uids = here.keys() | there.keys()
        wrong = [uid for uid in uids if not _same(here.get(uid), there.get(uid))]
        differing = [f"{uid}: {here.get(uid)} is not {there.get(uid)}" for uid in wrong]
        if digest({uid: version for uid, (version, _) in here.items()}) != server.digest:
            differing.append("the digests differ")
        return differing


def run(folder: Path, seconds: float, seed: int, tell: Callable[[str], None]) -> Outcome:
    """Let clients work and things be killed for some time; compare what is left.

    Raises:
        AssertionError: a tool failed, or something did not come up again.
    """
    random = Random(seed)  # noqa: S311  (to be repeated)
    ledgers = {user: Ledger() for user, _ in SESSIONS}
    places = {one: Place(one[0], folder / "-".join(one), ledgers[one[0]]) for one in SESSIONS}
    world_folder = folder / "world"
    world_folder.mkdir()
    with World(world_folder, sorted(ledgers)) as world:
        stopped = threading.Event()
        workers = [Worker(world, places[one], random.getrandbits(32), stopped) for one in SESSIONS]
        kills = Trouble(world, workers, stopped, random).make(seconds, tell)
        tell("all faults have stopped")
        waited, broken = _until_idle(world, list(places.values()))
        for user, ledger in ledgers.items():
            broken += [f"{user}: {one}" for one in ledger.broken(world.account(user))]
    return Outcome(
        calls=sum(len(one.acknowledged) for one in ledgers.values()),
        cut_off=sum(len(one.cut_off) for one in ledgers.values()),
        kills=kills,
        broken=broken,
        seconds_to_idle=waited,
    )


class Trouble:
    """Kills one thing after the other while sessions work."""

    def __init__(
        self, world: World, workers: list[Worker], stopped: threading.Event, random: Random
    ) -> None:
        """Keep what may be killed."""
        self._world, self._workers = world, workers
        self._stopped, self._random = stopped, random

    def make(self, seconds: float, tell: Callable[[str], None]) -> Counter[str]:
        """Let them work for so long; return what was killed."""
        threads = [threading.Thread(target=one.run) for one in self._workers]
        for thread in threads:
            thread.start()
        kills: Counter[str] = Counter()
        end = time.monotonic() + seconds
        try:
            while time.monotonic() < end and not self._stopped.wait(self._random.uniform(*CALM)):
                kills[self._kill_something()] += 1
                tell(f"{end - time.monotonic():.0f} s to go, killed: {dict(kills)}")
        finally:
            self._stopped.set()
            for thread in threads:
                thread.join()
        for one in self._workers:
            if one.failure is not None:
                raise one.failure
        return kills

    def _kill_something(self) -> str:
        kind = self._random.choice(VICTIMS)
        if kind == "client":
            session = self._random.choice(self._workers).session
            if session is not None:
                session.kill()
        elif kind == "worker":
            self._world.kill_worker(self._random)
        elif kind == "server":
            self._world.kill_api()
        else:
            self._world.kill_database()
        return kind


def _until_idle(world: World, places: list[Place]) -> tuple[float, list[str]]:
    """Open a session on every folder and wait until nothing differs; return how long it took."""
    begun = time.monotonic()
    with ExitStack() as stack:
        sessions = [stack.enter_context(place.open(world)) for place in places]
        while True:
            for session in sessions:
                session.done(
                    "memory_list"
                )  # who asks is told soon: it makes a session look for news
            accounts = {place.user: world.account(place.user) for place in places}
            found = [
                f"{place.user} {place.folder.name}: {one}"
                for place in places
                for one in place.differences(accounts[place.user])
            ]
            waited = time.monotonic() - begun
            if not found or waited > PATIENCE:
                return waited, found
            time.sleep(0.5)


def digest(versions: dict[str, int]) -> str:
    """Return the digest of live memories as the protocol defines it."""
    total = 0
    for uid, version in versions.items():
        found = hashlib.blake2b(f"{uid}:{version}".encode(), digest_size=8).digest()
        total ^= int.from_bytes(found, "big")
    return f"{total:016x}"


def _same(here: State | None, there: State | None) -> bool:
    if here is None or there is None or here[0] != there[0]:
        return False
    return all(_rounded(here[1][name]) == _rounded(there[1][name]) for name in COMPARED)


def _rounded(value: object) -> object:
    return round(value, 6) if isinstance(value, float) else value
