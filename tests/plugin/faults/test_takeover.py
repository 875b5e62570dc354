"""The earlier system's database is taken over: once, whole, and without its clear secrets."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import ExitStack, closing
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from claude_memory.service import upkeep
from claude_memory.store import connection
from claude_memory.store.connection import open_store

from tests.support import earlier
from tests.support.clock import Clock
from tests.support.desk import Desk
from tests.support.promises import promise
from tests.support.sessions import Died, Session, assert_sound, database, files_with, rows, stranger

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = "ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"
WORD = "zqxplumbago"
ROWS: list[dict[str, Any]] = [
    {
        "content": "Use pnpm, not npm.",
        "category": "preferences",
        "tags": "js,tools",
        "expanded_keywords": "package manager",
        "importance": 0.9,
        "created_at": "2025-01-02 03:04:05",
        "server_id": 812,
    },
    {"content": f"The deploy token is {TOKEN}", "is_sensitive": 1},
    {"content": "A note that was deleted.", "deleted_at": "2025-02-01T00:00:00"},
    {"content": "A category of its own.", "category": "misc", "created_at": "2025-03-04T05:06:07"},
    {"content": "No category at all.", "category": None, "tags": None, "importance": None},
    {"content": "Importance in words.", "importance": "high", "created_at": "last week"},
    {"content": "Far too important.", "importance": 17, "created_at": None},
    {"content": "The same fact, again and again."},
    {"content": "The same fact, again and again"},
    {"content": "   "},
    {"content": "With a zero\x00byte and 'quotes\" in it.", "tags": f"t,{TOKEN}"},
    {"content": f"The {WORD} door has a card.", "created_at": "2025-05-06T07:08:09+02:00"},
]
KEPT = {
    "Use pnpm, not npm.": ("preferences", 0.9, "2025-01-02T03:04:05.000000Z"),
    "The deploy token is [secret: github-token]": ("facts", 0.5, None),
    "A category of its own.": ("facts", 0.5, "2025-03-04T05:06:07.000000Z"),
    "No category at all.": ("facts", 0.5, None),
    "Importance in words.": ("facts", 0.5, None),
    "Far too important.": ("facts", 1.0, None),
    "The same fact, again and again.": ("facts", 0.5, None),
    "With a zerobyte and 'quotes\" in it.": ("facts", 0.5, None),
    f"The {WORD} door has a card.": ("facts", 0.5, "2025-05-06T05:08:09.000000Z"),
}


@pytest.fixture(params=["at our place", "in its own folder"])
def folders(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Path, dict[str, str]]:
    """Return our data folder, the earlier file, and the environment in which both are found."""
    person = tmp_path / "a person's 100% #1 home"
    ours = person / ".claude" / "claude-memory"
    if request.param == "at our place":
        place = database(ours)
    else:
        place = person / ".claude" / "metaclaw" / "memory" / "memory.db"
    return ours, place, {"HOME": str(person), "USERPROFILE": str(person)}


def _taken(ours: Path) -> dict[str, tuple[Any, ...]]:
    query = "SELECT content, category, importance, created_at FROM memories WHERE live = 1"
    found = rows(ours, query)
    assert len(found) == len({row[0] for row in found}), found
    return {row[0]: row[1:] for row in found}


def _assert_taken(ours: Path) -> None:
    found = _taken(ours)
    assert set(found) == set(KEPT)
    for content, (category, importance, created) in KEPT.items():
        assert found[content][:2] == (category, importance), content
        assert created in {None, found[content][2]}, content
    assert_sound(ours)


def _copies(ours: Path) -> list[Path]:
    return sorted(database(ours).parent.glob("memory.db.*"))


@promise("takeover.leaves-no-clear-secret")
def test_earlier_database_is_taken_over_whole(
    folders: tuple[Path, Path, dict[str, str]],
) -> None:
    """Every live memory comes over with its fields; the copy is kept; secrets are sealed."""
    ours, place, environ = folders
    earlier.make(place, ROWS)
    with Session(ours, environ=environ) as session:
        assert len(session.contents()) == len(KEPT)
        assert "taken over" in session.done("memory_status")
        said = session.done("memory_recall", context="deploy token", limit=1)
        label = said.splitlines()[1].split()[0]
        assert TOKEN in session.done("secret_get", id=label)
        assert "pnpm" in session.done("memory_recall", context="package manager")
        session.store("Stored after the takeover.")
        session.done("memory_delete", id=session.store("Not for long."), purge=True)
        session.done("memory_delete", id=f"L{len(KEPT) + 1}", purge=True)
    (copy,) = _copies(ours)
    for path in (copy, database(ours)):
        assert path.stat().st_mode & 0o777 == 0o600
    assert database(ours).parent.stat().st_mode & 0o777 == 0o700
    assert rows_of(copy, "SELECT count(*) FROM memories") == [(len(ROWS),)]
    _assert_taken(ours)
    clear = [str(copy)] if place == database(ours) else [str(copy), str(place)]
    assert files_with(place.parents[3], TOKEN) == sorted(clear)


def rows_of(path: Path, query: str) -> list[tuple[Any, ...]]:
    """Read a file that is not a store of ours."""
    with closing(sqlite3.connect(path.as_uri() + "?mode=ro&immutable=1", uri=True)) as connection:
        return connection.execute(query).fetchall()


@promise("takeover.leaves-no-clear-secret")
def test_purge_reaches_the_copy(folders: tuple[Path, Path, dict[str, str]]) -> None:
    """A memory that is purged is purged from the earlier system's copy, its queue included."""
    ours, place, environ = folders
    earlier.make(place, ROWS)
    with Session(ours, environ=environ) as session:
        said = session.done("memory_recall", context=f"{WORD} door", limit=1)
        (copy,) = _copies(ours)
        assert str(copy) in files_with(ours, WORD)
        part = copy.with_name(f"{copy.name}.part-999")
        part.write_text(f"a copy that was cut off: {WORD}")
        session.done("memory_delete", id=said.splitlines()[1].split()[0], purge=True)
        assert files_with(ours, WORD) == [str(part)], "only what may still be in the making"
    desk = Desk(ours)
    desk.clock = desk.clock.replace(year=2099)
    upkeep.run(desk.place, desk.door)
    assert files_with(ours, WORD) == []


