"""Damaged files: set aside and kept, what can be read is saved, and the user is told."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import time
from contextlib import closing
from datetime import datetime, timezone
from random import Random
from typing import TYPE_CHECKING, Callable

import pytest
from claude_memory.errors import StoreDamaged, StoreNewer
from claude_memory.store import salvage
from claude_memory.store.lock import mend_lock

from tests.support.desk import Desk
from tests.support.promises import promise
from tests.support.sessions import Session, assert_sound, database

if TYPE_CHECKING:
    from pathlib import Path

PAGE = 4096
MEMORIES = 60
Damage = Callable[[bytearray, sqlite3.Connection], None]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of a store with 60 memories, one of them edited and one deleted."""
    home = tmp_path_factory.mktemp("sound")
    desk = Desk(home)
    for number in range(MEMORIES):
        words = " ".join(f"word{number}x{place}" for place in range(20))
        desk.store(f"Fact {number}: {words}", tags=f"tag{number}")
    desk.call("memory_update", id="L3", content="Fact 3 was edited.")
    desk.call("memory_delete", id="L4")
    desk.connection.close()
    return database(home)


def _pages(connection: sqlite3.Connection, table: str) -> list[int]:
    """Return the pages of a table's leaves, by their place in the file."""
    query = "SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf'"
    try:
        return [number for (number,) in connection.execute(query, (table,))]
    except sqlite3.OperationalError:  # this SQLite is built without dbstat: take the root
        root = "SELECT rootpage FROM sqlite_master WHERE name = ?"
        return [number for (number,) in connection.execute(root, (table,))]


def _noise(size: int, seed: int = 1) -> bytes:
    random = Random(seed)  # noqa: S311  (to be repeated)
    return bytes(random.randrange(256) for _ in range(size))


def _page_of(table: str) -> Damage:
    def damage(data: bytearray, connection: sqlite3.Connection) -> None:
        start = (_pages(connection, table)[-1] - 1) * PAGE
        data[start : start + PAGE] = _noise(PAGE)

    return damage


def _bytes_of_a_page(table: str) -> Damage:
    def damage(data: bytearray, connection: sqlite3.Connection) -> None:
        random = Random(2)  # noqa: S311
        start = (_pages(connection, table)[0] - 1) * PAGE
        for _ in range(40):
            data[start + random.randrange(PAGE)] ^= random.randrange(1, 256)

    return damage


def _end_cut_off(data: bytearray, connection: sqlite3.Connection) -> None:
    del data[(_pages(connection, "memories")[-2] - 1) * PAGE :]


