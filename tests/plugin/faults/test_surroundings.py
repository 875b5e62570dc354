"""What goes on around a running session: other holders of the file, moved files, file systems."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from claude_memory.store import failures, network

from tests.support.promises import promise
from tests.support.sessions import (
    SERVER,
    Session,
    assert_sound,
    database,
    files_with,
    rows,
    stranger,
)
from tests.support.stdio_peer import CLIENT

if TYPE_CHECKING:
    from pathlib import Path

KEPT = "The spare key is with the neighbour on the second floor."
FAKE_TABLE = 'mount --bind "$TABLE" /proc/$$/mounts && exec "$@"'
TABLE = """\
/dev/sda1 / ext4 rw 0 0
server:/home {folder} nfs4 rw,relatime 0 0
//server/share /mnt/a\\040share cifs rw 0 0
tmpfs {folder}/local tmpfs rw 0 0
me@host:/ /srv/remote fuse.sshfs rw 0 0
"""


@promise("store.busy-is-answered-in-time")
@pytest.mark.once
def test_locked_store_is_a_clear_answer_in_time(tmp_path: Path) -> None:
    """While another program holds the write lock, a store is refused whole and others answer."""
    with Session(tmp_path) as session:
        session.store(KEPT)
        with stranger(tmp_path) as other:
            other.execute("BEGIN IMMEDIATE")
            session.peer.call("slow", "memory_store", content="Something else.")
            assert session.ask("ping")["result"] == {}
            assert KEPT in session.done("memory_recall", context="spare key neighbour")
            refusal = session.peer.hear()
            assert refusal["id"] == "slow"
            assert refusal["result"]["isError"]
            said = refusal["result"]["content"][0]["text"]
            assert "in use by another session" in said
            assert "Nothing was written; try again" in said
            other.execute("ROLLBACK")
        assert rows(tmp_path, "SELECT content FROM memories") == [(KEPT,)]
        session.store("Something else.")


@promise("store.moves-with-its-file")
def test_deleted_store_is_made_anew(tmp_path: Path) -> None:
    """Memories stored after somebody removed the data folder are in the folder that is there."""
    with Session(tmp_path / "home") as session, Session(tmp_path / "home") as other:
        session.store("Stored before the folder was removed.")
        other.contents()
        while (tmp_path / "home").exists():  # a session may be putting a lock file into it
            shutil.rmtree(tmp_path / "home", ignore_errors=True)
        session.store(KEPT)
        other.store("Stored by the other session.")
        assert sorted(session.contents()) == sorted([KEPT, "Stored by the other session."])
    assert rows(tmp_path / "home", "SELECT count(*) FROM memories") == [(2,)]
    assert_sound(tmp_path / "home")


@promise("store.moves-with-its-file")
@pytest.mark.parametrize("ends", ["with its log", "alone"])
def test_replaced_store_is_the_one_used(tmp_path: Path, ends: str) -> None:
    """Once a backup is put in the store's place, sessions that run work on the backup."""
    backup = tmp_path / "backup.db"
    with Session(tmp_path / "home") as session, Session(tmp_path / "home") as other:
        path = database(tmp_path / "home")
        session.store(KEPT)
        with (
            closing(sqlite3.connect(str(path))) as source,
            closing(sqlite3.connect(str(backup))) as copy,
        ):
            source.backup(copy)
        for number in range(200):
            session.store(f"Stored in drawer {number} after the backup was made.")
        assert len(other.contents()) == 100
        if ends == "with its log":
            for end in ("-wal", "-shm"):
                path.with_name(path.name + end).unlink()
        backup.replace(path)
        later = [each.store(f"Stored by {each.pid} later.") for each in (session, other)]
        assert later == ["L2", "L3"]
        assert len(session.contents()) == len(other.contents()) == 3
    assert_sound(tmp_path / "home")
    with Session(tmp_path / "home") as session:
        assert KEPT in session.contents()


@promise("store.foreign-log-is-set-aside")
def test_older_log_beside_the_file_takes_nothing_back(tmp_path: Path) -> None:
    """A log from before, beside a newer file, is not laid over it; the next greeting tells."""
    path = database(tmp_path)
    log = path.with_name("memory.db-wal")
    with Session(tmp_path) as session:
        gone = session.store("Stored and deleted before the log was copied.")
        session.done("memory_delete", id=gone)
        session.store("Stored before the log was copied.")
        older = log.read_bytes()
        session.done("memory_update", id="L2", content="Changed after the log was copied.")
        session.store("Stored after the log was copied.")
    assert not log.exists()
    log.write_bytes(older)
    _expect_only(
        tmp_path, ["Changed after the log was copied.", "Stored after the log was copied."]
    )
    assert [one.read_bytes() for one in path.parent.glob("memory.db.foreign-log-*")] == [older]


