"""One pass of syncing, as numbered steps: bind, pick, mark, push, settle, pull, apply, check.

It knows neither threads nor sockets nor the clock. `cycle` yields the name of each step before it
is made, and each is one transaction or one call of the server: a process may end between any two,
and two engines may work on one store.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from claude_memory import errors
from claude_memory.memory import days_before, stamp
from claude_memory.store import feed, outbox, ownership, replica, restored, seals, state
from claude_memory.store.connection import write
from claude_memory.sync import standing, wire

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Generator, Iterator
    from datetime import datetime
    from typing import Protocol

    from claude_memory.store.connection import StoreConnection
    from claude_memory.store.feed import Place as Asked
    from claude_memory.store.outbox import Pending
    from claude_memory.sync.chance import Chance
    from claude_memory.sync.files import Files
    from claude_memory.sync.remote import Remote

    class Place(Protocol):
        """Where the store is, which may be another file once its account is known."""

        def connection(self) -> StoreConnection:
            """Return this thread's connection."""

        def relocate(self) -> None:
            """Ask anew which file to work in."""

    class Secrets(Protocol):
        """Opens what was sealed for the server, and destroys it once the server keeps it."""

        def read(self, seal: seals.Seal) -> str:
            """Return the clear text of a seal."""

        def destroy_loose(self, connection: sqlite3.Connection) -> None:
            """Destroy what keepers hold of loose seals; what could not be is noted for a person."""


ROOM = 1_024  # bytes of a request besides its operations
ROWS_AT_ONCE = 200  # compared in one pass
RESYNC_APART = timedelta(hours=1)
FEW = 10  # operations, which no server is too slow for
MORE = 4  # by a quarter a batch may be larger than the one before, once that was answered
LIVES_IN_A_PASS = 3  # restores of the server that one pass goes along with


class Parcel(NamedTuple):
    """An operation, and what of it goes over the wire."""

    pending: Pending
    op: wire.Op


