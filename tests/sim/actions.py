"""What people do on a machine, through the shipped service, and what the ledger notes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from claude_memory.errors import ClaudeMemoryError
from claude_memory.memory import CATEGORIES
from claude_memory.redaction.detector import redact
from claude_memory.service.interface import Edit, NewMemory

from tests.sim.files import TEXTS, marks
from tests.sim.ledger import Text
from tests.support import credentials

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from claude_memory.service.local import LocalService

    from tests.sim.files import Seen
    from tests.sim.ledger import Ledger

    Act = Callable[["Hand"], str]

RECIPES = [recipe for _, recipe in credentials.TOKENS[:20]]
ITSELF = ("facts", "preferences", "projects")


@dataclass
class Hand:
    """One person at one session of one machine, about to do one thing."""

    chance: Random
    ledger: Ledger
    service: LocalService
    machine: str
    user: str
    path: str
    before: Seen
    touched: str = ""  # the uid, where there was one before
    is_delete: bool = False
    written: list[Text] = field(default_factory=list)

    def act(self) -> str:
        """Do something; return what was done."""
        name = self.chance.choice(NAMES)
        try:
            return f"{name} {ACTS[name](self)}"
        except ClaudeMemoryError as error:
            return f"{name} {self.touched[:13]} refused: {error}"

    def note(self, after: Seen) -> None:
        """Note what the act has changed; what was refused was never written."""
        if self.touched:
            self.ledger.replaced(self.before, after, self.touched)
            if self.is_delete:
                self.ledger.cancelled(self.before, after, self.touched)
        self.ledger.dismissed(self.before, after)
        for text in self.written:
            text.uid = next((uid for uid in after.live() if text.mark in after.marks_of(uid)), "")
            if text.uid:
                self.ledger.texts[text.mark] = text
        self.ledger.show(self.path, after)

    def new_text(self, name: str, uid: str = "new", secret: str = "") -> str:
        """Make up a text for a field of a memory, with a mark in it."""
        mark = self.ledger.new_mark()
        seen = self.ledger.what_was_shown(self.path, uid, name)
        self.written.append(Text(mark, uid, name, self.machine, self.user, self.path, secret, seen))
        return mark if name == "tags" else f"it says {mark} here {secret}".strip()

    def new_secret(self) -> str:
        """Make up a credential."""
        while True:  # what no detector can tell from a word is not this test's matter
            recipe = self.chance.choice(RECIPES)
            secret = credentials.token(recipe, str(self.chance.random()))
            if redact(f"it says mark100000 here {secret}").found:
                break
        self.ledger.secrets.append(secret)
        return secret

    def pick(self, *, live: bool = True) -> str:
        """Choose a memory, and remember which."""
        rows = self.before.rows
        found = sorted(uid for uid, row in rows.items() if bool(row["live"]) == live)
        self.touched = self.chance.choice(found) if found else ""
        return self.touched


def _store(hand: Hand) -> str:
    new = NewMemory(
        content=hand.new_text("content"),
        category=hand.chance.choice(ITSELF),
        tags=hand.new_text("tags") if hand.chance.random() < 0.5 else "",
        expires_at=hand.chance.choice(("", "", "2050-01-01")),
    )
    return hand.service.store(new).memory.uid[:13]


def _store_secret(hand: Hand) -> str:
    secret = hand.new_secret()
    if hand.chance.random() < 0.3:
        tags = hand.new_text("tags", secret=secret)
        new = NewMemory(content=secret, tags=tags, force_sensitive=True)
    else:
        new = NewMemory(content=hand.new_text("content", secret=secret))
    return hand.service.store(new).memory.uid[:13]


def _supersede(hand: Hand) -> str:
    older = hand.pick()
    hand.touched = ""
    stored = hand.service.store(NewMemory(content=hand.new_text("content"), supersedes=older))
    return f"{stored.memory.uid[:13]} over {older[:13]}"


def _edit(hand: Hand) -> str:
    uid = hand.pick()
    if not uid:
        return "nothing"
    names = [name for name in TEXTS if hand.chance.random() < 0.5] or ["content"]
    fields: dict[str, Any] = {name: hand.new_text(name, uid) for name in names}
    category = hand.chance.choice((None, None, *CATEGORIES))
    importance = hand.chance.choice((None, None, 0.25, 0.75))
    hand.service.update(Edit(uid, category=category, importance=importance, **fields))
    return f"{uid[:13]} {' '.join(names)}"


def _edit_secret(hand: Hand) -> str:
    uid = hand.pick()
    if not uid:
        return "nothing"
    hand.service.update(Edit(uid, content=hand.new_text("content", uid, hand.new_secret())))
    return uid[:13]


def _delete(hand: Hand) -> str:
    uid = hand.pick()
    if not uid:
        return "nothing"
    hand.is_delete = True
    hand.service.delete((uid,), purge=False)
    return uid[:13]


def _restore(hand: Hand) -> str:
    uid = hand.pick(live=hand.chance.random() < 0.5)
    if not uid:
        return "nothing"
    back = hand.service.update(Edit(uid, restore=True)).memory
    hand.ledger.returned |= marks(back)
    if back is not None and back.uid != uid:
        hand.ledger.revived |= marks(back)
        hand.ledger.heirs.setdefault(uid, set()).add(back.uid)
    return uid[:13]


def _purge(hand: Hand) -> str:
    uid = hand.pick(live=hand.chance.random() < 0.8)
    if not uid:
        return "nothing"
    hand.service.delete((uid,), purge=True)
    hand.ledger.purged.add(uid)
    return uid[:13]


ACTS: dict[str, Act] = {
    "store": _store,
    "store secret": _store_secret,
    "supersede": _supersede,
    "edit": _edit,
    "edit secret": _edit_secret,
    "delete": _delete,
    "restore": _restore,
    "purge": _purge,
}
NAMES = (*ACTS, *["store"] * 4, *["edit"] * 8, *["delete"] * 2)
