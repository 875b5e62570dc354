"""Opens the local store with our pragmas, and runs its write transactions. Hot.

SQLite errors leave this module only as `StoreError`s that name the fix.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import time

from claude_memory import errors, paths
from claude_memory.store import network, schema, state
from claude_memory.store.lock import BUSY_SECONDS, PATIENCE, mend_lock
from claude_memory.store.trouble import explain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

BETWEEN_PARTS = 0.005  # seconds between transactions of one long work: others take the lock
REPLACED_AT_MOST = 5  # times that a file may change under an opening session
# Seconds between two tries to take the write lock: first, at the least, while long work holds it.
FIRST_PAUSE, LAST_PAUSE, LONG_PAUSE = 0.012, 0.0003, 0.005
HALVED_AFTER, LONG_SECONDS = 0.04, 2.0


class StoreConnection(sqlite3.Connection):
    """A connection that knows which file it was opened on.

    Somebody may remove or replace the file while a session runs; SQLite would go on writing into
    the old one, and what it acknowledges would be lost.
    """

    path = ""
    uri = ""  # the path with the mode it was opened in
    identity: tuple[int, int] | None = None
    log: tuple[int, int] | None = None
    level = ""  # of PRAGMA synchronous, which costs more than the rest of a transaction's frame
    refusal: errors.StoreError | None = None  # why nothing may be written through it
    kept: object = None  # what was read of the file, kept by `meaning` for as long as it holds

    def is_current(self) -> bool:
        """Tell whether the path still leads to the file that was opened."""
        return self.identity == identity(self.path)


def identity(path: str) -> tuple[int, int] | None:
    """Return what tells a file from another one at the same path, or None where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def open_store(path: str) -> StoreConnection:
    """Open the store at `path` for reading and writing; create or migrate it first if needed.

    Waits while another session mends it: the log of a file that is being set aside must not be
    taken for the log of the one that comes in its place.

    Raises:
        StoreNewer: a later version wrote the file.
        StoreDamaged: it is no sound database.
        StoreReadOnly, StoreFull, StoreBusy: as named.
    """
    try:
        paths.make_private_folder(os.path.dirname(path))
        if os.path.exists(path + "-wal"):
            from claude_memory.store import lineage  # who is alone finds no log

            lineage.part(path)
        with mend_lock(path, shared=True) as lock:
            if not lock.is_held:
                message = f"Another session is mending the memory database ({path})."
                raise errors.StoreBusy(message)
            return open_alone(path)
    except OSError as error:
        raise explain(error, path) from error


def open_alone(path: str) -> StoreConnection:
    """Open the store as `open_store` does; the caller holds the mend lock already."""
    for _ in range(REPLACED_AT_MOST):
        try:
            connection = _open_once(path)
        except (sqlite3.Error, OSError) as error:
            raise explain(error, path) from error
        # Asked after the log was noted: so that log is of this file, not of one put in its place.
        if connection.is_current():
            return connection
        connection.close()
    message = f"The memory database is replaced again and again ({path})."
    raise errors.StoreBusy(message)


def _open_once(path: str) -> StoreConnection:
    _make_place(path)
    connection = _connect(path)
    try:
        schema.refuse_unknown(connection, path)  # before anything is written
        _set_pragmas(connection, path)
        schema.migrate(connection, path, _begin)
        connection.log = identity(path + "-wal")
    except BaseException:
        connection.close()
        raise
    return connection


def open_reader(path: str) -> StoreConnection:
    """Open an existing store for reading only, whatever version wrote it; writes nothing.

    Raises:
        StoreError: it cannot be read.
    """
    try:
        try:
            return _read_from(_connect(path, mode="ro"))
        except sqlite3.OperationalError:
            if _has_log(path):
                raise
            # Where no log can be kept beside it, nobody else writes either.
            return _read_from(_connect(path, mode="ro&immutable=1"))
    except (sqlite3.Error, OSError) as error:
        raise explain(error, path) from error


def _has_log(path: str) -> bool:
    """Tell whether a log holds anything; a full disk has room for its name, and no more."""
    try:
        return os.path.getsize(path + "-wal") > 0
    except OSError:
        return False


def _read_from(connection: StoreConnection) -> StoreConnection:
    try:
        connection.execute("PRAGMA query_only=1")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _connect(path: str, mode: str = "rwc") -> StoreConnection:
    before = identity(path)  # if another file comes in between, the connection is not current
    address = paths.uri(path, mode)
    connection = sqlite3.connect(
        address,
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        factory=StoreConnection,
    )
    connection.path, connection.uri, connection.identity = path, address, before
    return connection


