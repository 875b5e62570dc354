"""The invariants of the protocol, each a function of its name; `Broken` says which and what.

Some hold at every moment and are checked after each step; others once all faults have stopped and
every client is idle.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import UUID

from claude_memory.service.secrets import FORCED

from backend.repositories.rows import mark as digest_of
from tests.sim.files import TEXTS, expected, marks, plain
from tests.sim.ledger import Broken

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from tests.sim.files import Seen
    from tests.sim.ledger import Ledger, Text
    from tests.sim.server import Account

    Fields = dict[str, Any]

CYCLES = 4  # that reach idle, besides those that a backlog takes


# At every moment


def i4_page_holds_all(seen: Seen, there: Mapping[str, int], version: int) -> None:
    """A client that applied the last page for a version holds the server's live set at it."""
    here = seen.on_server()
    newer = {uid for uid, row in seen.rows.items() if row["sv"] > version}
    wrong = {uid for uid in {*here, *there} - newer if here.get(uid) != there.get(uid)}
    if wrong:
        uid = min(wrong)
        raise Broken("I4", f"{uid}: {here.get(uid)} here, {there.get(uid)} there at {version}")


def i5_versions_grow(before: Seen, after: Seen, damaged: Iterable[str] = ()) -> None:
    """A row's version never decreases, except that it is forgotten; a cursor only goes forward.

    What is newer than the cursor is not forgotten before the server begins a new life.
    """
    is_same_life = before.state.get("epoch") == after.state.get("epoch")
    for uid in _written(before, after) - set(damaged):
        was, now = before.rows[uid]["sv"], after.rows[uid]["sv"]
        if 0 < now < was:
            raise Broken("I5", f"{uid}: {now} after {was}")
        if was and not now and is_same_life and after.cursor and was > after.cursor[1]:
            raise Broken("I5", f"{uid}@{was} was forgotten at {after.cursor[1]}")
    if after.cursor and after.cursor[0].replace("-", "") != after.state["epoch"].replace("-", ""):
        raise Broken("I5", "the cursor is of another epoch than the store")
    if before.cursor and after.cursor and before.account == after.account:
        (epoch, was), (now_epoch, now_at) = before.cursor, after.cursor
        if epoch == now_epoch and now_at < was:
            raise Broken("I5", f"the cursor went from {was} to {now_at}")
        if epoch != now_epoch:
            raise Broken("I5", "the cursor went to another epoch without a full dump")


def _written(before: Seen, after: Seen) -> set[str]:
    return {uid for uid, row in before.rows.items() if after.rows.get(uid, row) is not row}


def i6_dead_stay_dead_here(seen: Seen) -> None:
    """What the server has acknowledged as deleted is not visible."""
    for uid, row in seen.rows.items():
        is_wrong = row["live"] and row.is_tombstone
        if is_wrong and not any(op["kind"] == "replay" for op in seen.ops_of(uid)):
            raise Broken("I6", f"{uid} is visible, and a tombstone")


def i7_sent_to_its_own(ledger: Ledger, user: str, body: bytes) -> None:
    """Text written under one account's key is never sent to another account."""
    for mark in sorted(marks(body.decode("utf-8", "replace"))):
        owner = ledger.claim(mark, user)
        if owner != user:
            raise Broken("I7", f"{mark} of {owner} was sent to {user}")


def i7_kept_with_its_own(ledger: Ledger, user: str, seen: Seen) -> None:
    """Text written under one account's key is never in a store of another account."""
    found = set().union(*(row.marks for row in seen.rows.values()))
    for mark in sorted(found | seen.pending_marks()):
        owner = ledger.claim(mark, user)
        if owner != user:
            raise Broken("I7", f"{mark} of {owner} is in a store of {user}")


def i8_shows_its_view(seen: Seen, damaged: Iterable[str] = ()) -> None:
    """Every visible row is what follows from the server's state and the outbox."""
    for uid, row in seen.rows.items():
        if uid in damaged:
            continue
        wanted = expected(row.state, seen.ops_of(uid))
        if bool(row["live"]) != (wanted is not None):
            raise Broken("I8", f"{uid} is {'visible' if row['live'] else 'hidden'}: {wanted}")
        if wanted is not None and plain(row) != plain(wanted):
            raise Broken("I8", f"{uid} shows {plain(row)}, not {plain(wanted)}")


