"""What an import does to the store: everything or nothing, each fact once, no clear secret."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import pytest
from claude_memory.portability import incoming, readers

from tests.support import shell
from tests.support.desk import Desk
from tests.support.promises import promise
from tests.support.stdio_peer import HANG
from tests.support.vault_stand_in import TOKEN as VAULT_TOKEN
from tests.support.vault_stand_in import VaultStandIn

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"


def write(path: Path, *entries: object) -> Path:
    """Write a file of JSON lines."""
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries), encoding="utf-8")
    return path


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty data folder, outside of every project."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


def rows(home: Path, query: str) -> list[tuple[Any, ...]]:
    """Read from the store."""
    return Desk(home).connection.execute(query).fetchall()


def test_second_import_changes_nothing(home: Path, tmp_path: Path) -> None:
    """Neither of plain facts nor of secrets, of a foreign file or of an export."""
    file = write(tmp_path / "x.jsonl", {"text": "One fact"}, {"text": f"The token is {TOKEN}"})
    assert shell.said(shell.run(home, "import", file)) == "2 memories imported, 0 already here.\n"
    export = tmp_path / "export.jsonl"
    shell.run(home, "export", export)
    before = shell.said(shell.run(home, "export")).split("\n")[1:]
    for again in (file, export):
        answer = shell.said(shell.run(home, "import", again))
        assert answer == "0 memories imported, 2 already here.\n"
    assert shell.said(shell.run(home, "export")).split("\n")[1:] == before


@pytest.mark.parametrize("way", [["--preview"], []])
def test_what_markdown_has_besides_notes_is_named(
    home: Path, tmp_path: Path, way: list[str]
) -> None:
    """Nothing of a file disappears unmentioned, and an exception stays with its rule."""
    notes = tmp_path / "CLAUDE.md"
    notes.write_text(
        "- Never push to main\n  - except for hotfixes\n\n```sh\nmake check\n```\n\n"
        "@docs/other.md\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
    )
    said = shell.said(shell.run(home, "import", *way, notes))
    assert [line for line in said.splitlines() if line.startswith("left out")] == [
        f"left out: {notes}, line 4: a code block",
        f"left out: {notes}, line 8: the name of another file",
        f"left out: {notes}, line 10: a table",
    ]
    assert said.splitlines()[-1].startswith("1 memory ")
    if not way:
        found = rows(home, "SELECT content FROM memories")
        assert found == [("Never push to main; except for hotfixes",)]


def test_repeated_facts_of_one_file_are_one_memory(home: Path, tmp_path: Path) -> None:
    """Other stores hold the same fact many times."""
    facts = [
        {"text": text} for text in ("Tea", "tea time", " Tea.", f"Use {TOKEN}", f"Use {TOKEN}")
    ]
    answer = shell.said(shell.run(home, "import", write(tmp_path / "x.jsonl", *facts)))
    assert answer == "3 memories imported, 2 already here.\n"
    assert rows(home, "SELECT count(*) FROM secrets") == [(1,)]


def test_same_text_with_another_secret_is_another_memory(home: Path, tmp_path: Path) -> None:
    """Equal placeholders do not mean equal secrets."""
    Desk(home).store(f"The token is {TOKEN}")
    other = TOKEN[:-4] + "Zz99"
    answer = shell.said(
        shell.run(home, "import", write(tmp_path / "x.jsonl", {"text": f"The token is {other}"}))
    )
    assert answer == "1 memory imported, 0 already here.\n"
    assert Desk(home).call("secret_get", id="L2") == f"The token is {other}"


@pytest.mark.parametrize("content", ["The gate code is on the wiki", f"The token is {TOKEN}"])
def test_memory_deleted_here_comes_back_under_a_new_uid(
    home: Path, tmp_path: Path, content: str
) -> None:
    """A delete is final for its uid; an import is a new wish, and one time is enough."""
    desk = Desk(home)
    desk.store(content)
    desk.store("Its successor", supersedes="L1")
    export = tmp_path / "export.jsonl"
    shell.run(home, "export", export)
    desk.call("memory_delete", id=["L1", "L2"])
    before = {uid for (uid,) in rows(home, "SELECT uid FROM memories")}

    assert "2 memories imported, 0 already" in shell.said(shell.run(home, "import", export))

    live = rows(home, "SELECT uid, supersedes FROM memories WHERE live = 1 ORDER BY local_no")
    assert not before & {uid for uid, _ in live}
    assert live[1][1] == live[0][0]
    if TOKEN in content:
        assert Desk(home).call("secret_get", id="L3") == content
    assert "0 memories imported, 2 already" in shell.said(shell.run(home, "import", export))


def test_successor_far_before_what_it_supersedes_finds_it(home: Path, tmp_path: Path) -> None:
    """Whatever the order of an export, and however far apart they are written down here."""
    desk = Desk(home)
    desk.store("The first one")
    for number in range(500):
        desk.store(f"In between, {number}")
    desk.store("Its successor", supersedes="L1")
    export = tmp_path / "export.jsonl"
    shell.run(home, "export", export)
    header, *lines = export.read_text().splitlines(keepends=True)
    export.write_text("".join([header, *reversed(lines)]))
    desk.call("memory_delete", id=["L1", "L502"])

    assert "2 memories imported, 500 already" in shell.said(shell.run(home, "import", export))

    query = "SELECT uid, supersedes FROM memories WHERE live = 1 AND local_no > 502 ORDER BY rid"
    first, successor = rows(home, query)
    assert successor[1] == first[0]


def test_memory_edited_here_stays_as_it_is(home: Path, tmp_path: Path) -> None:
    """An export is older than what was changed since."""
    desk = Desk(home)
    desk.store("The office is in Bern")
    export = tmp_path / "export.jsonl"
    shell.run(home, "export", export)
    desk.call("memory_update", id="L1", content="The office is in Basel")
    assert shell.said(shell.run(home, "import", export)).splitlines() == [
        "0 memories imported, 0 already here.",
        "1 memory kept as here, where the file has another text.",
    ]
    assert desk.texts() == ['L1 [facts] 2026-03-01 "The office is in Basel"']


@promise("portability.preview-writes-nothing")
def test_preview_shows_and_writes_nothing(home: Path, tmp_path: Path) -> None:
    """Not into an existing store, and no store where there is none."""
    file = write(tmp_path / "x.jsonl", {"text": "Known"}, {"text": f"New {TOKEN}"})
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    shown = shell.said(shell.run(fresh, "import", "--preview", file))
    assert shown.splitlines() == [
        'new     "Known"',
        'new     "New [secret: github-token]"  (redacted: github-token)',
        "2 memories would be imported, 0 already here.",
    ]
    assert list(fresh.iterdir()) == []

    desk = Desk(home)
    desk.store("Known")
    desk.connection.close()
    before = shell.everything_in(home)
    shown = shell.said(shell.run(home, "import", file, "--preview"))
    assert shown.startswith('known   "Known"\n')
    assert shown.endswith("1 memory would be imported, 1 already here.\n")
    assert shell.everything_in(home) == before


@promise("portability.all-or-nothing")
@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("{broken", "is not JSON"),
        ('{"no": "text"}', "has no text; looked for content, text"),
        ("7", "is no object with a text"),
        ('{"text": ""}', "content is empty"),
        ('{"text": "a\\u0000b"}', "holds a NUL character"),
        ('{"text": "a\\ud800b"}', "holds a lone surrogate"),
        ('{"text": "ok", "tags": "' + "t" * 1_001 + '"}', "tags has 1,001 characters"),
        ('{"text": "' + "x" * 1_000_000 + '"}', "content has 1,000,000 characters"),
        ("[" * 100_000, "is not JSON"),
        ('{"format": "claude-memory", "format_version": 2}', "an export in format claude-memory 2"),
    ],
    ids=lambda value: value[:30],
)
def test_bad_line_is_named_and_nothing_is_imported(
    home: Path, tmp_path: Path, bad: str, reason: str
) -> None:
    """The lines before it are not kept either."""
    file = tmp_path / "x.jsonl"
    file.write_text(f'{{"text": "Fine"}}\n\n{bad}\n{{"text": "Fine too"}}\n')
    said = shell.complaint(shell.run(home, "import", file))
    assert said.startswith(f"{file}, line 3")
    assert reason in said
    assert said.endswith("Nothing was imported.")
    assert Desk(home).texts() == []


@promise("secrets.redacted-first")
def test_secrets_of_a_file_are_redacted_and_sealed(home: Path, tmp_path: Path) -> None:
    """In text, tags and keywords of JSON, and in Markdown; no byte of them rests in the folder."""
    file = write(
        tmp_path / "x.jsonl",
        {"text": f"The token is {TOKEN}", "tags": ["a", TOKEN], "expanded_keywords": f"k {TOKEN}"},
    )
    notes = tmp_path / "notes.md"
    notes.write_text(f"# Access\n\n- The token for ci is {TOKEN}\n")
    assert "2 memories imported" in shell.said(shell.run(home, "import", file, notes))
    assert not [name for name, data in shell.everything_in(home).items() if TOKEN.encode() in data]
    opened = Desk(home).call("secret_get", id="L1").splitlines()
    assert opened == [f"The token is {TOKEN}", f"[tags] a,{TOKEN}", f"[keywords] k {TOKEN}"]
    assert TOKEN in Desk(home).call("secret_get", id="L2")


@promise("secrets.never-silently-lost")
def test_import_says_so_when_nothing_can_seal(home: Path, tmp_path: Path) -> None:
    """The note is kept, the value is not; a second import adds nothing."""
    facts = readers.facts(str(write(tmp_path / "x.jsonl", {"text": f"The token is {TOKEN}"})), [])
    verdicts = []
    for _ in range(2):
        desk = Desk(home, keeper=None)
        outcomes, notes = incoming.bring_in(
            desk.place,
            desk.door,
            desk.place.connection(),
            facts,
            scope="global",
            preview=False,
            progress=lambda _done, _total: None,
        )
        verdicts.append(outcomes[0].verdict)
        assert notes[0].startswith("The value itself was NOT kept: nothing on this machine")
    assert verdicts == ["new", "known"]


def test_vault_keeps_one_value_for_each_new_memory(home: Path, tmp_path: Path) -> None:
    """Neither a repeated fact nor a refused import leaves a value behind."""
    fact = {"text": f"The token is {TOKEN}"}
    with VaultStandIn() as vault:
        environ = {"VAULT_ADDR": vault.address, "VAULT_TOKEN": VAULT_TOKEN}
        for file in (write(tmp_path / "x.jsonl", fact, fact), write(tmp_path / "y.jsonl", fact)):
            shell.said(shell.run(home, "import", file, environ=environ))
            assert list(vault.values.values()) == [f"The token is {TOKEN}"]


def test_scope_of_foreign_facts_is_chosen(home: Path, tmp_path: Path) -> None:
    """Project facts belong to the project of the folder; outside of one they are global."""
    project = tmp_path / "site"
    project.mkdir()
    file = write(tmp_path / "x.jsonl", {"text": "Only here"})
    shell.said(shell.run(home, "import", "--scope", "project", file, cwd=project))
    found = [("project", os.path.realpath(project))]
    assert rows(home, "SELECT scope, project FROM memories") == found

    other = write(tmp_path / "y.jsonl", {"text": "Everywhere"})
    user = Path.home()
    answer = shell.said(shell.run(home, "import", "--scope", "project", other, cwd=user))
    assert "belongs to no project" in answer
    assert ("global", "") in rows(home, "SELECT scope, project FROM memories")


@pytest.mark.parametrize(
    ("time", "kept"),
    [
        ("2024-05-06T07:08:09+02:00", "2024-05-06T05:08:09.000000Z"),
        ("2024-05-06", "2024-05-06T00:00:00.000000Z"),
        ("0001-01-01T00:00:00Z", None),
        ("2999-01-01", None),
        ("last Tuesday", None),
    ],
)
def test_time_of_a_foreign_fact_is_kept_where_it_can_be_true(
    home: Path, tmp_path: Path, time: str, kept: str | None
) -> None:
    """A null or a time to come is the time of the import."""
    file = write(tmp_path / "x.jsonl", {"text": "A fact", "created_at": time})
    shell.said(shell.run(home, "import", file))
    [(created, updated)] = rows(home, "SELECT created_at, updated_at FROM memories")
    assert created == (kept or updated)
    assert Desk(home).store("The next one") == "L2"


@pytest.mark.once
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo terminals")
def test_many_lines_show_their_progress_on_a_terminal(home: Path, tmp_path: Path) -> None:
    """2,000 facts in one go; a file or a pipe sees no progress."""
    import pty

    file = write(tmp_path / "x.jsonl", *({"text": f"Fact {n} of many"} for n in range(2_000)))
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [*shell.SERVER, "import", str(file)],
        env={**os.environ, "MEMORY_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=slave,
    )
    with process:
        os.close(slave)
        output, _ = process.communicate(timeout=HANG)
        shown = b""
        try:
            while True:
                shown += os.read(master, 65_536)
        except OSError:  # the other end is closed
            os.close(master)
    assert output == b"2000 memories imported, 0 already here.\n"
    assert b"\r500 of 2000\r1000 of 2000\r" in shown
    assert shown.endswith(b"\r2000 of 2000\r\n")
    assert shell.run(home, "import", file).stderr == ""


@pytest.mark.once
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo terminals")
def test_interrupted_import_is_gone_on_with(home: Path, tmp_path: Path) -> None:
    """Ctrl-C in the middle keeps what has come, and the same command brings the rest, once."""
    Desk(home).store("Was there before")
    file = write(tmp_path / "x.jsonl", *({"text": f"Fact {n} of many"} for n in range(4_000)))
    with _importing(home, file) as (process, terminal):
        process.send_signal(signal.SIGINT)
        assert process.wait(HANG) == 130
        said = terminal.read(65_536).decode().splitlines()[-1]
    assert said == "Interrupted. Nothing is half done: the same command, run again, does the rest."
    [(come,)] = rows(home, "SELECT count(*) FROM memories WHERE source = 'import'")
    assert 500 <= come < 4_000
    again = shell.said(shell.run(home, "import", file))
    assert again == f"{4_000 - come} memories imported, {come} already here.\n"
    assert rows(home, "SELECT count(DISTINCT content), count(*) FROM memories") == [(4_001,) * 2]


@promise("portability.others-store-meanwhile")
@pytest.mark.once
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo terminals")
@pytest.mark.parametrize("way", [["--preview"], []])
def test_others_store_during_an_import(home: Path, tmp_path: Path, way: list[str]) -> None:
    """Nobody waits for the end of a long one; a preview keeps nobody waiting at all."""
    file = write(tmp_path / "x.jsonl", *({"text": f"Fact {n} of many"} for n in range(4_000)))
    desk = Desk(home)
    desk.store("Was there before")
    desk.connection.execute("PRAGMA busy_timeout=0")
    with _importing(home, file, *way) as (process, _):
        assert not way or _is_free(desk)
        desk.connection.execute("PRAGMA busy_timeout=5000")
        labels = [desk.store(f"Stored meanwhile, {number}") for number in range(5)]
        assert process.poll() is None
        assert process.wait(HANG) == 0
    last = 6 if way else 4_006
    assert rows(home, "SELECT count(*), max(local_no) FROM memories") == [(last, last)]
    assert way or f"L{last}" not in labels


@contextmanager
def _importing(
    home: Path, file: Path, *way: str
) -> Iterator[tuple[subprocess.Popen[bytes], BinaryIO]]:
    """Import a file in a process of its own; go on once it says that it is at work."""
    import pty

    master, slave = pty.openpty()
    process = subprocess.Popen(
        [*shell.SERVER, "import", *way, str(file)],
        env={**os.environ, "MEMORY_HOME": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=slave,
    )
    with process, os.fdopen(master, "rb", buffering=0) as terminal:
        shown = b""
        while b"of 4000" not in shown:
            shown += terminal.read(65_536)
        yield process, terminal
        os.close(slave)


def _is_free(desk: Desk) -> bool:
    """Tell whether nobody writes into the store."""
    try:
        desk.connection.execute("BEGIN IMMEDIATE")
        desk.connection.execute("ROLLBACK")
    except sqlite3.OperationalError:
        return False
    return True


def test_no_store_is_made_for_a_file_that_cannot_be_read(home: Path, tmp_path: Path) -> None:
    """A misspelt name leaves no trace."""
    said = shell.complaint(shell.run(home, "import", tmp_path / "missing.jsonl"))
    assert said.startswith(f"{tmp_path / 'missing.jsonl'} cannot be read: ")
    assert list(home.iterdir()) == []
    shutil.rmtree(home)
