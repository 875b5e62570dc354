"""A full disk, and places that refuse writes: a clear message, and nothing lost."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.hook_calls import HOOKS
from tests.support.promises import promise
from tests.support.sessions import (
    SERVER,
    Session,
    as_other_user,
    assert_sound,
    database,
    within_file_size,
)
from tests.support.stdio_peer import CLIENT

if TYPE_CHECKING:
    from collections.abc import Iterator

KEPT = "The spare key is with the neighbour on the second floor."
NO_MOUNT = "only root may mount a small file system; the file-size limit is tested instead"
TMPFS = 'mount -t tmpfs -o size=1m none "$MEMORY_HOME" && exec "$@"'


@pytest.fixture
def shared() -> Iterator[Path]:
    """Return a folder that every user can reach, as pytest's own is not."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def _fill(session: Session) -> str:
    """Store until the store is full; return what is said then."""
    for number in range(400):
        words = " ".join(f"word{number}x{place}" for place in range(400))
        answer = session.call("memory_store", content=f"Long note {number}: {words}")
        if answer.refused:
            return answer.text
    raise AssertionError("the store never became full")


def _fill_up(folder: Path) -> None:
    """Leave no room on the small disk of a folder."""
    with (folder / "filler").open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            pass


def _inside(session: Session, program: Path, *words: str) -> str:
    """Run a program where a session sees its small disk; return what it said."""
    entered = ("nsenter", f"--mount=/proc/{session.pid}/ns/mnt", sys.executable, "-S", "-E")
    around = {**os.environ, "MEMORY_HOME": str(session.home)}
    done = subprocess.run(
        [*entered, str(program), *words], input=b"", env=around, capture_output=True, check=False
    )
    return done.stdout.decode()


def _assert_recovers(session: Session) -> None:
    """After room was made, everything that was answered is there and more can be stored."""
    later = session.store("Room was made on the disk.")
    assert later in session.done("memory_recall", context="room made on the disk")
    assert KEPT in session.done("memory_recall", context="spare key neighbour")


@promise("store.full-disk-loses-nothing")
def test_file_that_may_not_grow_is_named(tmp_path: Path) -> None:
    """Under a file-size limit the server says what to do, and goes on once it is lifted."""
    with Session(tmp_path) as session:
        session.store(KEPT)
    with within_file_size(tmp_path, 600) as session:
        said = _fill(session)
        assert "disk" in said
        assert "free some disk space" in said
        assert session.ask("ping")["result"] == {}
        assert KEPT in session.done("memory_recall", context="spare key neighbour")
        stored = len(session.contents())
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.prlimit(session.pid, resource.RLIMIT_FSIZE, (hard, hard))
        _assert_recovers(session)
        assert len(session.contents()) == stored + 1
    assert_sound(tmp_path)


@promise("store.full-disk-loses-nothing")
@pytest.mark.once
def test_full_disk_is_named_and_survived(tmp_path: Path) -> None:
    """On a small file system the server says that it is full, and goes on with more room."""
    with _on_a_small_disk(tmp_path) as session:
        session.store(KEPT)
        inside = Path(f"/proc/{session.pid}/root{tmp_path}")
        filler = inside / "filler"
        filler.write_bytes(bytes(400_000))
        said = _fill(session)
        assert "disk is full" in said or "may be full" in said
        assert "free some disk space" in said
        assert session.ask("ping")["result"] == {}
        assert "is full: what is there can be read" in session.done("memory_status")
        filler.unlink()
        _assert_recovers(session)
        shutil.copytree(inside / "memory", tmp_path / "saved" / "memory")
    assert_sound(tmp_path / "saved")


@pytest.mark.once
def test_disk_that_is_full_from_the_start_is_named(tmp_path: Path) -> None:
    """Where not even a new store fits, the answer says so, and a later one works."""
    with _on_a_small_disk(tmp_path) as session:
        session.ask("ping")
        inside = Path(f"/proc/{session.pid}/root{tmp_path}")
        _fill_up(inside)
        greeting = _inside(session, HOOKS / "session-start.py")
        assert "claude-memory cannot work: No store for memories can be made in" in greeting
        assert "is ready" not in greeting
        assert "FAIL  folder: The disk of" in _inside(session, CLIENT / "server.py", "doctor")
        said = session.refused("memory_store", content=KEPT)
        assert "free some disk space" in said
        (inside / "filler").unlink()
        session.store(KEPT)
        _assert_recovers(session)


@promise("store.full-disk-loses-nothing")
@pytest.mark.once
def test_store_on_a_full_disk_is_read_by_a_new_session(tmp_path: Path) -> None:
    """Not even a log fits beside it; it is found in, its state is told, and it goes on later."""
    with _on_a_small_disk(tmp_path) as first:
        first.store(KEPT)
        place = Path(f"/proc/{first.pid}/root{tmp_path}")
        inside = ("nsenter", f"--mount=/proc/{first.pid}/ns/mnt", *SERVER)
        _fill_up(place)
        with Session(tmp_path, command=inside) as session:
            assert KEPT in session.done("memory_recall", context="spare key neighbour")
            assert "is full: what is there can be read" in session.done("memory_status")
            assert "is full" in session.refused("memory_store", content="Something else.")
            (place / "filler").unlink()
            _assert_recovers(session)