def i9_no_secret(ledger: Ledger, where: str, text: bytes) -> None:
    """No clear secret is in a text."""
    for secret in ledger.secrets:
        if secret.encode() in text:
            raise Broken("I9", f"{secret[:8]}... stands in {where}")


def i9_sent_sealed_apart(ledger: Ledger, body: bytes) -> None:
    """A clear secret travels only in the field that the server seals."""
    ops = json.loads(body)["ops"]
    for op in ops:
        (op["body"].get("fields") or op["body"]).pop("secret", None)
    i9_no_secret(ledger, "a push", json.dumps(ops).encode())


def i9_no_secret_in_files(ledger: Ledger, home: Path) -> None:
    """No clear secret is in any file of a machine."""
    if not ledger.secrets:
        return
    for path in sorted(home.rglob("*")):
        if path.is_file() and path.parent.name != "keys":
            i9_no_secret(ledger, path.name, path.read_bytes())


def i10_idle_soon(cycles: int, backlog: int, batch: int) -> None:
    """Idle is reached soon after faults stop."""
    most = CYCLES + -(-backlog // batch)
    if cycles > most:
        raise Broken("I10", f"{cycles} cycles for {backlog} operations in batches of {batch}")


def i11_nothing_waits_for_another(seen: Seen, sealed: Iterable[str]) -> None:
    """An operation that is refused or put off delays none of another memory."""
    stuck = {op["uid"] for op in seen.ops if op["state"] == "rejected"} | set(sealed)
    for op in seen.ops:
        if op["uid"] not in stuck:
            raise Broken("I11", f"{op['kind']} of {op['uid']} waits: {op['error']}")


# Once all is quiet


def i1_equal(seen: Seen, account: Account) -> None:
    """Live rows equal the server's, except rows with a refused operation."""
    refused = {op["uid"] for op in seen.ops}
    here = {uid: row for uid, row in seen.live().items() if uid not in refused}
    there = {uid for uid in account.live if uid not in refused}
    if set(here) != there:
        uid = min(set(here) ^ there)
        raise Broken("I1", f"{uid} is {'here' if uid in here else 'there'} only")
    for uid, row in here.items():
        wanted = account.rows[uid]
        if row["sv"] != wanted["version"]:
            raise Broken("I1", f"{uid} is {row['sv']} here, {wanted['version']} there")
        if plain(row) != plain(wanted):
            raise Broken("I1", f"{uid} is {plain(row)} here, {plain(wanted)} there")


def i2_no_edit_lost(
    ledger: Ledger, accounts: Mapping[str, Account], stores: Iterable[tuple[str, str, Seen]]
) -> None:
    """Every committed edit is applied, or lost a conflict and is kept, or is refused and shown."""
    kept: set[tuple[str, str]] = set()
    for machine, _, seen in stores:
        kept |= {(machine, mark) for mark in seen.pending_marks("rejected")}
        if ledger.life:  # the server may have forgotten the conflict since
            kept |= {(machine, mark) for mark in marks(list(seen.shelf.values()))}
    for text in ledger.texts.values():
        user = text.user
        if not user or text.fate or ledger.is_purged(text) or text.lost:
            continue
        if text.mark in accounts[user].text or (text.machine, text.mark) in kept:
            continue
        raise Broken("I2", f"{text.mark}, {text.name} of {text.uid}, by {text.machine} is gone")


def i3_one_effect(ledger: Ledger, user: str, account: Account) -> None:
    """Each operation has one effect, and one create gives one memory."""
    effects: dict[str, int] = {}
    for entry in account.history:
        key = str(entry["op_id"])
        effects[key] = effects.get(key, 0) + 1
        if effects[key] > 1:
            raise Broken("I3", f"op {key} had {effects[key]} effects for {user}")
    places: dict[str, str] = {}
    for uid in account.live:
        for mark in marks(account.rows[uid]["content"]):
            other = places.setdefault(mark, uid)
            if other != uid and mark not in ledger.revived:
                raise Broken("I3", f"{mark} is in {other} and in {uid}")


def i3_sent_once(ledger: Ledger) -> None:
    """No text is taken twice, as two operations, in one life of the server."""
    taken: dict[tuple[str, int], str] = {}
    for (op_id, life), sent in ledger.sendings.items():
        is_taken = sent.answers[0] in {"applied", "conflict"} and op_id not in ledger.refused
        if not is_taken or sent.op["kind"] == "replay":
            continue
        for mark in marks(sent.op["body"]) - ledger.returned:
            other = taken.setdefault((mark, life), op_id)
            if other != op_id and not ledger.was_refused(other):
                raise Broken("I3", f"{mark} was taken as {other} and as {op_id}")


def i4_counted(account: Account) -> None:
    """The server's count and digest are those of its live rows."""
    digest = 0
    for uid, version in account.live.items():
        digest ^= digest_of(UUID(uid), version)
    if (account.counted, account.digest) != (len(account.live), digest):
        raise Broken("I4", f"{account.counted} rows are counted, {len(account.live)} are there")


def i6_dead_stay_dead(ledger: Ledger, user: str, account: Account) -> None:
    """What was acknowledged as deleted never lives again."""
    for owner, uid in ledger.buried:
        if owner == user and uid in account.live:
            raise Broken("I6", f"{uid} was deleted and lives")


def i13_no_unseen_value_replaced(ledger: Ledger, account: Account) -> None:
    """An edit never replaces a field value that its author had not seen."""
    ops = {op_id: sent for (op_id, _), sent in ledger.sendings.items()}
    for entry in account.history:
        sent = ops.get(str(entry["op_id"]))
        if entry["kind"] != "superseded" or sent is None or sent.op["kind"] != "update":
            continue
        for name in TEXTS:
            text = _text(ledger, sent.op["body"].get(name))
            if text is None or text.machine != sent.machine or text.fate:
                continue
            if (text.path, text.uid) in ledger.damaged or text.mark in ledger.returned:
                continue
            was = entry["payload"][name] or ""
            if was not in text.seen and text.mark not in was:
                raise Broken("I13", f"{text.mark} replaced {was!r} unseen, {name} of {text.uid}")


def _text(ledger: Ledger, value: object) -> Text | None:
    found = marks(value)
    return ledger.texts.get(found.pop()) if len(found) == 1 else None


def i14_comes_back(ledger: Ledger, accounts: Mapping[str, Account]) -> None:
    """After a restore, what some client still held is live or in the history again.

    But for what was refused when it was given back, and changed by a person since.
    """
    for text in ledger.texts.values():
        user = text.user
        if not text.held or text.fate or ledger.is_purged(text) or not user:
            continue
        if text.mark not in accounts[user].text:
            raise Broken("I14", f"{text.mark}, {text.name} of {text.uid}, was held and is gone")


def i15_purged_is_gone(
    ledger: Ledger, account: Account, stores: Iterable[tuple[str, set[str]]]
) -> None:
    """What the server knows as purged is kept nowhere: on no machine, nor on the server.

    A text that an undo gave to a second memory is that one's as well, and so is its past.
    """
    purged = {uid for uid, row in account.rows.items() if row["purged"]}
    alone = {uid for uid in purged if ledger.heirs_of(uid) <= purged}
    gone = {text.mark for text in ledger.texts.values() if text.uid in alone} - ledger.revived
    for name, kept in [("the server", marks(account.text)), *stores]:
        for mark in sorted(gone & kept):
            raise Broken("I15", f"{mark} of {ledger.texts[mark].uid} was purged, and {name} has it")


def secrets_can_be_opened(ledger: Ledger, account: Account, opened: Mapping[str, str]) -> None:
    """The secret of a memory that its machine could seal can be opened on the server.

    Undoing an edit or a delete brings the text back; its secret is the server's to keep.
    """
    for uid, clear in opened.items():
        row = account.rows[uid]
        name = "tags" if row["content"] == FORCED else "content"
        text = _text(ledger, row[name])
        is_undone = text is not None and text.mark in ledger.returned
        wanted = text.secret if text and not is_undone and row["replayed_from"] is None else ""
        if wanted not in clear:
            raise Broken("secrets", f"the secret of {uid} is not what was stored")