def _half(data: bytearray, connection: sqlite3.Connection) -> None:
    del data[len(data) // 2 :]


def _one_letter(data: bytearray, connection: sqlite3.Connection) -> None:
    data[data.index(b"Fact 20: word20x0")] = 0xFF


DAMAGES = {
    "a page of memories": (_page_of("memories"), MEMORIES // 2),
    "bytes of a page of memories": (_bytes_of_a_page("memories"), MEMORIES // 2),
    "a page of the index": (_page_of("memories_fts_data"), MEMORIES - 1),
    "bytes of the index": (_bytes_of_a_page("memories_fts_data"), MEMORIES - 1),
    "a page of another index": (_page_of("memories_by_twin"), MEMORIES - 1),
    "one letter": (_one_letter, MEMORIES - 1),
    "the end cut off": (_end_cut_off, MEMORIES // 2),
    "truncation to half": (_half, 0),
    "a text file": (lambda data, _: data.__setitem__(slice(None), b"shopping list\n" * 99), 0),
    "an empty file": (lambda data, _: data.clear(), 0),
}


@pytest.fixture(params=DAMAGES)
def damaged(request: pytest.FixtureRequest, sound: Path, tmp_path: Path) -> tuple[Path, int]:
    """Return a data folder with a damaged store, and how many memories must come out of it."""
    damage, least = DAMAGES[request.param]
    _copy_damaged(sound, tmp_path, damage)
    return tmp_path, least


def _copy_damaged(sound: Path, home: Path, damage: Damage) -> None:
    data = bytearray(sound.read_bytes())
    with closing(sqlite3.connect(str(sound))) as connection:
        damage(data, connection)
    database(home).parent.mkdir()
    database(home).write_bytes(data)


@promise("store.damage-is-mended")
def test_damaged_store_is_mended_and_the_user_is_told(damaged: tuple[Path, int]) -> None:
    """The session goes on with what could be read; the damaged file is kept as it was."""
    home, least = damaged
    before = database(home).read_bytes()
    with Session(home) as session:
        said = [session.call("memory_recall", context="word20x1 word7x3 edited")]
        said.append(session.call("memory_list", limit=100))
        said.append(session.call("memory_store", content="Stored after the damage."))
        said += [session.call("memory_store", content="Stored still later.")]
        assert not said[-1].refused, said
        refusals = [one.text for one in said if one.refused]
        assert len(refusals) <= 1, refusals
        assert all("damaged" in one and "try again" in one for one in refusals)
        status = session.done("memory_status")
        assert len(session.contents()) >= least
    aside = sorted(database(home).parent.glob("*.damaged-*[0-9]"))
    if before and "index was damaged and has been rebuilt" not in status:
        assert [path.read_bytes() for path in aside] == [before]
        assert aside[0].stat().st_mode & 0o777 == 0o600
        found = re.search(r"(\d+) memories could be read", status)
        assert found
        assert int(found[1]) >= least
        assert str(aside[0]) in status
    assert_sound(home)
    with Session(home) as session:
        assert "Stored still later." in session.contents()


@pytest.mark.once
def test_every_byte_of_the_header_may_be_wrong(sound: Path, tmp_path: Path) -> None:
    """No single byte of the header costs a memory: its file is sound behind it."""
    data = sound.read_bytes()
    # The lowest bit of the schema's version (byte 63) makes it one that a later plugin may write.
    slightly = [(place, 0x01) for place in (*range(16, 32), *range(56, 63), *range(64, 72))]
    for place, bits in [*((place, 0xFF) for place in range(100)), *slightly]:
        home = tmp_path / f"{place}-{bits}"
        database(home).parent.mkdir(parents=True)
        wrong = bytearray(data)
        wrong[place] ^= bits
        database(home).write_bytes(wrong)
        desk = Desk(home)
        try:
            desk.texts()
            desk.store("Stored after the damage.")
        except StoreDamaged:  # it was noticed only now, and is mended
            desk.store("Stored after the damage.")
        assert len(desk.texts(limit=100)) == MEMORIES, place
        desk.connection.close()


def test_file_of_one_version_later_is_read_and_left_alone(sound: Path, tmp_path: Path) -> None:
    """A version that a later plugin may have written is believed: recall works, nothing is lost."""
    data = bytearray(sound.read_bytes())
    data[63] += 1
    database(tmp_path).parent.mkdir(parents=True)
    database(tmp_path).write_bytes(data)
    desk = Desk(tmp_path)
    assert len(desk.texts(limit=100)) == MEMORIES - 1
    with pytest.raises(StoreNewer):
        desk.store("Stored after the damage.")
    desk.connection.close()
    assert database(tmp_path).read_bytes() == bytes(data)


def test_garbage_in_the_log_costs_what_it_covered_at_most(sound: Path, tmp_path: Path) -> None:
    """A log that is no log is passed over; the memories in the file stay."""
    database(tmp_path).parent.mkdir()
    database(tmp_path).write_bytes(sound.read_bytes())
    log = database(tmp_path).with_name("memory.db-wal")
    log.write_bytes(_noise(50_000))
    with Session(tmp_path) as session:
        assert len(session.contents()) == MEMORIES - 1
        session.store("Stored after the damage.")
    assert_sound(tmp_path)


def test_sessions_already_open_move_to_the_mended_store(sound: Path, tmp_path: Path) -> None:
    """Damage comes while two sessions run: both tell of it or go on, and use one new file."""
    database(tmp_path).parent.mkdir()
    database(tmp_path).write_bytes(sound.read_bytes())
    with Session(tmp_path) as one, Session(tmp_path) as two:
        assert len(one.contents()) == len(two.contents()) == MEMORIES - 1
        with closing(sqlite3.connect(str(database(tmp_path)))) as connection:
            pages = _pages(connection, "memories")
        with database(tmp_path).open("r+b") as file:
            file.seek((pages[-1] - 1) * PAGE)
            file.write(b"\xff" * PAGE)
        for number in range(3):
            for session in (one, two):
                session.call("memory_recall", context=f"word7x3 {number}")
                session.call("memory_list", limit=100)
                session.call("memory_store", content=f"Stored by {session.pid}, {number}.")
        for session in (one, two):
            session.store(f"Stored by {session.pid} at last.")
        assert one.contents() == two.contents()
        assert "could be read" in two.done("memory_status")
    assert len(list(database(tmp_path).parent.glob("*.damaged-*[0-9]"))) == 1
    assert_sound(tmp_path)


def test_two_sessions_that_meet_the_damage_at_once_mend_it_once(
    sound: Path, tmp_path: Path
) -> None:
    """The file is set aside one time, and what was saved is not set aside again."""
    _copy_damaged(sound, tmp_path, _end_cut_off)
    sessions = [Session(tmp_path) for _ in range(4)]
    try:
        for session in sessions:  # all are up before any opens the store
            session.ask("ping")
        for session in sessions:
            session.peer.call("first", "memory_list", limit=100)
        for session in sessions:
            session.peer.hear()
        assert len({tuple(session.contents()) for session in sessions}) == 1
        assert sessions[0].contents()
    finally:
        for session in sessions:
            session.__exit__()
    assert len(list(database(tmp_path).parent.glob("*.damaged-*[0-9]"))) == 1
    assert_sound(tmp_path)


def test_session_that_opens_the_store_while_it_is_set_aside_loses_nothing(
    sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits until the new file is there, and its leaving takes no log from that."""
    _copy_damaged(sound, tmp_path, _end_cut_off)
    replace = os.replace
    with Session(tmp_path) as session, Session(tmp_path) as another:
        for one in (session, another):
            one.ask("ping")

        def slowly(source: str, target: str) -> None:
            if source == str(database(tmp_path)):  # its log has been set aside already
                session.peer.call("meanwhile", "memory_list", limit=100)
                time.sleep(1)
            replace(source, target)
            if source == str(database(tmp_path)):
                another.peer.call("meanwhile", "memory_list", limit=100)
                time.sleep(1)

        monkeypatch.setattr(os, "replace", slowly)
        mended = salvage.mend(str(database(tmp_path)), datetime.now(timezone.utc))
        for one in (session, another):
            assert "Fact 0:" in json.dumps(one.peer.hear())
        assert len(session.contents()) == len(another.contents()) == mended.saved
    assert mended.saved >= MEMORIES // 2
    assert_sound(tmp_path)


@pytest.mark.once
def test_long_mending_by_another_session_is_named(sound: Path, tmp_path: Path) -> None:
    """Who opens the store meanwhile is told to try again, and finds everything then."""
    database(tmp_path).parent.mkdir()
    database(tmp_path).write_bytes(sound.read_bytes())
    with Session(tmp_path) as session:
        with mend_lock(str(database(tmp_path))):
            said = session.refused("memory_list")
        assert "Another session is mending" in said
        assert "again" in said
        assert len(session.contents()) == MEMORIES - 1