@promise("store.full-disk-loses-nothing")
@pytest.mark.once
def test_store_that_nobody_has_open_is_read_on_a_full_disk(tmp_path: Path) -> None:
    """The last session took its log along, and there is no room for another one."""
    with _on_a_small_disk(tmp_path, "cat") as keeper:
        place = Path(f"/proc/{keeper.pid}/root{tmp_path}")
        inside = ("nsenter", f"--mount=/proc/{keeper.pid}/ns/mnt", *SERVER)
        _wait_for_mount(place)
        with Session(tmp_path, command=inside) as first:
            first.store(KEPT)
        _fill_up(place)
        for _ in range(2):  # the first may leave what it tried
            greeting = _inside(keeper, HOOKS / "session-start.py")
            assert "memory_recall finds those that are there" in greeting
            assert "FAIL  database" not in _inside(keeper, CLIENT / "server.py", "doctor")
            with Session(tmp_path, command=inside) as session:
                assert KEPT in session.done("memory_recall", context="spare key neighbour")
                assert "Needs attention" in session.done("memory_status")
                assert "free some disk space" in session.refused("memory_store", content="Else.")
        (place / "filler").unlink()
        with Session(tmp_path, command=inside) as session:
            _assert_recovers(session)


def _wait_for_mount(place: Path) -> None:
    deadline = time.monotonic() + 60
    while not os.path.ismount(place):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _on_a_small_disk(home: Path, *program: str) -> Session:
    if not _may_mount():
        pytest.skip(NO_MOUNT)
    shell = ("unshare", "--mount", "/bin/sh", "-c", TMPFS, "sh")
    return Session(home, command=(*shell, *(program or SERVER)))


def _may_mount() -> bool:
    program = shutil.which("unshare")
    if not program:
        return False
    done = subprocess.run(
        [program, "--mount", "/bin/sh", "-c", "mount -t tmpfs none /mnt"],
        capture_output=True,
        check=False,
    )
    return done.returncode == 0


def _protected(home: Path, folder_mode: int, file_mode: int) -> dict[Path, bytes]:
    """Take write permission from what is in a data folder; return its files."""
    for path in (*home.rglob("*"), home):
        path.chmod(folder_mode if path.is_dir() else file_mode)
    return {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}


@promise("store.refusing-places-are-named")
def test_read_only_folder_is_named(shared: Path) -> None:
    """Under another user's id a folder that refuses writes is named, with two ways out."""
    home = shared / "home"
    with Session(shared / "other") as session:
        session.store("Kept elsewhere.")
    with Session(home) as session:
        session.store(KEPT)
    shutil.copy(database(shared / "other"), database(home).with_name("memory 2.db"))
    before = _protected(home, 0o555, 0o444)
    with as_other_user(home) as session:
        said = session.refused("memory_store", content="Something else.")
        assert str(database(home)) in said
        assert "writable" in said
        assert "MEMORY_HOME" in said
        session.refused("memory_delete", id="L1")
        assert session.ask("ping")["result"] == {}
        assert KEPT in session.done("memory_recall", context="spare key neighbour")
        status = session.done("memory_status")
        assert "cannot be written" in status
        assert "1 memory that this store lacks waits in" in status
    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before


@promise("store.refusing-places-are-named")
def test_log_that_cannot_be_read_where_nothing_can_be_written_is_not_passed_over(
    shared: Path,
) -> None:
    """Without it the latest memories would seem to be gone."""
    home = shared / "home"
    with Session(home) as session:
        session.store("What the file itself holds.")
    with Session(home) as session:
        session.store(KEPT)
        session.kill()
    database(home).with_name("memory.db-shm").unlink()
    _protected(home, 0o555, 0o444)
    with as_other_user(home) as session:
        assert str(database(home)) in session.refused("memory_recall", context="spare key")


@promise("store.refusing-places-are-named")
def test_file_of_another_user_is_named(shared: Path) -> None:
    """A store that belongs to somebody else is not touched, and the answer says why."""
    home = shared / "home"
    with Session(home) as session:
        session.store(KEPT)
    if os.geteuid():  # an ordinary user has no other one to borrow: nobody's permissions, then
        database(home).chmod(0)
    with as_other_user(home) as session:
        for tool, arguments in (
            ("memory_store", {"content": "Something else."}),
            ("memory_recall", {"context": "spare key"}),
            ("memory_status", {}),
        ):
            said = session.refused(tool, **arguments)
            assert str(database(home)) in said
            assert "MEMORY_HOME" in said
        assert session.ask("ping")["result"] == {}
    database(home).chmod(0o600)
    with Session(home) as session:
        assert session.contents() == [KEPT]


@promise("store.refusing-places-are-named")
def test_home_that_cannot_be_made_is_named(shared: Path) -> None:
    """A data folder below one that refuses writes is named; the server stays up."""
    (shared / "locked").mkdir(mode=0o555)
    home = shared / "locked" / "data"
    with as_other_user(home) as session:
        said = session.refused("memory_store", content=KEPT)
        assert str(home) in said
        assert "MEMORY_HOME" in said
        assert session.ask("ping")["result"] == {}
        if os.geteuid() == 0:
            os.chown(shared / "locked", 65534, 65534)
        (shared / "locked").chmod(0o755)
        session.store(KEPT)
    assert home.is_dir()


def test_home_that_is_a_file_is_named(tmp_path: Path) -> None:
    """A MEMORY_HOME that leads through a file is named as what it is."""
    (tmp_path / "note.txt").write_text("not a folder")
    with Session(tmp_path / "note.txt" / "data") as session:
        said = session.refused("memory_store", content=KEPT)
        assert "note.txt" in said
        assert "MEMORY_HOME" in said
        assert session.ask("ping")["result"] == {}
