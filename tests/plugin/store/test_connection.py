"""Write transactions: who gets the lock, how long one waits for it, and what is left behind."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from claude_memory import paths
from claude_memory.errors import StoreBusy, StoreFull, StoreNewer
from claude_memory.store import connection as store
from claude_memory.store import schema
from claude_memory.store.connection import open_store, write
from claude_memory.store.lock import BUSY_SECONDS

from tests.support.clock import Clock
from tests.support.promises import promise
from tests.support.sessions import files_with
from tests.support.stores import kept, opened

if TYPE_CHECKING:
    from claude_memory.store.connection import StoreConnection


def _patience(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA busy_timeout").fetchone()[0])


def test_writer_gets_in_when_the_other_has_finished(tmp_path: Path) -> None:
    """A session that finds the lock taken waits for it, and then writes."""
    first, second = opened(tmp_path), opened(tmp_path)
    begun = threading.Event()

    def wait_and_write() -> None:
        begun.set()
        with write(second) as connection:
            connection.execute("INSERT INTO sync_state VALUES ('second', '1')")

    with write(first) as connection:
        waiting = threading.Thread(target=wait_and_write)
        waiting.start()
        begun.wait()
        connection.execute("INSERT INTO sync_state VALUES ('first', '1')")
    waiting.join()
    kept = {key for (key,) in first.execute("SELECT k FROM sync_state")}
    assert {"first", "second"} <= kept


def test_writer_gives_up_when_its_patience_ends(tmp_path: Path) -> None:
    """A lock that is never let go ends in a clear refusal; the connection stays patient."""
    first, second = opened(tmp_path), opened(tmp_path)
    second.execute("PRAGMA busy_timeout=30")
    with write(first), pytest.raises(StoreBusy), write(second):
        pass
    assert _patience(second) == 30
    with write(second):
        pass


def test_log_outlives_another_process_that_leaves(tmp_path: Path) -> None:
    """What a process with two connections writes is seen by all that come later."""
    first, _second = opened(tmp_path), opened(tmp_path)
    path = paths.database(str(tmp_path))
    log = store.identity(path + "-wal")
    script = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('SELECT * FROM sync_state')"
    subprocess.run([sys.executable, "-c", script, path], check=True)
    assert log is not None
    assert store.identity(path + "-wal") == log
    with write(first):
        first.execute("INSERT INTO sync_state VALUES ('later', '1')")
    assert opened(tmp_path).execute("SELECT v FROM sync_state WHERE k = 'later'").fetchone()


def test_patience_is_the_same_after_a_write(tmp_path: Path) -> None:
    """Reading after a write waits as long for a lock as before it."""
    connection = opened(tmp_path)
    before = _patience(connection)
    with write(connection):
        assert _patience(connection) == before == int(BUSY_SECONDS * 1000)


def test_nobody_waits_for_what_waiting_does_not_mend(tmp_path: Path) -> None:
    """An error that is no lock comes out at once, as SQLite's own would."""
    connection = opened(tmp_path)
    with write(connection), pytest.raises(sqlite3.OperationalError, match="within a transaction"):
        store._begin(connection)


def test_longer_waiting_writers_ask_more_often() -> None:
    """Twenty sessions take turns: a newcomer does not overtake the one that has waited."""
    pauses = [store._pause(waited, 0.0) for waited in (0.0, 0.05, 0.1, 0.14, 4.0)]
    assert pauses == sorted(pauses, reverse=True)
    assert pauses[-1] < pauses[0] / 10


def test_commits_of_others_tell_short_work_from_long(tmp_path: Path) -> None:
    """Who has waited for long among many asks as often as before: only long work is let alone."""
    first, second = opened(tmp_path), opened(tmp_path)
    with write(first):
        first.execute("INSERT INTO sync_state VALUES ('one', '1')")
        before = store._commits(second)
        assert store._commits(second) == before
    assert store._commits(second) != before


def test_long_work_of_another_is_not_asked_after_all_the_time() -> None:
    """Where one session imports for seconds, the others do not burn the processor meanwhile."""
    assert store._pause(3.0, 3.0) >= 0.005


