"""One run: a seeded world, its faults and its people, step by step; then quiet, and a reckoning."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from claude_memory.store import feed
from claude_memory.store.connection import write

from tests.sim import invariants as hold
from tests.sim.actions import Hand
from tests.sim.files import marks
from tests.sim.ledger import Broken, Ledger
from tests.sim.machines import ENDED, Machine, Session
from tests.sim.network import Crash, Network
from tests.sim.server import BEGIN, USERS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.sim.files import Seen
    from tests.sim.network import Line, Sent
    from tests.sim.server import Account, Answer, SimulatedServer


@dataclass
class Page:
    """The last page that a session has been given, and what the server held then."""

    account: str
    cursor: str
    version: int
    live: Mapping[str, int]


class World:
    """Everything of one run."""

    def __init__(self, server: SimulatedServer, seed: int, folder: Path) -> None:
        """Set it up; the same seed makes the same world."""
        self.seed, self.server = seed, server
        self.chance = Random(seed)  # noqa: S311  (to be repeated)
        self.now = BEGIN
        self.ledger = Ledger()
        self.trace: list[str] = []
        server.begin()
        self.user_of = server.users()
        self.network = Network(server, self.chance, self._watch)
        self.pages: dict[str, Page] = {}
        self.hurt: set[str] = set()  # files that were damaged
        self.is_backed_up = False
        self.features = {name for name in FEATURES if self.chance.random() < 0.5}
        self.machines = [self._machine(folder, name) for name in "ABCDE"[: 3 + seed % 3]]
        self.sessions = [one for machine in self.machines for one in machine.sessions]

    def _machine(self, folder: Path, name: str) -> Machine:
        skew = timedelta(seconds=self.chance.choice((0, 0, -40, 3_000, -90_000, 86_000)))
        home = folder / name
        machine = Machine(name, home, self, skew)
        if self.chance.random() < 0.8 or name == "A":
            self._give_key(machine, USERS[0] if name in "AB" else self.chance.choice(USERS))
        count = self.chance.choice((1, 2))
        machine.sessions += [Session(machine, one, self.network) for one in range(1, count + 1)]
        return machine

    def _give_key(self, machine: Machine, user: str) -> None:
        keys = sorted(key for key, owner in self.server.keys.items() if owner == user)
        machine.take_key(self.chance.choice(keys), user)

    def say(self, text: str) -> None:
        """Add a line to the trace."""
        self.trace.append(text)

    # Faults and people

    def run(self, steps: int) -> None:
        """Go through the steps, then through the quiet at the end."""
        for number in range(steps):
            self.now += timedelta(seconds=self.chance.expovariate(0.2))
            what = self.chance.choices(NAMES, WEIGHTS)[0]
            if what in FEATURES and what not in self.features:
                what = "sync"
            self.say(f"{number}")
            STEPS[what](self)
        self.finish()

    def sync(self) -> None:
        """Let one syncer make a step, or two of a machine several in turn."""
        first = self._session(with_key=True)
        if first is None or first.machine.sleeps > len(self.trace):
            return
        for _ in range(self.chance.choice(BURSTS)):
            session = self.chance.choice(first.machine.sessions)
            if session.is_between() or not session.wait() or self.chance.random() < 0.1:
                self.advance(session)

    def advance(self, session: Session) -> str:
        """Make one step of a syncer, and look at what it has done."""
        step = session.step
        try:
            made = session.advance()
        except Crash:
            made = f"{step}, crash on the way"
            self._crash(session)
        self.say(f"{session.name} {made} {' '.join(self.network.told)}")
        self.network.told.clear()
        self.ledger.told(session.line.acknowledged)
        session.line.acknowledged.clear()
        self._look(session.machine, engine=True)
        if made.startswith("apply"):
            self._check_page(session)
        return made

    def overtake(self) -> None:
        """Let a session write and push while another of its store has a last page in hand."""
        pair = self._pair()
        if not pair:
            return
        slow, quick = pair
        if self.chance.random() < 0.5:
            self._ask_for_all(slow)
        self._go_on(slow, lambda: slow.step == "apply" and slow.name in self.pages)
        self._act_at(quick)
        self._go_on(quick, lambda: quick.step == "pull")
        self.advance(slow)

    def _pair(self) -> list[Session]:
        """Choose two sessions of one store, in some order; none where no machine has two."""
        shared = [one for one in self.machines if one.key and len(one.sessions) > 1]
        machine = self.chance.choice(shared) if shared else None
        if machine is None or machine.sleeps > len(self.trace):
            return []
        return self.chance.sample(machine.sessions, 2)

    def _go_on(self, session: Session, is_there: Callable[[], bool]) -> None:
        """Let a syncer go on until it is there, or a pass has come to its end without that."""
        for _ in range(LONGEST_WAY):
            if is_there() or self.advance(session).endswith(ENDED):
                return

    def act(self) -> None:
        """Let somebody do something at a session."""
        session = self._session()
        assert session is not None
        self._act_at(session)

    def _act_at(self, session: Session) -> None:
        self._look(session.machine)
        machine, path = session.machine, session.path
        self._look(machine)
        hand = Hand(
            self.chance,
            self.ledger,
            session.service,
            machine.name,
            machine.user,
            path,
            machine.last[path],
        )
        self.say(f"{session.name} {hand.act()} {' '.join(one.mark for one in hand.written)}")
        self._look(machine)
        hand.note(machine.last[path])

    def crash(self) -> None:
        """Kill a session."""
        session = self._session()
        assert session is not None
        self.say(f"{session.name} is killed before {session.step or 'anything'}")
        self._crash(session)

    def _crash(self, session: Session) -> None:
        session.crash()
        self._check_views(session.machine)

    def late(self) -> None:
        """Let an old request arrive."""
        if self.network.late:
            self.say("an old request arrives")
            self.network.deliver_late(self.chance.randrange(len(self.network.late)))

    def weather(self) -> None:
        """Change how much trouble there is on the way."""
        self.network.trouble = self.chance.choice((0.0, 0.1, 0.3, 0.6, 1.0))
        self.say(f"trouble {self.network.trouble}")

    def pass_time(self) -> None:
        """Let minutes or hours pass."""
        self.now += timedelta(seconds=self.chance.choice((60, 1_000, 4_000, 40_000)))

    def switch_key(self) -> None:
        """Give a machine another key, or its first one."""
        machine = self.chance.choice(self.machines)
        user = self.chance.choice((*USERS, *USERS, ""))
        if user:
            self._give_key(machine, user)
        else:
            machine.take_key("", "")
        self.say(f"{machine.name} works for {user or 'nobody'}")

    def keeper(self) -> None:
        """Let the server's keeper of secrets come and go."""
        keeper = self.server.keeper
        keeper.is_down = self.chance.random() < 0.4
        keeper.is_missing = self.chance.random() < 0.3
        self.say(f"keeper down {keeper.is_down} missing {keeper.is_missing}")

    def purge(self) -> None:
        """Purge tombstones, but no record of an operation that may still be sent again."""
        self.network.late.clear()
        for session in self.sessions:
            if session.step == "push":  # its batch may be settled by the other syncer by now
                self._crash(session)
        sent = self.ledger.first_sent
        unsettled = [op["op_id"] for _, _, seen in self.stores() for op in seen.ops]
        before = min((sent[one] for one in unsettled if one in sent), default=self.server.moment())
        self.say(f"purge before {before}")
        self.server.purge(before)

    def back_up(self) -> None:
        """Take a backup of the server."""
        self.say("backup")
        self.server.back_up()
        self.is_backed_up = True

    def restore(self) -> None:
        """Put the last backup in place of the server's data, perhaps while somebody pushes."""
        pair = self._pair()
        if pair and self.chance.random() < 0.4:
            self._restore_under_a_push(*pair)
        elif self.is_backed_up:
            self._restore()

    def _restore_under_a_push(self, slow: Session, quick: Session) -> None:
        """Restore while a session has an answer in hand; the other one learns of it first."""
        self.back_up()
        self._act_at(slow)
        self._go_on(slow, lambda: slow.step == "settle")
        self._restore()
        before = self._epoch(quick)
        self._go_on(quick, lambda: self._epoch(quick) != before)
        self.advance(slow)

    def _epoch(self, session: Session) -> str:
        self._look(session.machine)
        seen = session.machine.last.get(session.path)
        return seen.state.get("epoch", "") if seen else ""

    def _restore(self) -> None:
        self.say("restore")
        self.server.restore()
        accounts = {user: self.server.account(user) for user in USERS}
        tombs = {
            (user, uid)
            for user, account in accounts.items()
            for uid in set(account.rows) - set(account.live)
        }
        texts = {user: account.text for user, account in accounts.items()}
        in_hand = {one.path for one in self.sessions if one.step == "apply"}
        self.ledger.restored(texts, tombs, self.stores(), in_hand)

    def sleep(self) -> None:
        """Close a machine's lid for a while: what is done there is not synced."""
        machine = self.chance.choice(self.machines)
        machine.sleeps = len(self.trace) + self.chance.choice((100, 300, 600))
        self.say(f"{machine.name} is not synced for some time")

    def resync(self) -> None:
        """Let a store ask for everything."""
        session = self._session(with_key=True)
        if session is not None:
            self._ask_for_all(session)

    def _ask_for_all(self, session: Session) -> None:
        if not session.standing().last_ok:
            return
        self.say(f"{session.name} asks for everything")
        with write(session.place.connection()) as connection:
            feed.ask_for_all(connection, session.machine.now())

    def damage(self) -> None:
        """Damage a row that has nothing pending."""
        stores = self.stores()
        if not stores:
            return
        path, user, seen = self.chance.choice(stores)
        pending = {op["uid"] for op in seen.ops}
        found = sorted(uid for uid, row in seen.rows.items() if row["sv"] and uid not in pending)
        if not found:
            return
        uid, kind = self.chance.choice(found), self.chance.choice(sorted(DAMAGES))
        self.say(f"damage {kind} {uid[:13]} in {path[-18:]}")
        with sqlite3.connect(path, isolation_level=None) as connection:
            connection.execute(DAMAGES[kind], (uid,))
        connection.close()
        self.ledger.damage(path, uid, self.server.account(user).text)
        self.hurt.add(path)
        for machine in self.machines:
            self._look(machine)

    # Looking

    def stores(self) -> list[tuple[str, str, Seen]]:
        """Return every store that belongs to an account: path, user and content."""
        found = []
        for machine in self.machines:
            self._look(machine)
            found += [
                (path, self.user_of.get(seen.account, ""), seen)
                for path, seen in machine.last.items()
            ]
        return [one for one in found if one[1]]

    def _look(self, machine: Machine, *, engine: bool = False) -> None:
        for path, before, after in machine.look():
            user = self.user_of.get(after.account, "")
            self.ledger.show(path, after)
            if user:
                hold.i7_kept_with_its_own(self.ledger, user, after)
                self.ledger.bury(
                    user, after, {uid for at, uid in self.ledger.damaged if at == path}
                )
            hold.i6_dead_stay_dead_here(after)
            if before is None:
                continue
            if engine:
                self.ledger.settled(before, after)
            hold.i5_versions_grow(before, after, self._damaged(path))

    def _damaged(self, path: str) -> set[str]:
        return {uid for at, uid in self.ledger.damaged if at == path}

    def _check_views(self, machine: Machine) -> None:
        self._look(machine)
        for path, seen in machine.last.items():
            if seen.account:
                hold.i8_shows_its_view(seen, self._damaged(path))

    def _watch(self, line: Line, sent: Sent, answer: Answer, moment: int) -> None:
        """Look at a request that has reached the server, and at the answer."""
        session: Any = line.owner
        key = sent.headers["authorization"].partition(" ")[2]
        user = self.server.keys.get(key, "")
        hold.i9_no_secret(self.ledger, "an answer", answer.body)
        if sent.body and user:
            hold.i7_sent_to_its_own(self.ledger, user, sent.body)
            hold.i9_sent_sealed_apart(self.ledger, sent.body)
        self.ledger.answered(session.machine.name, user, sent, answer, moment)
        self.trace += [f"  {session.name} {line}" for line in told(sent, answer)]
        if sent.method == "GET" and answer.status == 200 and "/api/memories/sync" in sent.path:
            page = json.loads(answer.body)
            self.pages.pop(session.name, None)
            if not page["has_more"]:
                account = sent.headers["x-memory-account"]
                self.pages[session.name] = Page(
                    account, page["cursor"], page["version"], self.server.live(account)
                )

    def _check_page(self, session: Session) -> None:
        page = self.pages.pop(session.name, None)
        seen = session.machine.last.get(session.path)
        if page is None or seen is None or session.path in self.hurt:
            return
        if seen.state.get("cursor") == page.cursor and seen.account == page.account:
            hold.i4_page_holds_all(seen, page.live, page.version)

    def _session(self, *, with_key: bool = False) -> Session | None:
        found = [one for one in self.sessions if one.machine.key or not with_key]
        return self.chance.choice(found) if found else None

    # The quiet at the end

    def finish(self) -> None:
        """Stop all faults, let everybody sync, and check what must hold then."""
        self.say("quiet")
        self.network.trouble = 0.0
        while self.network.late:
            self.network.deliver_late(0)
        for session in self.sessions:
            session.crash()
            self._check_views(session.machine)
        self._sync_with_keeper_down()
        self.server.keeper.is_down = self.server.keeper.is_missing = False
        self.now += timedelta(days=2)
        for turn in range(ROUNDS):
            version = self.ledger.pushed
            for machine in self.machines:
                self._visit(machine, machine.sessions[: None if not turn else 1])
            if turn and self.ledger.pushed == version:
                break
        else:
            raise Broken("I10", "the clients keep sending")
        self._reckon()

    def _sync_with_keeper_down(self) -> None:
        """What can go on without the keeper of secrets must."""
        if not self.chance.random() < 0.3:
            return
        self.server.keeper.is_missing, self.server.keeper.is_down = False, True
        for machine in self.machines:
            if machine.key:
                self.now += timedelta(days=1)
                self._to_idle(machine.sessions[0])
                self._look(machine)
                seen = machine.last[machine.sessions[0].path]
                sealed = {op["uid"] for op in seen.ops if op["sealed"]}
                hold.i11_nothing_waits_for_another(seen, sealed)

    def _visit(self, machine: Machine, sessions: list[Session]) -> None:
        """Sync whatever a machine holds, with each key that was ever used there."""
        present = machine.key, machine.user
        for key, user in [*machine.keys.items(), present]:
            if key:
                if key != machine.key:
                    machine.take_key(key, user)
                for session in sessions:
                    self._to_idle(session)
        if present != (machine.key, machine.user):
            machine.take_key(*present)

    def _to_idle(self, session: Session) -> None:
        """Run passes until nothing is left to do."""
        machine = session.machine
        self._look(machine)
        backlog = sum(len(seen.ops) for seen in machine.last.values())
        cycles = 0
        while True:
            while not self.advance(session).endswith(ENDED):
                pass
            cycles += 1
            hold.i10_idle_soon(cycles, backlog, 1 if machine.name in self.hurt else BATCH)
            stands = session.standing()
            if stands.state == "ready" and not self._has_more(session):
                return
            self.now += timedelta(seconds=session.wait() + 1_000)

    def _has_more(self, session: Session) -> bool:
        self._look(session.machine)
        seen = session.machine.last[session.path]
        return seen.cursor is None or any(
            op["state"] == "queued" and not self.server.keeper.is_down for op in seen.ops
        )

    def _stores_of(self, machine: Machine) -> list[tuple[str, str, Seen]]:
        self._look(machine)
        return [
            (path, self.user_of.get(seen.account, ""), seen) for path, seen in machine.last.items()
        ]

    def _reckon(self) -> None:
        """Check every invariant that holds once all is quiet."""
        accounts = {user: self.server.account(user) for user in USERS}
        stores = [
            (machine.name, user, seen)
            for machine in self.machines
            for _, user, seen in self._stores_of(machine)
            if user
        ]
        for _, user, seen in stores:
            hold.i8_shows_its_view(seen)
            hold.i1_equal(seen, accounts[user])
            hold.i4_page_holds_all(seen, accounts[user].live, accounts[user].version)
        hold.i3_sent_once(self.ledger)
        hold.i2_no_edit_lost(self.ledger, accounts, stores)
        hold.i14_comes_back(self.ledger, accounts)
        for user, account in accounts.items():
            kept = [
                (machine.name, machine.stores[path].kept_marks())
                for machine in self.machines
                for path, owner, _ in self._stores_of(machine)
                if owner == user
            ]
            hold.i15_purged_is_gone(self.ledger, account, kept)
            hold.i4_counted(account)
            hold.i3_one_effect(self.ledger, user, account)
            hold.i6_dead_stay_dead(self.ledger, user, account)
            hold.i13_no_unseen_value_replaced(self.ledger, account)
            hold.secrets_can_be_opened(self.ledger, account, self._opened(user, account))
            hold.i9_no_secret(self.ledger, "the database", account.text.encode())
        hold.i9_no_secret(self.ledger, "the log", self.server.logs.getvalue().encode())
        for machine in self.machines:
            hold.i9_no_secret_in_files(self.ledger, machine.home)

    def _opened(self, user: str, account: Account) -> dict[str, str]:
        """Open every secret of an account; what cannot be opened is empty."""
        found = {}
        for uid in sorted(account.live):
            row = account.rows[uid]
            found[uid] = ""
            if row["secret"] is not None:
                answer = self.server.asked(user, "POST", f"/api/memories/{uid}/secret")
                found[uid] = answer["content"]
        return found

    def close(self) -> None:
        """End every session."""
        for machine in self.machines:
            machine.close()