@promise("takeover.once-and-whole")
def test_takeover_happens_once(folders: tuple[Path, Path, dict[str, str]]) -> None:
    """Sessions that start together, and later ones, find it done; what was deleted stays so."""
    ours, place, environ = folders
    earlier.make(place, ROWS)
    with ExitStack() as stack:
        sessions = [stack.enter_context(Session(ours, environ=environ)) for _ in range(4)]
        for session in sessions:
            session.peer.call("first", "memory_list", limit=100, scope="all")
        for session in sessions:
            answer = session.peer.hear()["result"]
            assert not answer["isError"], answer
            assert f"Found {len(KEPT)} memories" in answer["content"][0]["text"]
        sessions[0].done("memory_delete", id="L1")
    with Session(ours, environ=environ) as session:
        assert len(session.contents()) == len(KEPT) - 1
        said = session.done("memory_recall", context=f"{WORD} door", limit=1)
        session.done("memory_delete", id=said.splitlines()[1].split()[0], purge=True)
    assert len(_copies(ours)) == 1
    assert files_with(ours, WORD) == []


def test_long_takeover_is_waited_for(
    folders: tuple[Path, Path, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thousands of memories take a session seconds; another that starts meanwhile is patient."""
    ours, place, environ = folders
    earlier.make(place, ROWS)
    monkeypatch.setenv("HOME", environ["HOME"])
    monkeypatch.setenv("USERPROFILE", environ["USERPROFILE"])
    if place != database(ours):
        open_store(str(database(ours))).close()
    with stranger(ours) as other:
        other.execute("BEGIN IMMEDIATE")
        clock = Clock(lambda: other.execute("ROLLBACK"), passes=1.0, sleeps=20)
        monkeypatch.setattr(connection, "time", clock)
        assert len(Desk(ours).texts(limit=100)) == len(KEPT)


def test_takeover_reaches_a_store_that_is_there_already(tmp_path: Path) -> None:
    """Our store may have been made before the earlier one was found: nothing is left behind."""
    environ = {"HOME": str(tmp_path), "USERPROFILE": str(tmp_path)}
    ours = tmp_path / "ours"
    with Session(ours, environ=environ) as session:
        session.store("Stored before.")
    earlier.make(tmp_path / ".claude" / "metaclaw" / "memory" / "memory.db", ROWS)
    for _ in range(2):
        with Session(ours, environ=environ) as session:
            assert len(session.contents()) == len(KEPT) + 1


@promise("takeover.once-and-whole")
@pytest.mark.once
def test_takeover_cut_off_anywhere_is_done_by_the_next(
    folders: tuple[Path, Path, dict[str, str]],
) -> None:
    """Killed at random moments, it has happened wholly or not at all; the next start ends it."""
    ours, place, environ = folders
    random = Random(5)  # noqa: S311  (to be repeated)
    many = [{"content": f"Filler number {number} of many."} for number in range(300)]
    earlier.make(place, [*ROWS, *many])
    before = {path: path.read_bytes() for path in place.parent.iterdir()}
    for _ in range(5):
        _start_and_kill(ours, environ, random.uniform(0.05, 0.3))
        with Session(ours, environ=environ) as session:
            assert len(session.contents()) == 100
        found = _taken(ours)
        assert len(found) == len(KEPT) + len(many)
        assert_sound(ours)
        with Session(ours, environ=environ) as session:
            said = session.done("memory_recall", context=f"{WORD} door", limit=1)
            session.done("memory_delete", id=said.splitlines()[1].split()[0], purge=True)
        assert not [path for path in files_with(ours, WORD) if ".part-" not in path]
        assert files_with(ours, TOKEN)[:1] == [str(_copies(ours)[0])]
        _put_back(ours, place, before)


def _start_and_kill(ours: Path, environ: dict[str, str], after: float) -> None:
    session = Session(ours, environ=environ)
    killer = threading.Timer(after, session.kill)
    killer.start()
    try:
        while True:
            session.call("memory_list")
    except Died:
        killer.join()
    finally:
        session.peer.__exit__()


def _put_back(ours: Path, place: Path, before: dict[Path, bytes]) -> None:
    for folder in {database(ours).parent, place.parent}:
        for path in folder.iterdir():
            path.unlink()
    for path, data in before.items():
        path.write_bytes(data)