class Engine:
    """Syncs one key's store with its server, pass by pass."""

    def __init__(
        self,
        place: Place,
        remote: Remote,
        files: Files,
        secrets: Secrets,
        *,
        now: Callable[[], datetime],
        chance: Chance,
    ) -> None:
        """Keep what a pass needs; nothing is opened or sent."""
        self._place = place
        self._connect = place.connection
        self._remote = remote
        self._files = files
        self._secrets = secrets
        self._now = now
        self._chance = chance
        self._hello: wire.Hello | None = None
        self._most = self._limit = 0  # operations in one push, and how many it may become again
        self._unopened: dict[str, int] = {}  # how often the secret of an operation did not open
        self.is_answered = False  # by the server, when it was last asked
        self.is_misset = False  # to ask again is of no use while the settings are the same
        self.has_news = False  # since somebody last set this back

    def cycle(self) -> Iterator[str]:
        """Make one pass; how it went is left in the store (`standing`).

        Raises:
            StoreError: the store cannot be used now; the next pass goes on where this one stopped.
        """
        try:
            yield from self._pass()
        except errors.RemoteError as error:
            if isinstance(error, (errors.AccountMismatch, errors.KeyRefused)):
                self._hello = None
            self.is_answered = False
            self.is_misset = isinstance(error, errors.SettingWrong)
            standing.failed(self._connect(), error, self._now(), self._chance, self._files.key)
        else:
            standing.succeeded(self._connect(), self._now())

    def _pass(self) -> Iterator[str]:
        if self._hello is None:
            yield "bind"
            self._bind(self._remote.hello())
        for _ in range(LIVES_IN_A_PASS):
            try:
                yield from self._exchange()
            except errors.EpochChanged as error:
                self._begin_new_life(error)
            else:
                return

    def _exchange(self) -> Iterator[str]:
        if self._may_push():
            yield from self._send()
        page = yield from self._receive()
        if page is None or page.check is None:
            return
        yield "check"
        if self._must_resync(page):
            yield from self._receive()

    # Step 0

    def _bind(self, hello: wire.Hello) -> None:
        connection = self._connect()
        if self._files.bind(connection, hello, self._now()):
            self._place.relocate()
            connection = self._connect()  # of the account's own file
        if ownership.owner(connection) != (hello.server_id, hello.account_id):
            message = "This store belongs to another account than the key."
            raise errors.AccountMismatch(message)
        self._hello = hello
        self._most = self._limit = hello.ops_limit
        standing.greeted(connection, hello, self._now())

    def _begin_new_life(self, error: errors.EpochChanged) -> None:
        connection = self._connect()
        with write(connection):
            if state.get(connection, state.EPOCH) != error.epoch:
                restored.begin_new_life(connection, error.epoch, error.lost_after, self._now())

    # Steps 1 to 4

    def _may_push(self) -> bool:
        return self._hello is not None and "write" in self._hello.scopes

    def _send(self) -> Iterator[str]:
        while True:
            yield "pick"
            picked = self._pick()
            if not picked:
                return
            yield "mark"
            asked, marked = self._mark(picked)
            yield "push"
            try:
                results = self._push(asked, marked)
            except (errors.RequestTooLarge, errors.RequestRefused) as error:
                self._send_less(marked, error)
                continue
            except errors.AnswerLost:
                if len(marked) > FEW:  # perhaps they are too many for a slow server
                    self._most = max(FEW, len(marked) // 2)
                raise
            except errors.ScopeMissing:
                standing.may_write(self._connect(), is_allowed=False)
                return
            yield "settle"
            self._settle(asked, results)
            self._most = min(self._limit, self._most + 1 + self._most // MORE)

    def _pick(self) -> list[Parcel]:
        assert self._hello is not None  # noqa: S101  (bound before anything is sent)
        connection, room = self._connect(), self._hello.bytes_limit - ROOM
        picked: list[Parcel] = []
        for pending in outbox.due(connection, self._now(), self._most):
            op = self._opened(connection, pending)
            if op is None:
                continue
            room -= wire.size(op)
            if room < 0 and picked:
                break
            picked.append(Parcel(pending, op))
        return picked

    def _opened(self, connection: StoreConnection, pending: Pending) -> wire.Op | None:
        """Return an operation with its secret in clear, or None where that cannot be opened now."""
        op = wire.Op(pending.op_id, pending.uid, pending.kind, pending.base, pending.body)
        if pending.sealed is None:
            return op
        try:
            clear = self._secrets.read(seals.unpacked(pending.sealed))
        except errors.KeeperError as error:
            self._put_off(connection, pending, error)
            return None
        if op.kind != "replay":
            return op._replace(body={**op.body, "secret": clear})
        return op._replace(body={**op.body, "fields": {**op.body["fields"], "secret": clear}})

    def _put_off(
        self, connection: StoreConnection, pending: Pending, error: errors.KeeperError
    ) -> None:
        """Try an operation later, unless its seal opens no more and the server needs it not."""
        tries = self._unopened[pending.op_id] = self._unopened.get(pending.op_id, 0) + 1
        until = standing.later(self._now(), tries, self._chance)
        is_refused = isinstance(error, errors.KeeperRefused)
        with write(connection):
            if not (is_refused and replica.give_way(connection, pending)):
                outbox.postpone(connection, pending.op_id, until, error.sentence())

    def _mark(self, picked: list[Parcel]) -> tuple[Asked, list[Parcel]]:
        connection = self._connect()
        with write(connection):
            asked = feed.place(connection)
            found = outbox.mark(connection, [one.pending for one in picked])
        of_id = {one.op.op_id: one.op for one in picked}
        return asked, [Parcel(one, of_id[one.op_id]._replace(base=one.base)) for one in found]

    def _push(self, asked: Asked, marked: list[Parcel]) -> tuple[wire.Result, ...]:
        assert self._hello is not None  # noqa: S101
        if not marked:
            return ()
        ops = [one.op for one in marked]
        results = self._remote.push(self._hello.account_id, asked.epoch, ops, asked.cursor)
        self.is_answered = True
        return results

    def _send_less(self, marked: list[Parcel], error: errors.RemoteError) -> None:
        """Send smaller batches from now on; a single operation that is refused is kept aside."""
        if len(marked) > 1:
            is_large = isinstance(error, errors.RequestTooLarge)
            self._most = self._limit = len(marked) // 2 if is_large else 1
            return
        code = "too_large" if isinstance(error, errors.RequestTooLarge) else "malformed"
        connection = self._connect()
        with write(connection):
            for one in marked:
                outbox.reject(connection, one.pending, f"{code}: {error}")

    def _settle(self, asked: Asked, results: tuple[wire.Result, ...]) -> None:
        connection = self._connect()
        had_secrets = False
        with write(connection, durable=False):
            if state.get(connection, state.EPOCH) != asked.epoch:
                return  # the server began a new life meanwhile: the answer speaks of the old one
            for result in results:
                pending = outbox.get(connection, result.op_id)
                if pending is not None:
                    self._settle_one(connection, pending, result)
                    had_secrets = had_secrets or pending.sealed is not None
        if had_secrets:
            self._secrets.destroy_loose(connection)

    def _settle_one(
        self, connection: sqlite3.Connection, pending: Pending, result: wire.Result
    ) -> None:
        said = f"{result.code}: {result.detail}".strip(": ")
        if result.status == "rejected":
            outbox.reject(connection, pending, said)
            replica.show(connection, pending.uid)
        elif result.status == "retry":
            until = standing.later(self._now(), pending.attempts, self._chance)
            outbox.postpone(connection, pending.op_id, until, said)
        else:
            replica.settle(connection, pending, result.status, result.current, self._now())
            return
        if result.current is not None:
            replica.take(connection, result.current)

    # Steps 5 and 6

    def _receive(self) -> Generator[str, None, wire.Page | None]:
        """Pull page after page; return the last one, or None when another session is at it."""
        assert self._hello is not None  # noqa: S101
        while True:
            yield "pull"
            asked = feed.place(self._connect())
            try:
                page = self._remote.pull(self._hello.account_id, asked.epoch, asked.cursor)
            except errors.CursorExpired:
                if not asked.cursor:
                    raise
                yield "apply"
                self._drop_cursor(asked)
                continue
            self.is_answered = True
            self.has_news |= bool(page.rows)
            yield "apply"
            connection = self._connect()
            with write(connection, durable=False):
                is_applied = feed.apply(
                    connection,
                    asked,
                    page.rows,
                    page.cursor,
                    page.version,
                    is_last=not page.has_more,
                )
            if not is_applied:
                return None
            if not page.has_more:
                return page

    def _drop_cursor(self, asked: Asked) -> None:
        connection = self._connect()
        with write(connection):
            if feed.place(connection) == asked:
                state.put(connection, state.CURSOR, "")

    # Step 7

    def _must_resync(self, page: wire.Page) -> bool:
        """Compare with the server; when something differs, ask for everything, at most hourly."""
        assert page.check is not None  # noqa: S101
        connection = self._connect()
        self._check_rows_daily(connection)
        with write(connection, durable=False):
            feed.drop_impossible(connection, page.version)
            if not feed.differs(connection, page.cursor, page.version, page.check):
                return False
            last = state.get(connection, state.RESYNC_AT)
            if last and stamp(self._now() - RESYNC_APART) < last <= stamp(self._now()):
                return False
            feed.ask_for_all(connection, self._now())
        return True

    def _check_rows_daily(self, connection: StoreConnection) -> None:
        """Compare the next rows with their views; once all are through, a day is waited."""
        done_at, now = state.get(connection, state.ROWS_CHECKED_AT), self._now()
        if days_before(now, 1) < done_at <= stamp(now):
            return
        with write(connection, durable=False):
            after = int(state.get(connection, "rows_checked", "0"))
            last = replica.mend(connection, after, ROWS_AT_ONCE, now)
            state.put(connection, "rows_checked", str(last or 0))
            if last is None:
                state.put(connection, state.ROWS_CHECKED_AT, stamp(now))