ROUNDS = 6
BURSTS = (1, 1, 1, 1, 1, 1, 1, 6)  # steps of the syncers of one machine
BATCH = 200
LONGEST_WAY = 60  # steps of a syncer until it has the last page
STEPS: dict[str, Callable[[World], None]] = {
    "sync": World.sync,
    "overtake": World.overtake,
    "act": World.act,
    "late": World.late,
    "crash": World.crash,
    "weather": World.weather,
    "pass time": World.pass_time,
    "key": World.switch_key,
    "keeper": World.keeper,
    "purge": World.purge,
    "backup": World.back_up,
    "restore": World.restore,
    "damage": World.damage,
    "resync": World.resync,
    "sleep": World.sleep,
}
WEIGHTS_OF = {
    "sync": 600,
    "overtake": 8,
    "act": 220,
    "late": 30,
    "crash": 40,
    "weather": 12,
    "pass time": 20,
    "key": 12,
    "keeper": 12,
    "purge": 10,
    "backup": 10,
    "restore": 12,
    "damage": 10,
    "resync": 12,
    "sleep": 8,
}
NAMES, WEIGHTS = list(WEIGHTS_OF), list(WEIGHTS_OF.values())
FEATURES = ("key", "keeper", "purge", "restore", "damage", "resync", "sleep")
DAMAGES = {
    "lost row": "DELETE FROM memories WHERE uid = ?",
    "low version": "UPDATE memories SET sv = max(1, sv - 2) WHERE uid = ?",
    "high version": "UPDATE memories SET sv = sv + 3 WHERE uid = ?",
    "impossible version": "UPDATE memories SET sv = sv + (1 << 50) WHERE uid = ?",
    "changed text": "UPDATE memories SET content = 'damaged' WHERE uid = ? AND live = 1",
}


def told(sent: Sent, answer: Answer) -> list[str]:
    """Say in short what was sent and answered."""
    if answer.status != 200:
        return [f"{sent.method} {answer.status} {answer.body[-200:].decode('utf-8', 'replace')}"]
    body = json.loads(answer.body)
    if sent.method == "POST":
        ops = json.loads(sent.body or b"{}")["ops"]
        return [told_of(op, one) for op, one in zip(ops, body["results"], strict=True)]
    if "memories" in body:
        rows = [f"{row['uid'][:13]}@{row['version']}" for row in body["memories"]]
        return [f"page to {body['version']}{'' if body['has_more'] else ', the last'}: {rows}"]
    return [f"hello {body['account_id']}"]


def told_of(op: dict[str, Any], result: dict[str, Any]) -> str:
    """Say in short what became of an operation."""
    texts = " ".join(sorted(marks(op)))
    secret = "with a secret " if "secret" in op["body"] else ""
    version = (result.get("current") or {}).get("version")
    return (
        f"{op['op_id'][:8]} {op['kind']} {op['uid'][:13]} base {op['base']} {texts} {secret}"
        f"{result['status']} {result.get('code') or ''} {version}"
    )
