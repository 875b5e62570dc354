"""Local stores as an onlooker sees them: rows, outbox, shelf and sync state, read from the file.

What should be visible is worked out here once more, from the protocol alone, so that a mistake in
the shipped `view` is not taken for the truth.
"""

from __future__ import annotations

import base64
import json
import re
import sqlite3
import struct
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Fields = dict[str, Any]
    T = TypeVar("T", "Row", "Op")

TEXTS = ("content", "tags", "expanded_keywords")
COMPARED = (*TEXTS, "category", "importance", "is_sensitive", "scope", "project")
NULLED = ("supersedes", "expires_at")
CURSOR = struct.Struct(">B16s16sQQ16s")  # form, account, epoch, version, of a dump, mark
MARK = re.compile(r"mark[0-9]{6}")


def marks(text: object) -> set[str]:
    """Return the marks that a text holds."""
    return set(MARK.findall(str(text)))


class Row(dict[str, Any]):
    """A row of the memories, as long as nobody writes it; what follows from it is found once."""

    @cached_property
    def state(self) -> Fields | None:
        """The server's state of the row as the store keeps it."""
        found: Fields | None = json.loads(self["srv"]) if self["srv"] else None
        return found

    @cached_property
    def is_tombstone(self) -> bool:
        """Whether the server has said that the memory is deleted."""
        return self["sv"] > 0 and bool((self.state or {}).get("deleted_at"))

    @cached_property
    def marks(self) -> set[str]:
        """The marks in the texts that are shown, and in the server's."""
        return marks([self[name] for name in TEXTS] + [self["srv"]])


class Op(dict[str, Any]):
    """An operation of the outbox, with its body read."""

    @cached_property
    def marks(self) -> set[str]:
        """The marks in what is to be sent."""
        return marks(self["body"])


@dataclass(frozen=True)
class Seen:
    """A store at one moment; what was not written since the moment before is the same object."""

    rows: dict[str, Row]
    ops: tuple[Op, ...]
    shelf: dict[str, Fields]
    state: dict[str, str]

    @property
    def account(self) -> str:
        """Return the account that the store belongs to, if it does."""
        return self.state.get("account_id", "")

    @cached_property
    def cursor(self) -> tuple[str, int] | None:
        """The epoch and the version of the cursor; None before a full dump."""
        text = self.state.get("cursor", "")
        if not text:
            return None
        read = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        _, _, epoch, version, _, _ = CURSOR.unpack(read)
        return epoch.hex(), version

    def live(self) -> dict[str, Fields]:
        """Return the visible rows."""
        return {uid: row for uid, row in self.rows.items() if row["live"]}

    def on_server(self) -> dict[str, int]:
        """Return the version of each row that is live on the server as far as is known here."""
        return {uid: row["sv"] for uid, row in self.rows.items() if row["srv_live"]}

    def marks_of(self, uid: str) -> set[str]:
        """Return the marks in the visible texts of a memory."""
        row = self.rows.get(uid)
        return marks([row[name] for name in TEXTS]) if row else set()

    def is_purged(self, uid: str) -> bool:
        """Tell whether the server has said that a memory was purged."""
        row = self.rows.get(uid)
        return row is not None and bool((row.state or {}).get("purged"))

    def ops_of(self, uid: str) -> list[Fields]:
        """Return the operations of a memory in their order."""
        return [op for op in self.ops if op["uid"] == uid]

    def pending_marks(self, state: str | None = None) -> set[str]:
        """Return what waits in the outbox."""
        found = [op.marks for op in self.ops if state is None or op["state"] == state]
        return set().union(*found)


class StoreFile:
    """One file, opened for looking only."""

    def __init__(self, path: str) -> None:
        """Open it."""
        self._connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
        self._known: tuple[int, Seen | None] | None = None
        self._rows: dict[tuple[Any, ...], Row] = {}
        self._ops: dict[tuple[Any, ...], Op] = {}

    def close(self) -> None:
        """Close it."""
        self._connection.close()

    def look(self) -> Seen | None:
        """Read it, unless nobody has written since the last look; None before it has tables."""
        [(version,)] = self._connection.execute("PRAGMA data_version").fetchall()
        if self._known is None or self._known[0] != version:
            self._known = version, self._read()
        return self._known[1]

    def kept_marks(self) -> set[str]:
        """Return the marks in all that a person wrote, in whatever place it is kept."""
        held = (
            self._all(f"SELECT * FROM {table}")[1]
            for table in ("memories", "history", "pending_ops", "shelf", "sync_state")
        )
        return marks(list(held))

    def _read(self) -> Seen | None:
        if not self._all("SELECT 1 FROM sqlite_master WHERE name = 'sync_state'")[1]:
            return None
        self._rows = self._kept("SELECT * FROM memories", self._rows, Row)
        self._ops = self._kept("SELECT * FROM pending_ops ORDER BY seq", self._ops, _op)
        names, shelf = self._all("SELECT * FROM shelf")
        return Seen(
            rows={row["uid"]: row for row in self._rows.values()},
            ops=tuple(self._ops.values()),
            shelf={
                row["op_id"]: row for row in (dict(zip(names, one, strict=True)) for one in shelf)
            },
            state=dict(self._all("SELECT k, v FROM sync_state")[1]),
        )

    def _kept(
        self, query: str, known: Mapping[tuple[Any, ...], T], make: Callable[[Fields], T]
    ) -> dict[tuple[Any, ...], T]:
        """Read what a query finds; what is as it was stays the object that it was."""
        names, found = self._all(query)
        return {one: known.get(one) or make(dict(zip(names, one, strict=True))) for one in found}

    def _all(self, query: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        found = self._connection.execute(query)
        return [one[0] for one in found.description], found.fetchall()


def _op(row: Fields) -> Op:
    return Op({**row, "body": json.loads(row["body"])})


def is_live(srv: Fields | None) -> bool:
    """Tell whether a server's state is that of a live memory."""
    return srv is not None and srv.get("deleted_at") is None and srv.get("content") is not None


def expected(srv: Fields | None, ops: Iterable[Fields]) -> Fields | None:
    """Work out what has to be visible: the server's state, then the outbox in its order."""
    shown = dict(srv) if srv is not None and is_live(srv) else None
    for op in ops:
        body = op["body"]
        if op["kind"] == "delete" or (op["kind"] == "replay" and body["deleted"]):
            shown = None
        elif op["kind"] == "replay":
            shown = dict(body["fields"])
        elif op["kind"] == "create":
            shown = dict(body) if srv is None else shown
        elif shown is not None:
            shown = {**shown, **body}
    return shown


def plain(fields: Fields) -> Fields:
    """Return the fields that are compared, each in one form only."""
    found = {name: fields.get(name) for name in COMPARED}
    found["importance"] = round(float(fields.get("importance") or 0), 4)
    found["is_sensitive"] = bool(fields.get("is_sensitive"))
    for name in NULLED:
        found[name] = _moment(fields.get(name))
    return found


def _moment(value: object) -> str:
    text = "" if value is None else str(value)
    digits = re.sub(r"(\+00:00|Z)$", "", text.replace(" ", "T"))
    return re.sub(r"\.0+$", "", digits)