def test_durable_write_after_a_quick_one_is_durable(tmp_path: Path) -> None:
    """Each transaction has the level it asks for, whichever came before."""
    connection = opened(tmp_path)
    levels = []
    for durable in (True, False, False, True, True, False):
        with write(connection, durable=durable):
            levels.append(connection.execute("PRAGMA synchronous").fetchone()[0])
    assert levels == [2, 1, 1, 2, 2, 1]


@promise("store.purge-leaves-nothing")
def test_deleted_text_is_overwritten(tmp_path: Path) -> None:
    """Freed pages hold nothing of what stood there, such as a turn that has been learned from."""
    connection = opened(tmp_path)
    word = "zqxplumbago"
    with write(connection):
        connection.execute("INSERT INTO sync_state VALUES ('long', ?)", (f"{word} " * 3_000,))
    with write(connection):
        connection.execute("DELETE FROM sync_state WHERE k = 'long'")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert files_with(tmp_path, word) == []


def _openings(path: Path) -> int:
    """Count how often this process has a file open, as Linux tells it."""
    found = 0
    for link in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # another thread has closed it meanwhile
            found += link.samefile(path)
    return found


def test_store_that_another_session_is_just_making_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two that make the log at once, SQLite refuses one without waiting."""
    path = tmp_path / "memory.db"
    with closing(sqlite3.connect(str(path), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        monkeypatch.setattr(store, "time", Clock(lambda: other.execute("ROLLBACK")))
        kept(open_store(str(path)))


def test_last_try_comes_when_patience_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who was stopped for a minute while it asked has not waited: it asks once more."""
    first, second = opened(tmp_path), opened(tmp_path)
    first.execute("BEGIN IMMEDIATE")
    clock = Clock(lambda: first.execute("ROLLBACK"))
    monkeypatch.setattr(store, "time", clock)
    second.set_trace_callback(lambda _statement: clock.stop(60.0))
    with write(second):
        pass


def test_tables_that_come_between_two_looks_are_no_damage(tmp_path: Path) -> None:
    """Who looks at a file while another session makes its tables sees that they are ours."""
    path = str(tmp_path / "memory.db")
    looks: list[str] = []

    def look(statement: str) -> None:
        looks.append(statement)
        if len(looks) == 2:
            open_store(path).close()

    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.set_trace_callback(look)
        schema.refuse_unknown(connection, path)
    assert len(looks) == 2


@pytest.mark.once  # it asks Linux who holds the file
def test_file_that_is_replaced_while_it_is_opened_is_opened_anew(tmp_path: Path) -> None:
    """Neither the old file nor the new one's log is taken for what it is not."""
    path, other = tmp_path / "memory.db", tmp_path / "other.db"
    open_store(str(other)).close()
    holder = sqlite3.connect(str(path), isolation_level=None)
    holder.execute("PRAGMA journal_mode=WAL")
    holder.execute("BEGIN IMMEDIATE")  # whoever opens the file has to wait before making tables
    before = _openings(path)
    found: list[StoreConnection] = []
    opener = threading.Thread(target=lambda: found.append(open_store(str(path))))
    opener.start()
    while _openings(path) == before and opener.is_alive():
        pass
    other.replace(path)
    holder.close()
    opener.join()
    with closing(found[0]) as connection:
        assert connection.is_current()
        assert connection.execute("SELECT count(*) FROM memories").fetchone() == (0,)


def test_lock_is_let_go_of_where_the_file_cannot_be_read_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody would end a transaction whose block is never entered, and all others would wait."""

    def unreadable(_: sqlite3.Connection) -> int:
        raise sqlite3.OperationalError("disk I/O error")

    with closing(open_store(str(tmp_path / "memory.db"))) as connection:
        monkeypatch.setattr(schema, "version", unreadable)
        with pytest.raises(StoreFull), write(connection):
            pytest.fail("the transaction has begun")
        assert not connection.in_transaction


def test_nothing_is_written_into_a_store_that_was_upgraded_while_it_was_open(
    tmp_path: Path,
) -> None:
    """A later version may rely on what this one would leave out."""
    path = str(tmp_path / "memory.db")
    with closing(open_store(path)) as connection, closing(sqlite3.connect(path)) as later:
        later.execute(f"PRAGMA user_version={schema.CURRENT + 1}")
        with pytest.raises(StoreNewer), write(connection):
            pytest.fail("the transaction has begun")
        assert not connection.in_transaction