@promise("store.foreign-log-is-set-aside")
def test_newer_log_beside_a_backup_is_not_mixed_with_it(tmp_path: Path) -> None:
    """A killed session left its log; a backup of the file alone is what was asked for."""
    path, backup = database(tmp_path), tmp_path / "backup.db"
    with Session(tmp_path) as session:
        session.store(KEPT)
    backup.write_bytes(path.read_bytes())
    with Session(tmp_path) as session:
        for number in range(50):
            session.store(f"Stored in drawer {number} after the backup was made.")
    with Session(tmp_path) as session:
        session.store("Stored last.")
        session.kill()
    assert path.with_name("memory.db-wal").stat().st_size
    path.write_bytes(backup.read_bytes())
    _expect_only(tmp_path, [KEPT])


@promise("store.foreign-log-is-set-aside")
def test_own_log_is_used_whoever_wrote_it(tmp_path: Path) -> None:
    """What killed sessions left is the file's own log, also where a plugin of before wrote on."""
    with Session(tmp_path) as session:
        session.store(KEPT)
        _write_as_before(tmp_path)
        session.kill()
    _expect_only(tmp_path, ["Changed by a plugin of before."], noted=False)
    copy = tmp_path / "copy"
    with closing(sqlite3.connect(str(database(tmp_path)))) as reader:
        reader.execute("SELECT count(*) FROM memories").fetchone()  # so that the log stays
        _write_as_before(tmp_path)
        shutil.copytree(tmp_path / "memory", copy / "memory")
    assert (copy / "memory" / "memory.db-wal").stat().st_size
    _expect_only(copy, ["Stored afterwards.", "Changed by a plugin of before."], noted=False)


def _write_as_before(home: Path) -> None:
    """Change the only memory as a version does that signs nothing."""
    with closing(sqlite3.connect(str(database(home)))) as earlier, earlier:
        earlier.execute(
            "UPDATE memories SET content = 'Changed by a plugin of before.' WHERE local_no = 1"
        )


def _expect_only(home: Path, texts: list[str], *, noted: bool = True) -> None:
    with Session(home) as one, Session(home) as two:
        assert sorted(one.contents()) == sorted(two.contents()) == sorted(texts)
        two.store("Stored afterwards.")  # a known text is stored once
        assert "Stored afterwards." in one.contents()
    assert [one.where for one in failures.unseen(str(home))] == ["database"] * noted
    assert_sound(home)


def test_removed_plugin_asks_for_a_restart(tmp_path: Path) -> None:
    """A session that outlives its plugin's folder has not all of it loaded, and says what to do."""
    installed = tmp_path / "plugin"
    shutil.copytree(CLIENT.parent, installed)
    command = (*SERVER[:-1], str(installed / "mcp" / "server.py"))
    with Session(tmp_path / "home", command=command) as session:
        session.ask("ping")
        shutil.rmtree(installed)
        assert "restart Claude Code" in session.refused("memory_status")


def test_network_file_systems_are_recognised(tmp_path: Path) -> None:
    """The innermost mount decides; blanks in its path are read."""
    table = tmp_path / "mounts"
    table.write_text(TABLE.format(folder=tmp_path))
    found = {
        place: network.file_system(place, str(table))
        for place in (
            str(tmp_path / "memory.db"),
            str(tmp_path / "local" / "memory.db"),
            "/mnt/a share/memory.db",
            "/mnt/a share nearby/memory.db",
            "/srv/remote/memory.db",
            "/srv/memory.db",
        )
    }
    assert list(found.values()) == ["nfs4", "", "cifs", "", "fuse.sshfs", ""]


@promise("store.network-file-systems")
def test_store_on_a_network_file_system_does_without_a_shared_log(tmp_path: Path) -> None:
    """There the store works with a rollback journal, purges cleanly, and status says what to do."""
    home = tmp_path / "home"
    table = tmp_path / "mounts"
    table.write_text(TABLE.format(folder=tmp_path))
    if not _may_bind(table):
        pytest.skip("only root may show a process another table of mounts")
    command = ("unshare", "--mount", "/bin/sh", "-c", FAKE_TABLE, "sh", *SERVER)
    environ = {"TABLE": str(table)}
    with Session(home, command=command, environ=environ) as one:
        one.store(KEPT)
        assert not database(home).with_name("memory.db-wal").exists()
        with Session(home, command=command, environ=environ) as two:
            assert two.contents() == [KEPT]
            gone = two.store("The zqxplumbago door has a code.")
        status = one.done("memory_status")
        assert "network file system (nfs4)" in status
        assert "MEMORY_HOME" in status
        assert "cannot be undone" in one.done("memory_delete", id=gone, purge=True)
        assert not files_with(home, "zqxplumbago")
    assert database(home).read_bytes()[18:20] == b"\x01\x01", "the file is in WAL mode"
    assert_sound(home)


def _may_bind(table: Path) -> bool:
    program = shutil.which("unshare")
    command = ["--mount", "/bin/sh", "-c", 'mount --bind "$0" /proc/$$/mounts', str(table)]
    return bool(program) and not subprocess.run([str(program), *command], check=False).returncode
