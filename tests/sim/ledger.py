"""What happened in a run: each text that somebody wrote, and what was promised about it since.

Each text carries a mark of its own, so that it can be found wherever it went. The ledger knows
nothing of how syncing works: it notes what was committed, shown, sent, answered and acknowledged.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.sim.files import TEXTS, Seen, is_live, marks, plain

if TYPE_CHECKING:
    from claude_memory.sync.transport import Response

    from tests.sim.network import Sent
    from tests.sim.server import Answer

    Fields = dict[str, Any]

RECORDED = ("applied", "conflict")  # a refusal is not: later the server may take the operation


class Broken(AssertionError):
    """An invariant does not hold."""

    def __init__(self, invariant: str, what: str) -> None:
        """Keep which one, and what was found."""
        super().__init__(f"{invariant}: {what}")
        self.invariant = invariant


@dataclass
class Text:
    """One text that was written on a machine."""

    mark: str
    uid: str
    name: str  # the field
    machine: str
    user: str  # whose key the machine had; empty before there was one
    path: str  # of the store that it was written to
    secret: str = ""  # the clear text in it that nobody may see
    seen: frozenset[str] = frozenset()  # what this field had said on this machine before
    fate: str = ""  # replaced | purged | damaged
    lost: bool = False  # the server lost it by a restore, and nobody had it any more
    # The rows, path and uid, that still had it when the server lost it by a restore.
    held: set[tuple[str, str]] = field(default_factory=set)


@dataclass
class Sending:
    """An operation as the server first saw it."""

    machine: str
    user: str
    op: Fields
    answers: list[str] = field(default_factory=list)


@dataclass
class Ledger:
    """All that was written, sent and answered in one run."""

    made: int = 0
    texts: dict[str, Text] = field(default_factory=dict)
    secrets: list[str] = field(default_factory=list)
    sendings: dict[tuple[str, int], Sending] = field(default_factory=dict)  # by op and life
    refused: set[str] = field(default_factory=set)  # operations that were called too large
    given_up: set[str] = field(default_factory=set)  # the same, each sent by itself
    first_sent: dict[str, int] = field(default_factory=dict)
    shown: dict[tuple[str, str, str], set[str]] = field(default_factory=dict)
    buried: dict[tuple[str, str], int] = field(default_factory=dict)  # user and uid
    purged: set[str] = field(default_factory=set)
    # Uids that undone deletes made anew, of one memory on several machines.
    heirs: dict[str, set[str]] = field(default_factory=dict)
    revived: set[str] = field(default_factory=set)  # marks that an undo gave to a second memory
    returned: set[str] = field(default_factory=set)  # marks that an undo brought back
    damaged: set[tuple[str, str]] = field(default_factory=set)  # path and uid
    life: int = 0  # restores of the server so far
    pushed: int = 0

    def new_mark(self) -> str:
        """Make a mark that no other text has."""
        self.made += 1
        return f"mark{self.made + 100_000:06d}"

    def claim(self, mark: str, user: str) -> str:
        """Return whose a text is; one of before there was a key is whose account it came to first.

        What belongs to nobody known is the asking account's.
        """
        text = self.texts.get(mark)
        if text is None:
            return user
        text.user = text.user or user
        return text.user

    def is_purged(self, text: Text) -> bool:
        """Tell whether somebody purged the memory of a text, or one that took its place.

        With that goes the past that the server has handed over to it.
        """
        return not self.heirs_of(text.uid).isdisjoint(self.purged)

    def heirs_of(self, uid: str) -> set[str]:
        """Return the uid of a memory, and those of all that took its place."""
        found = {uid}
        while more := set().union(*(self.heirs.get(one, ()) for one in found)) - found:
            found |= more
        return found

    def show(self, path: str, seen: Seen) -> None:
        """Note what a person could see in a store."""
        for uid, row in seen.live().items():
            for name in TEXTS:
                self.shown.setdefault((path, uid, name), set()).add(row[name])

    def what_was_shown(self, path: str, uid: str, name: str) -> frozenset[str]:
        """Return all that a field of a memory ever said in a store."""
        return frozenset(self.shown.get((path, uid, name), ()))

    def replaced(self, before: Seen, after: Seen, uid: str) -> None:
        """Note texts that a later edit took out of the outbox before they were sent, or refused.

        What was sent and not refused may have been applied: nobody may take it out.
        """
        unsent = [
            op
            for op in before.ops_of(uid)
            if not op["attempts"] or op["state"] == "rejected" or self.was_refused(op["op_id"])
        ]
        there = after.pending_marks()
        gone = {
            mark
            for op in unsent
            for name, value in op["body"].items()
            for mark in marks(value) - there
            if _is_overwritten(op, name, [*before.ops_of(uid), *after.ops_of(uid)])
        }
        if not before.account:  # nothing is queued before the account is known
            gone = before.marks_of(uid) - after.marks_of(uid)
        for mark in gone & set(self.texts):
            self.texts[mark].fate = "replaced"

    def cancelled(self, before: Seen, after: Seen, uid: str) -> None:
        """Note the texts of a memory that was deleted before the server ever heard of it."""
        if not after.ops_of(uid) and uid not in after.live():
            for mark in marks([op["body"] for op in before.ops_of(uid)]) & set(self.texts):
                self.texts[mark].fate = "replaced"

    def was_refused(self, op_id: str) -> bool:
        """Tell whether an operation was refused, by the server or on the way to it."""
        found = self.sendings.get((op_id, self.life))
        if op_id in self.refused:
            return True
        return found is not None and found.answers[-1:] == ["rejected"]

    def dismissed(self, before: Seen, after: Seen) -> None:
        """Note edits that lost a conflict and that their author let go of by another edit.

        The server's history has them as well, unless a restore took them from it.
        """
        for op_id in set(before.shelf) - set(after.shelf):
            for mark in marks(before.shelf[op_id]["body"]) & set(self.texts):
                self.texts[mark].lost |= self.life > 0

    def settled(self, before: Seen, after: Seen) -> None:
        """Note what became of operations that an engine took out of the outbox or changed.

        Raises:
            Broken: one that lost a conflict is not on the shelf, and says what the server has not.
                Where the answer was lost, and the operation then called too large, the client
                refused it without knowing; of what was purged nothing is kept.
        """
        there = {op["op_id"] for op in after.ops}
        for op in before.ops:
            if op["op_id"] in there or after.is_purged(op["uid"]):
                continue
            sent = self.sendings.get((op["op_id"], self.life))
            status = sent.answers[-1] if sent and sent.answers else ""
            is_kept = op["op_id"] in {*after.shelf, *self.given_up} or _is_held(op, after)
            if status == "conflict" and not is_kept:
                raise Broken("I2", f"op {op['op_id']} lost a conflict and is not on the shelf")
            if status == "rejected" or op["op_id"] in self.refused:
                self.replaced(before, after, op["uid"])

    def bury(self, user: str, seen: Seen, damaged: set[str]) -> None:
        """Note deletes that the server has acknowledged to a store."""
        for uid in set(seen.rows) - damaged:
            if seen.rows[uid].is_tombstone:
                self.buried[user, uid] = self.life

    def answered(self, machine: str, user: str, sent: Sent, answer: Answer, moment: int) -> None:
        """Note a push that reached the server, and what it answered.

        Raises:
            Broken: one operation got two different answers.
        """
        if sent.method != "POST" or answer.status != 200:
            return
        self.pushed += 1
        results = {one["op_id"]: one["status"] for one in json.loads(answer.body)["results"]}
        for op in json.loads(sent.body or b"{}")["ops"]:
            key = op["op_id"], self.life
            if key not in self.sendings:
                self.sendings[key] = Sending(machine, user, op)
                self.first_sent.setdefault(op["op_id"], moment)
            first = self.sendings[key]
            status = results[op["op_id"]]
            earlier = [one for one in first.answers if one in RECORDED]
            if earlier and status not in {earlier[0], "retry"}:
                raise Broken("I3", f"op {op['op_id']} got {earlier[0]}, and then {status}")
            first.answers.append(status)

    def told(self, answers: list[tuple[Sent, Response]]) -> None:
        """Note what a session was told of its pushes on the way, by whomever."""
        for sent, answer in answers:
            if answer.status == 413 and sent.body:
                found = {op["op_id"] for op in json.loads(sent.body)["ops"]}
                self.refused |= found
                self.given_up |= found if len(found) == 1 else set()

    def damage(self, path: str, uid: str, server_text: str) -> None:
        """Note that a row was damaged, and that it does not hold what the server does not have."""
        self.damaged.add((path, uid))
        for text in self.texts.values():
            if text.mark not in server_text:
                text.held.discard((path, uid))

    def restored(
        self,
        server_text: dict[str, str],
        tombs: set[tuple[str, str]],
        stores: list[tuple[str, str, Seen]],
        about_to_change: set[str],
    ) -> None:
        """Note what a restore of the server lost, and what stores still have of it.

        `server_text` is what each user's account holds after it, `tombs` are its tombstones; a
        store is path, user and content. Those about to change have a page of before in hand.
        """
        self.life += 1
        pending: set[str] = set()
        held: dict[str, set[tuple[str, str]]] = {}
        for path, user, seen in stores:
            pending |= seen.pending_marks()
            for uid, row in seen.rows.items():
                if (path, uid) in self.damaged:
                    continue
                state = row.state
                if path not in about_to_change:
                    _hold(held, (path, uid), marks(_kept(state, seen.ops_of(uid))))
                if state is not None and state.get("deleted_at"):
                    tombs.add((user, uid))
        for text in self.texts.values():
            if text.mark in server_text.get(text.user, "") or text.mark in pending:
                continue
            text.held = held.get(text.mark, set())
            text.lost = True
        self.buried = {key: life for key, life in self.buried.items() if key in tombs}


def _kept(state: Fields | None, ops: list[Fields]) -> Fields:
    """Return what a store will still have of a server's state once its own changes went through."""
    if state is None or not is_live(state) or any(op["kind"] == "delete" for op in ops):
        return {}
    changed = {name for op in ops for name in op["body"]}
    return {name: value for name, value in state.items() if name not in changed}


def _hold(held: dict[str, set[tuple[str, str]]], row: tuple[str, str], found: set[str]) -> None:
    for mark in found:
        held.setdefault(mark, set()).add(row)


def _is_overwritten(op: Fields, name: str, others: list[Fields]) -> bool:
    """Tell whether a later operation, or what became of this one, changes the field again."""
    return any(
        other["kind"] == "delete"
        or (name in other["body"] and other["body"][name] != op["body"][name])
        for other in others
        if other["seq"] >= op["seq"] and other["op_id"] != op["op_id"]
    )


def _is_held(op: Fields, after: Seen) -> bool:
    """Tell whether the server's state is what an operation says: then it has lost nothing."""
    row = after.rows.get(op["uid"])
    srv = json.loads(row["srv"]) if row and row["srv"] else None
    said = op["body"]["fields"] if op["kind"] == "replay" else op["body"]
    if srv is None or not said or op["sealed"] or not is_live(srv):
        return False
    return plain({**srv, **said}) == plain(srv)
