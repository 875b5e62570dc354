"""What clients tried and what was acknowledged to them, held against what is there in the end."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.world import Account


class Try(NamedTuple):
    """One call that changes a memory, in the order in which calls began."""

    at: int
    folder: str
    uid: str  # empty for a new memory, until its answer names it
    kind: str  # store | edit | delete | restore
    text: str


@dataclass
class Ledger:
    """All calls of one account's clients."""

    tried: list[Try] = field(default_factory=list)
    acknowledged: list[Try] = field(default_factory=list)
    cut_off: list[Try] = field(default_factory=list)
    _numbers: count[int] = field(default_factory=count)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, folder: str, uid: str, kind: str, text: str = "") -> Try:
        """Note that a call is about to be made."""
        with self._lock:
            one = Try(next(self._numbers), folder, uid, kind, text)
            self.tried.append(one)
        return one

    def acknowledge(self, one: Try, uid: str = "") -> None:
        """Note that it was answered; `uid` is that of the memory which it made."""
        with self._lock:
            self.acknowledged.append(one._replace(uid=uid or one.uid))

    def refuse(self, one: Try) -> None:
        """Note that it was refused: nothing of it may be there."""
        with self._lock:
            self.tried.remove(one)

    def cut(self, one: Try) -> None:
        """Note that no answer came: it was done wholly, or not at all."""
        with self._lock:
            self.cut_off.append(one)

    def broken(self, server: Account) -> list[str]:
        """Return what of it the server has lost, doubled or brought back to life."""
        return [*self._lost(server), *self._doubled(server), *self._resurrected(server)]

    def _lost(self, server: Account) -> list[str]:
        deleted = {one.uid for one in self.tried if one.kind == "delete"}
        found = []
        for one in self.acknowledged:
            row = server.rows.get(one.uid)
            if one.uid not in deleted and (row is None or not row.lives):
                found.append(f"lost: {one} is gone")
            elif one.text and not self._is_somewhere(one, server):
                found.append(f"lost: the text of {one}")
        return found

    def _is_somewhere(self, one: Try, server: Account) -> bool:
        """Tell whether a text is there, or its author's folder changed it before it was sent."""
        for uid in _lives(one.uid, server):
            row = server.rows.get(uid)
            if row is not None and row.fields["content"] == one.text:
                return True
            if one.text in server.earlier.get(uid, ()):
                return True
        return any(
            later.at > one.at and later.folder == one.folder and later.uid == one.uid
            for later in self.tried
        )

    def _doubled(self, server: Account) -> list[str]:
        """Return memories that more calls made than were made, and texts that nobody wrote."""
        made = {one.uid for one in self.acknowledged if one.kind == "store"}
        unknown = [row for row in server.rows.values() if row.uid not in made]
        born = [
            row for row in unknown if row.supersedes or not row.lives
        ]  # a tombstone has nothing
        maybe = Counter(one.kind for one in self.cut_off)["store"]
        undone = Counter(one.kind for one in self.tried)["restore"]
        found = []
        if len(unknown) > maybe + undone or len(unknown) - len(born) > maybe:
            found.append(f"doubled: {len(unknown)}, by {maybe} stores and {undone} restores")
        written = {one.text for one in self.tried if one.text}
        lives = [row for row in server.rows.values() if row.lives]
        found += [f"forged: {row}" for row in lives if row.fields["content"] not in written]
        first = Counter(_name(row.fields["content"]) for row in lives if not row.supersedes)
        return found + [f"doubled: {name}" for name, times in first.items() if times > 1]

    def _resurrected(self, server: Account) -> list[str]:
        gone = {one.uid for one in self.acknowledged if one.kind == "delete"}
        return [
            f"resurrected: {uid}" for uid in gone if uid in server.rows and server.rows[uid].lives
        ]


def _lives(uid: str, server: Account) -> Iterator[str]:
    """Yield a memory and all that came back from it, which have its past."""
    yield uid
    for row in server.rows.values():
        if row.restored_from == uid:
            yield from _lives(row.uid, server)


def _name(content: str) -> str:
    """Return what all editions of one memory have in common."""
    return content.split(" edition ", maxsplit=1)[0]