def _make_place(path: str) -> None:
    """Create the file 0600 before SQLite would create it with the umask's mode.

    A file that is there is not opened: on POSIX, to close it would take away the locks that other
    connections of this process hold, and the next process to leave would delete their log.
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        if not os.access(path, os.R_OK | os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES)) from None


def _set_pragmas(connection: sqlite3.Connection, path: str) -> None:
    # WAL needs memory shared between all users of the file: not to be had over a network.
    journal = "DELETE" if network.file_system(path) else "WAL"
    current = connection.execute("PRAGMA journal_mode").fetchone()[0]
    if current.upper() != journal:
        # Of sessions that start together, SQLite would refuse all but one without waiting.
        _insist(connection, f"PRAGMA journal_mode={journal}")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA secure_delete=ON")
    connection.execute("PRAGMA foreign_keys=OFF")
    connection.execute("PRAGMA temp_store=MEMORY")


def _begin(connection: sqlite3.Connection) -> None:
    """Take the write lock."""
    _insist(connection, "BEGIN IMMEDIATE")


def _insist(connection: sqlite3.Connection, statement: str) -> None:
    """Run what needs a lock; whoever has waited longest asks most often, so that nobody starves.

    SQLite's own way, which asks less and less often, keeps some of many writers waiting until
    those that came later have finished. The last try is made when patience has ended: whoever was
    stopped meanwhile, together with the whole machine perhaps, has not waited for anybody.
    """
    patience = connection.execute("PRAGMA busy_timeout").fetchone()[0]
    connection.execute("PRAGMA busy_timeout=0")
    try:
        begun = changed = time.monotonic()
        seen = None
        while True:
            now = time.monotonic()
            try:
                connection.execute(statement)
            except sqlite3.OperationalError as error:
                found = _commits(connection)
                if found != seen:
                    seen, changed = found, now
                waited = now - begun, now - changed
                if not _is_busy(error) or _is_enough(connection, *waited, patience):
                    raise
                time.sleep(_pause(*waited))
            else:
                return
    finally:
        connection.execute(f"PRAGMA busy_timeout={patience}")


def _is_enough(connection: sqlite3.Connection, waited: float, held: float, patience: int) -> bool:
    """Tell whether to give up after so long, of which one has held the lock so long.

    Whoever answers a tool is patient with many that take turns, as on a busy machine, and with a
    purge, which holds the lock while it writes the whole file anew. A prompt waits for nobody.
    """
    if waited * 1000 < patience:
        return False
    if waited >= PATIENCE or patience != BUSY_SECONDS * 1000:
        return True
    try:
        return held * 1000 >= patience and not state.get(connection, state.REWRITTEN)
    except sqlite3.OperationalError:  # a file without tables yet
        return True


def _commits(connection: sqlite3.Connection) -> int | None:
    """Return a number that changes whenever somebody else commits, or None where nobody can say."""
    try:
        return int(connection.execute("PRAGMA data_version").fetchone()[0])
    except sqlite3.OperationalError:
        return None


def _pause(waited: float, held: float) -> float:
    """Return the seconds until the next try, `waited` seconds in, `held` of them by one holder."""
    if held > LONG_SECONDS:
        return LONG_PAUSE
    return max(LAST_PAUSE, FIRST_PAUSE * float(0.5 ** (waited / HALVED_AFTER)))


class write:  # noqa: N801  (read as a statement: `with write(connection):`)
    """One write transaction: BEGIN IMMEDIATE, then COMMIT, or ROLLBACK on any error.

    With `keep=False` it is rolled back in any case: a rehearsal.

    Durable transactions are on the disk when the block ends (synchronous=FULL); others may be
    lost to a power cut, never to a crash of the process.

    Raises:
        StoreBusy, StoreFull, StoreReadOnly, StoreNewer, StoreDamaged: nothing was written.
    """

    def __init__(
        self, connection: sqlite3.Connection, *, durable: bool = True, keep: bool = True
    ) -> None:
        """Keep the connection; the transaction begins when the block is entered."""
        self._connection = connection
        self._keep = keep
        self._durable = durable
        self._before = 0  # rows that were changed by earlier transactions

    def __enter__(self) -> sqlite3.Connection:
        """Take the write lock."""
        connection = self._connection
        ours = connection if isinstance(connection, StoreConnection) else None
        if ours is not None and ours.refusal is not None:
            raise ours.refusal
        try:
            self._set_level(ours)
            _begin(connection)
            found = schema.version(connection)
        except sqlite3.Error as error:
            self._roll_back()
            raise explain(error) from error
        self._before = connection.total_changes
        if ours is not None and not (ours.is_current() and found <= schema.CURRENT):
            self._roll_back()
            schema.refuse_newer(found, ours.path)
            message = "The memory database was removed or replaced while this session had it open."
            raise errors.StoreBusy(message)
        return connection

    def _set_level(self, ours: StoreConnection | None) -> None:
        level = "FULL" if self._durable else "NORMAL"
        if ours is None or ours.level != level:
            self._connection.execute(f"PRAGMA synchronous={level}")
        if ours is not None:
            ours.level = level

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Commit, or roll back and translate what SQLite said."""
        try:
            if kind is None and self._keep:
                if self._connection.total_changes != self._before:
                    state.mark(self._connection)
                self._connection.execute("COMMIT")
                return
        except sqlite3.Error as failure:
            self._roll_back()
            raise explain(failure) from failure
        self._roll_back()
        if isinstance(error, sqlite3.Error):
            raise explain(error) from error

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")


def _is_busy(error: sqlite3.Error) -> bool:
    return isinstance(explain(error), errors.StoreBusy)
