"""Planted faults: each breaks the shipped code in one place, and the simulation has to notice.

A fault replaces a function of the client or the server for the length of a run. What breaks in the
real code is named as the reader would say it; the list stands in docs/reliability.md.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from claude_memory.errors import RemoteUnreachable
from claude_memory.store import bindings, feed, outbox, ownership, replica, seals, state
from claude_memory.store.connection import write
from claude_memory.sync import engine, wire
from claude_memory.sync.files import Files
from claude_memory.sync.remote import Remote

from backend.repositories import changes, epochs
from backend.repositories.rows import Account
from backend.services import feeding
from backend.services.applying import Batch, Outcome
from backend.services.preparing import Preparer, Refusal
from tests.sim.network import Crash

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator
    from random import Random

    Patch = pytest.MonkeyPatch
    Plant = Callable[[Patch, Random], None]

HUGE = 1 << 60
FAULTS: dict[str, Plant] = {}


def fault(says: str) -> Callable[[Plant], Plant]:
    """Add a fault to the list."""

    def add(plant: Plant) -> Plant:
        FAULTS[says] = plant
        return plant

    return add


@contextmanager
def planted(says: str, chance: Random) -> Iterator[None]:
    """Break the code for a while."""
    with pytest.MonkeyPatch.context() as patch:
        FAULTS[says](patch, chance)
        yield


# The list of the protocol


@fault("the cursor is saved before the rows")
def _(patch: Patch, chance: Random) -> None:
    whole = feed.apply

    def torn(connection: Any, asked: Any, rows: Any, cursor: str, *rest: Any, **named: Any) -> bool:
        if feed.place(connection) != asked:
            return False
        state.put(connection, "cursor", cursor)
        connection.execute("COMMIT")
        if chance.random() < 0.3:
            raise Crash
        connection.execute("BEGIN IMMEDIATE")
        state.put(connection, "cursor", asked.cursor)
        return whole(connection, asked, rows, cursor, *rest, **named)

    patch.setattr(feed, "apply", torn)


@fault("the server keeps no record of operations")
def _(patch: Patch, _chance: Random) -> None:
    save = changes.save

    async def none(*_: Any) -> dict[Any, Any]:
        return {}

    async def forgetful(connection: Any, batch: Batch) -> None:
        batch.done.clear()
        await save(connection, batch)

    patch.setattr(changes, "known", none)
    patch.setattr(changes, "save", forgetful)


@fault("an operation that was sent is changed")
def _(patch: Patch, _chance: Random) -> None:
    newest = outbox.newest

    def untouched(connection: sqlite3.Connection, uid: str) -> Any:
        found = newest(connection, uid)
        return found and found._replace(attempts=0)

    patch.setattr(outbox, "newest", untouched)


@fault("refused operations are dropped")
def _(patch: Patch, _chance: Random) -> None:
    patch.setattr(outbox, "reject", lambda at, op, _error: outbox.remove(at, op.op_id))


@fault("the server does not look at the base of an edit")
def _(patch: Patch, _chance: Random) -> None:
    update = Batch._update
    patch.setattr(Batch, "_update", lambda self, op: update(self, replace(op, base=HUGE)))


@fault("whose store it is is not checked")
def _(patch: Patch, _chance: Random) -> None:
    def bind(_self: Files, connection: Any, hello: wire.Hello, now: Any) -> bool:
        if not any(ownership.owner(connection)):
            with write(connection):
                ownership.bind(connection, hello.server_id, hello.account_id, hello.epoch, now)
        return False

    def greet(self: engine.Engine, hello: wire.Hello) -> None:
        self._files.bind(self._connect(), hello, self._now())
        self._hello, self._most = hello, hello.ops_limit

    patch.setattr(Files, "path", lambda self: self._at(bindings.FIRST))
    patch.setattr(Files, "bind", bind)
    patch.setattr(engine.Engine, "_bind", greet)


@fault("what was there before is queued only after the first exchange")
def _(patch: Patch, _chance: Random) -> None:
    pull = engine.Engine._receive

    def bind(connection: Any, server: str, account: str, epoch: str, _now: Any) -> int:
        for key, value in (("server_id", server), ("account_id", account), ("epoch", epoch)):
            state.put(connection, key, value)
        return 0

    def receive(self: engine.Engine) -> Any:
        page = yield from pull(self)
        replica.mend(self._connect(), 0, HUGE, self._now())
        return page

    patch.setattr(ownership, "bind", bind)
    patch.setattr(engine.Engine, "_receive", receive)


@fault("the server never calls a cursor expired")
def _(patch: Patch, _chance: Random) -> None:
    ask = changes.feed

    async def endless(*given: Any, **named: Any) -> Any:
        (*counts, _), rows = await ask(*given, **named)
        return (*counts, 0), rows

    patch.setattr(changes, "feed", endless)


@fault("the server never tells that it was restored")
def _(patch: Patch, _chance: Random) -> None:
    async def anywhere(*_: Any) -> None:
        return None

    patch.setattr(feeding.Feed, "_expected_epoch", lambda _self: None)
    patch.setattr(feeding.Feed, "_check_place", anywhere)


@fault("a pull without a cursor names no epoch")
def _(patch: Patch, _chance: Random) -> None:
    pull = Remote.pull

    def nameless(self: Remote, account: str, epoch: str, cursor: str) -> wire.Page:
        return pull(self, account, epoch if cursor else "", cursor)

    patch.setattr(Remote, "pull", nameless)


@fault("the epoch is read when a push is sent, not when it is marked")
def _(patch: Patch, _chance: Random) -> None:
    push, settle = engine.Engine._push, engine.Engine._settle
    present: dict[str, Any] = {}

    def late(self: engine.Engine, _asked: Any, marked: Any) -> Any:
        present["asked"] = feed.place(self._connect())
        return push(self, present["asked"], marked)

    def anyway(self: engine.Engine, _asked: Any, *rest: Any) -> None:
        settle(self, feed.place(self._connect()), *rest)

    patch.setattr(engine.Engine, "_push", late)
    patch.setattr(engine.Engine, "_settle", anyway)


@fault("of several restores only the newest counts")
def _(patch: Patch, _chance: Random) -> None:
    newest = (
        "SELECT coalesce((SELECT base_version FROM account_epochs WHERE account_id = %(account)s "
        "AND %(epoch)s::uuid IS NOT NULL ORDER BY ordinal DESC LIMIT 1), 0)"
    )
    patch.setattr(epochs, "LOST_AFTER", newest)


@fault("no digest is compared")
def _(patch: Patch, _chance: Random) -> None:
    patch.setattr(feed, "differs", lambda *_: False)


# Our own: the client


@fault("a full dump sweeps away what was pushed meanwhile")
def _(patch: Patch, _chance: Random) -> None:
    sweep = feed.sweep
    patch.setattr(feed, "sweep", lambda at, gen, _version: sweep(at, gen, 1 << 62))


@fault("a full dump sweeps nothing away")
def _(patch: Patch, _chance: Random) -> None:
    patch.setattr(feed, "sweep", lambda *_: 0)


@fault("an older state replaces a newer one")
def _(patch: Patch, _chance: Random) -> None:
    take = replica.take

    def any_state(connection: Any, srv: Any, gen: Any = None, **_: Any) -> bool:
        return take(connection, srv, gen, at=1 << 62)

    patch.setattr(replica, "take", any_state)


@fault("a page is applied although the cursor has moved")
def _(patch: Patch, _chance: Random) -> None:
    whole = feed.apply

    def anyway(connection: sqlite3.Connection, _asked: Any, *rest: Any, **named: Any) -> bool:
        return whole(connection, feed.place(connection), *rest, **named)

    patch.setattr(feed, "apply", anyway)


@fault("an answer from before a restore is settled after it")
def _(patch: Patch, _chance: Random) -> None:
    settle = engine.Engine._settle

    def anyway(self: engine.Engine, _asked: Any, *rest: Any) -> None:
        settle(self, feed.place(self._connect()), *rest)

    patch.setattr(engine.Engine, "_settle", anyway)


@fault("settling an operation drops those behind it")
def _(patch: Patch, _chance: Random) -> None:
    def all_of_it(connection: sqlite3.Connection, op_id: str) -> None:
        connection.execute(
            "DELETE FROM pending_ops WHERE uid = (SELECT uid FROM pending_ops WHERE op_id = ?)",
            (op_id,),
        )

    patch.setattr(outbox, "remove", all_of_it)


@fault("nothing is given back to a restored server")
def _(patch: Patch, _chance: Random) -> None:
    put = outbox.put

    def unless_replay(store: Any, uid: str, kind: str, *rest: Any, **named: Any) -> None:
        if kind != "replay":
            put(store, uid, kind, *rest, **named)

    patch.setattr(outbox, "put", unless_replay)


@fault("deletes are not given back to a restored server")
def _(patch: Patch, _chance: Random) -> None:
    put = outbox.put

    def unless_dead(store: Any, uid: str, kind: str, body: Any, **named: Any) -> None:
        if kind != "replay" or not body["deleted"]:
            put(store, uid, kind, body, **named)

    patch.setattr(outbox, "put", unless_dead)


@fault("an operation that is to be tried again is dropped")
def _(patch: Patch, _chance: Random) -> None:
    patch.setattr(outbox, "postpone", lambda at, op_id, *_: outbox.remove(at, op_id))


@fault("any page with status 200 settles a push")
def _(patch: Patch, _chance: Random) -> None:
    decode = wire.decode_push

    def trusting(body: bytes, ops: Any) -> Any:
        try:
            return decode(body, ops)
        except RemoteUnreachable:
            return tuple(wire.Result(op.op_id, "applied", "", "", None) for op in ops)

    patch.setattr(wire, "decode_push", trusting)


@fault("an edit that lost a conflict is thrown away")
def _(patch: Patch, _chance: Random) -> None:
    patch.setattr(replica, "_shelve", lambda *_: None)


@fault("the next edit builds on whatever is there")
def _(patch: Patch, _chance: Random) -> None:
    def blind(
        connection: sqlite3.Connection, uid: str, _before: Any, _now: Any, after: int
    ) -> None:
        connection.execute(
            "UPDATE pending_ops SET base = ? WHERE base IS NULL AND uid = ?", (after, uid)
        )

    patch.setattr(outbox, "build_on", blind)


@fault("an edit is shown and not queued")
def _(patch: Patch, chance: Random) -> None:
    changed = outbox.changed

    def sometimes(*given: Any) -> None:
        if chance.random() < 0.9:
            changed(*given)

    patch.setattr(outbox, "changed", sometimes)


@fault("changes of a memory that the server deleted are shown")
def _(patch: Patch, _chance: Random) -> None:
    view = replica.view

    def hopeful(srv: Any, ops: Any) -> Any:
        queued = list(ops)
        if srv is not None and not replica.is_live(srv) and queued:
            return dict(queued[-1].body) if "content" in queued[-1].body else None
        return view(srv, queued)

    patch.setattr(replica, "view", hopeful)


@fault("rows are never compared with what follows from the server's state")
def _(patch: Patch, _chance: Random) -> None:
    patch.setattr(replica, "mend", lambda *_: None)


@fault("a version that no server gave is believed")
def _(patch: Patch, _chance: Random) -> None:
    take = replica.take

    def first_known(connection: Any, srv: Any, gen: Any = None, **_: Any) -> bool:
        return take(connection, srv, gen)

    patch.setattr(replica, "take", first_known)
    patch.setattr(feed, "drop_impossible", lambda *_: 0)


@fault("a secret travels in the text")
def _(patch: Patch, _chance: Random) -> None:
    opened = engine.Engine._opened

    def careless(self: engine.Engine, connection: Any, pending: Any) -> Any:
        op = opened(self, connection, pending)
        if op is None or "secret" not in op.body:
            return op
        return op._replace(body={**op.body, "expanded_keywords": op.body["secret"]})

    patch.setattr(engine.Engine, "_opened", careless)


@fault("a secret is not sent")
def _(patch: Patch, _chance: Random) -> None:
    patch.setattr(outbox, "seal", lambda *_: None)
    patch.setattr(seals, "send", lambda *_: None)


@fault("what waits for its account is thrown away")
def _(patch: Patch, _chance: Random) -> None:
    patch.setattr(ownership, "move", lambda *_: 0)


@fault("one refused operation holds up the others")
def _(patch: Patch, _chance: Random) -> None:
    due = outbox.due

    def in_order(connection: Any, now: Any, most: int) -> Any:
        [(first,)] = connection.execute("SELECT min(seq) FROM pending_ops").fetchall()
        return [op for op in due(connection, now, most) if op.seq == first]

    patch.setattr(outbox, "due", in_order)


# Our own: the server


@fault("a memory that was deleted can be made again")
def _(patch: Patch, _chance: Random) -> None:
    update = Batch._update

    def revive(self: Batch, op: Any) -> str:
        row = self._rows.get(op.uid)
        if row is None or row.is_live:
            return update(self, op)
        row.deleted_at = None
        row.content = row.content or "back"
        self.account.count(row.uid, row.version, present=True)
        self._change(row, op)
        return "applied"

    patch.setattr(Batch, "_update", revive)


@fault("the feed leaves out deletes")
def _(patch: Patch, _chance: Random) -> None:
    ask = changes.feed

    async def only_living(*given: Any, **named: Any) -> Any:
        counts, rows = await ask(*given, **named)
        return counts, [row for row in rows if row.is_live]

    patch.setattr(changes, "feed", only_living)


@fault("the server's digest forgets deletes")
def _(patch: Patch, _chance: Random) -> None:
    count = Account.count

    def only_up(self: Account, uid: Any, version: int, *, present: bool) -> None:
        if present:
            count(self, uid, version, present=present)

    patch.setattr(Account, "count", only_up)


@fault("an edit that lost a conflict is not in the history")
def _(patch: Patch, _chance: Random) -> None:
    patch.setattr(Batch, "_lost", lambda *_: "conflict")


@fault("an operation is refused although it was applied before")
def _(patch: Patch, chance: Random) -> None:
    apply, prepare, seen = Batch.apply, Preparer.op, set()

    async def moody(self: Preparer, op: Any) -> Any:
        found, is_again = await prepare(self, op), op.op_id in seen
        seen.add(op.op_id)
        if is_again and chance.random() < 0.5:
            return Refusal(op.op_id, "rejected", "no_keeper", "")
        return found

    def hasty(self: Batch, op: Any) -> Any:
        return Outcome(op.op_id, "refused") if op.kind == "refused" else apply(self, op)

    patch.setattr(Preparer, "op", moody)
    patch.setattr(Batch, "apply", hasty)


@fault("a restored delete gives way to a later edit")
def _(patch: Patch, _chance: Random) -> None:
    def polite(self: Batch, op: Any, row: Any) -> str:
        if row.version > op.replay.lost_after:
            return self._lost(op)
        self._bury(row, forever=False)
        return "applied"

    patch.setattr(Batch, "_replay_delete", polite)


@fault("the last of several replays wins")
def _(patch: Patch, _chance: Random) -> None:
    def last(self: Batch, op: Any) -> str:
        row, told = self._rows.get(op.uid), op.replay
        if row is None:
            return self._replay_missing(op, told)
        if told.deleted or not row.is_live:
            return "applied"
        self._change(row, replace(op, forever=True))
        self._rows[op.uid].replayed_from = told.was
        return "applied"

    patch.setattr(Batch, "_replay", last)
