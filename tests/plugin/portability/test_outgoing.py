"""An export holds everything, and an import of it restores everything."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support import shell
from tests.support.desk import Desk
from tests.support.promises import promise
from tests.support.sessions import database
from tests.support.stdio_peer import HANG

TOKEN = "ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"
OTHER_TOKEN = "ghp_" + "Z9y8X7w6V5u4T3s2R1q0P9o8N7m6L5k4J3i2"
PROJECT = "github.com/acme/site"


def furnish(home: Path) -> Desk:
    """Fill a store with one of everything."""
    desk = Desk(home, project=PROJECT, session="the first session")
    desk.store("Use npm for everything", tags="b, a", importance=0.9, category="preferences")
    desk.store("Use pnpm, not npm", supersedes="L1", expanded_keywords="package manager")
    desk.store("The staging freeze is on", expires_at="2031-01-01", scope="project")
    desk.store(f"The deploy token is {TOKEN}")
    desk.call("memory_update", id="L4", content=f"The deploy token is {OTHER_TOKEN} now")
    desk.store("Ann runs the site's build", category="people")
    desk.call("memory_update", id="L5", content="Ann runs the site's build and tests", tags="x")
    desk.call("memory_update", id="L5", importance=1)
    desk.store("One line\nand another\u2028and a third \U0001f511 \u5bc6\u7801")
    desk.store("Nobody needs this")
    desk.call("memory_delete", id="L7")
    return desk


def exported(home: Path) -> list[dict[str, Any]]:
    """Return the objects of an export."""
    text = shell.said(shell.run(home, "export"))
    return [json.loads(line) for line in text.split("\n") if line]


def comparable(entries: list[dict[str, Any]]) -> str:
    """Return an export without what may differ between two homes: its time, local numbers."""
    header, *memories = entries
    for memory in memories:
        memory["local_no"] = None
        for earlier in memory["history"]:
            earlier["fields"]["local_no"] = None
    return json.dumps([{**header, "exported_at": ""}, *memories], ensure_ascii=False)


@promise("portability.nothing-is-lost")
def test_import_of_an_export_restores_everything(tmp_path: Path) -> None:
    """Texts, times, scopes, chains, earlier texts and seals come out as they went in."""
    home, other = tmp_path / "one", tmp_path / "other"
    furnish(home)
    other.mkdir()
    (other / "keys").mkdir(mode=0o700)
    file = tmp_path / "memories.jsonl"
    done = shell.run(home, "export", file, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, f"6 memories exported to {file}.\n")
    key = other / "keys" / "seal.key"
    key.write_bytes((home / "keys" / "seal.key").read_bytes())
    key.chmod(0o600)

    assert shell.said(shell.run(other, "import", file)) == "6 memories imported, 0 already here.\n"

    assert comparable(exported(other)) == comparable(exported(home))
    assert len(exported(home)[4]["history"]) == 1
    desk = Desk(other, project=PROJECT)
    assert desk.call("secret_get", id="L4") == f"The deploy token is {OTHER_TOKEN} now"
    desk.call("memory_update", id="L4", restore=True)
    assert desk.call("secret_get", id="L4") == f"The deploy token is {TOKEN}"
    found = desk.texts("memory_recall", context="npm for everything")
    assert found[0] == 'L2 [facts] 2026-03-01 "Use pnpm, not npm"'
    assert not any("npm for everything" in text for text in found)  # what L2 supersedes
    answer = desk.call("memory_update", id="L5", restore=True)
    assert 'L5 [people] 2026-03-01 "Ann runs the site\'s build and tests"  tags: x' in answer


def test_store_itself_is_imported_as_its_export_is(tmp_path: Path) -> None:
    """The file of a store, which is left as it was; twice brings nothing twice."""
    home, other = tmp_path / "one", tmp_path / "other"
    other.mkdir()
    furnish(home).connection.close()
    file = database(home)
    before = file.read_bytes()
    said = [shell.said(shell.run(other, "import", file)) for _ in range(2)]
    assert said[0].startswith("6 memories imported, 0 already here.\n")
    assert said[1].startswith("0 memories imported, 6 already here.\n")
    assert file.read_bytes() == before
    assert comparable(exported(other)) == comparable(exported(home))


def test_database_of_something_else_is_refused(tmp_path: Path) -> None:
    """With its name, and nothing imported."""
    file = tmp_path / "other.db"
    connection = sqlite3.connect(str(file))
    connection.execute("CREATE TABLE notes (text TEXT)")
    connection.close()
    said = shell.complaint(shell.run(tmp_path, "import", file))
    assert said == f"{file} is no store of claude-memory. Nothing was imported."


def test_export_has_no_clear_secret_and_no_deleted_text(tmp_path: Path) -> None:
    """What leaves the machine can be read by others."""
    furnish(tmp_path)
    text = shell.said(shell.run(tmp_path, "export"))
    assert TOKEN not in text
    assert OTHER_TOKEN not in text
    assert "Nobody needs this" not in text


def test_one_text_in_two_memories_stays_two(tmp_path: Path) -> None:
    """An edit can make two memories say the same; a restored store has both."""
    home, other = tmp_path / "one", tmp_path / "other"
    desk = Desk(home)
    desk.store("The printer is on floor 2")
    desk.store("The printer is on floor 3")
    desk.call("memory_update", id="L2", content="The printer is on floor 2")
    other.mkdir()
    file = tmp_path / "memories.jsonl"
    shell.run(home, "export", file)
    assert "2 memories imported, 0 already" in shell.said(shell.run(other, "import", file))
    assert comparable(exported(other)) == comparable(exported(home))


def test_exported_file_is_private(tmp_path: Path) -> None:
    """Memories are nobody else's business, whatever the umask."""
    furnish(tmp_path / "home")
    file = tmp_path / "memories.jsonl"
    file.write_text("an earlier export")
    file.chmod(0o644)
    shell.run(tmp_path / "home", "export", file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["memories.jsonl"]


@pytest.mark.parametrize("place", ["no such folder/x.jsonl", "."])
def test_unwritable_place_is_named_and_nothing_is_left(tmp_path: Path, place: str) -> None:
    """A folder that is missing, or in the way of the file."""
    home, out = tmp_path / "home", tmp_path / "out"
    furnish(home)
    out.mkdir()
    said = shell.complaint(shell.run(home, "export", place, cwd=out))
    assert said.startswith(place)
    assert list(out.iterdir()) == []


@pytest.mark.parametrize("place", ["home/memory/memory.db", "link", "home/memory/memory.db.copy"])
def test_store_is_never_written_over(tmp_path: Path, place: str) -> None:
    """Nor is an export put where copies of the store are deleted after a while."""
    furnish(tmp_path / "home")
    (tmp_path / "link").symlink_to(tmp_path / "home" / "memory" / "memory.db")
    before = shell.run(tmp_path / "home", "status").stdout
    said = shell.complaint(shell.run(tmp_path / "home", "export", place, cwd=tmp_path))
    assert said.startswith(f"{place} is in the folder of the store itself.")
    assert shell.run(tmp_path / "home", "status").stdout == before


@pytest.mark.skipif(sys.platform != "linux", reason="Linux has a device that is always full")
def test_full_disk_fails_with_a_sentence(tmp_path: Path) -> None:
    """Standard output that nobody can take, and a file that reaches a limit."""
    resource = pytest.importorskip("resource")
    furnish(tmp_path / "home")
    command = [*shell.SERVER, "export"]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            command,
            env={"MEMORY_HOME": str(tmp_path / "home")},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=HANG,
            check=False,
        )
    wanted = "The output cannot be written: No space left on device.\n"
    assert (done.returncode, done.stderr) == (1, wanted)

    out = tmp_path / "out"
    out.mkdir()
    limit = 1_024  # bytes that a file may have
    done = subprocess.run(
        [*command, str(out / "x.jsonl")],
        env={"MEMORY_HOME": str(tmp_path / "home")},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        capture_output=True,
        text=True,
        timeout=HANG,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert done.stderr.count("\n") == 1
    assert list(out.iterdir()) == []


@pytest.mark.parametrize("many", [False, True])
def test_reader_that_leaves_early_makes_no_noise(tmp_path: Path, *, many: bool) -> None:
    """`export | head` prints no traceback, whether the output fits a buffer or not."""
    desk = Desk(tmp_path)
    for number in range(100 if many else 1):
        desk.store(f"Fact {number}: " + "long text " * 100)
    process = subprocess.Popen(
        [*shell.SERVER, "export"],
        env={**os.environ, "MEMORY_HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert process.returncode == 1
