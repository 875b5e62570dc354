"""The commands of `server.py`: what they print, and how they end."""

from __future__ import annotations

import shutil
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support import shell
from tests.support.desk import Desk
from tests.support.sessions import Session, database

if TYPE_CHECKING:
    from pathlib import Path

COMMANDS = ["doctor", "status", "export", "import"]


def test_help_names_every_command(tmp_path: Path) -> None:
    """And that there is a server behind no command at all."""
    text = shell.said(shell.run(tmp_path, "--help"))
    assert "without a command, an MCP server on stdin and stdout" in text
    assert [name for name in COMMANDS if f"\n    {name} " in text] == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_explains_itself(tmp_path: Path, command: str) -> None:
    """Asking for help makes no store."""
    assert shell.said(shell.run(tmp_path, command, "--help")).startswith("usage: server.py ")
    assert list(tmp_path.iterdir()) == []


def test_version_is_the_plugins(tmp_path: Path) -> None:
    """For bug reports."""
    assert shell.said(shell.run(tmp_path, "--version")).startswith("claude-memory 0.")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["remember"], "invalid choice: 'remember'"),
        (["import"], "the following arguments are required: FILE"),
        (["import", "--scope", "all", "x"], "invalid choice: 'all'"),
        (["doctor", "now"], "unrecognized arguments: now"),
        (["--json"], "the following arguments are required: COMMAND"),
    ],
)
def test_wrong_question_is_answered_with_its_reason(
    tmp_path: Path, arguments: list[str], reason: str
) -> None:
    """Exit code 2, a usage line, and no store."""
    done = shell.run(tmp_path, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: server.py")
    assert reason in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_status_shows_what_the_tool_shows(tmp_path: Path) -> None:
    """Counts, learning, and what needs a person."""
    Desk(tmp_path).store("One")
    environ = {"MEMORY_LEARN": "sometimes"}
    text = shell.said(shell.run(tmp_path, "status", environ=environ))
    assert "Mode: SQLite-only\n" in text
    assert "Memories: 1 (1 global, 0 for this project only), 0 sensitive" in text
    assert text.endswith("\n! MEMORY_LEARN='sometimes' is not understood; auto is used.\n")


def test_any_script_can_be_printed(tmp_path: Path) -> None:
    """Also where the terminal's code page knows only ASCII."""
    Desk(tmp_path).store("Gr\u00fc\u00dfe \u5bc6\u7801 \U0001f511")
    text = shell.said(shell.run(tmp_path, "export", environ={"PYTHONIOENCODING": "ascii"}))
    assert "Gr\u00fc\u00dfe \u5bc6\u7801 \U0001f511" in text


def test_damaged_store_is_mended_and_told(tmp_path: Path) -> None:
    """A command sets the file aside as the server does; the next one works."""
    Desk(tmp_path).connection.close()
    file = tmp_path / "memory" / "memory.db"
    file.write_bytes(b"not a database at all " * 1000)
    done = shell.run(tmp_path, "export")
    assert "Traceback" not in done.stderr
    assert shell.said(shell.run(tmp_path, "export")).startswith('{"format": "claude-memory"')
    assert [path for path in file.parent.iterdir() if ".damaged-" in path.name]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
def test_interrupt_before_a_command_is_up_prints_nothing(tmp_path: Path) -> None:
    """Ctrl-C while modules are still imported."""
    package = tmp_path / "claude_memory"
    package.mkdir()
    (package / "__init__.py").touch()
    slow_import = "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nprint('too far')\n"
    (package / "__main__.py").write_text(slow_import)
    server = str(shutil.copy(shell.SERVER[1], tmp_path))
    done = shell.run(tmp_path, "export", program=(sys.executable, server))
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_home_that_is_a_file_is_refused_with_a_sentence(tmp_path: Path) -> None:
    """A slip in MEMORY_HOME."""
    home = tmp_path / "file"
    home.write_text("")
    for command in (["status"], ["export"], ["import", __file__ + ".missing"]):
        shell.complaint(shell.run(home, *command, cwd=tmp_path))


@pytest.mark.parametrize("command", [["export"], ["export", "all.jsonl"], ["import", "all.jsonl"]])
def test_mode_without_a_store_has_nothing_to_export_or_import(
    tmp_path: Path, command: list[str]
) -> None:
    """It says where to ask, and makes no store."""
    environ = {"MEMORY_API_KEY": "key-for-" + "tests", "MEMORY_SYNC_DISABLE": "1"}
    done = shell.run(tmp_path / "home", *command, environ=environ, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "no store on this machine" in done.stderr
    assert "/api/export" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_status_without_a_store_and_without_the_server_is_told(tmp_path: Path) -> None:
    """With what is wrong, at the mark of what needs attention."""
    environ = {"MEMORY_API_KEY": "key-for-" + "tests", "MEMORY_SYNC_DISABLE": "1"}
    said = shell.said(shell.run(tmp_path / "home", "status", environ=environ, cwd=tmp_path))
    assert said.startswith("Mode: HTTP-only: ")
    assert "! The server: MEMORY_API_URL is not set." in said
    assert list(tmp_path.iterdir()) == []


def _options(key: str) -> dict[str, str]:
    """Return what a session is given that was set up by /plugin configure; no shell has that."""
    names = ("CLAUDE_PLUGIN_OPTION_API_URL", "CLAUDE_PLUGIN_OPTION_API_KEY")
    return dict(zip(names, ("http://127.0.0.1:9", key)))


def test_command_works_where_the_last_session_did(tmp_path: Path) -> None:
    """A shell knows no option of the plugin; what a mistyped key left is brought where it goes."""
    home = tmp_path / "home"
    with Session(home, environ=_options("mistyped")) as session:
        session.store("The attic is dry")
    with Session(home, environ=_options("right")) as session:
        session.store("The cellar is damp")
        waiting = session.done("memory_status")
    advised = f"server.py import '{database(home)}'"
    assert advised in waiting
    told = shell.said(shell.run(home, "status"))
    assert "Mode: Hybrid\n" in told
    assert advised in told
    assert "attic" not in shell.said(shell.run(home, "export"))

    assert (
        shell.said(shell.run(home, "import", database(home)))
        == "1 memory imported, 0 already here.\n"
    )
    with Session(home, environ=_options("right")) as session:
        assert sorted(session.contents()) == ["The attic is dry", "The cellar is damp"]
    checked = shell.run(home, "doctor").stdout
    assert "warn  server: as set in Claude Code; this shell has no MEMORY_API_KEY" in checked
    assert "this store is local" not in checked


def test_command_works_in_the_first_store_after_a_session_without_a_key(tmp_path: Path) -> None:
    """Whoever takes the key away has no server, in a shell either."""
    home = tmp_path / "home"
    for key in ("one", "another"):
        with Session(home, environ=_options(key)) as session:
            session.store(f"Stored under {key}")
    with Session(home) as session:
        session.store("Stored under none")
    assert "Mode: SQLite-only\n" in shell.said(shell.run(home, "status"))
    exported = shell.said(shell.run(home, "export"))
    assert "Stored under none" in exported
    assert "Stored under another" not in exported
    assert "ok    server: none: no key is set" in shell.run(home, "doctor").stdout


def test_import_keeps_nothing_where_sessions_are_told_to_keep_nothing(tmp_path: Path) -> None:
    """The key of HTTP-only mode may be an option of the plugin, which no shell has."""
    home = tmp_path / "home"
    (tmp_path / "notes.md").write_text("- The attic is dry\n")
    disabled = {"MEMORY_SYNC_DISABLE": "1"}
    done = shell.run(home, "import", tmp_path / "notes.md", cwd=tmp_path, environ=disabled)
    refusal = shell.complaint(done)
    assert refusal.startswith("MEMORY_SYNC_DISABLE is set: sessions with a key keep nothing")
    assert not home.exists()
