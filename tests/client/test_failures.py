"""Whatever is broken on our side, the user's prompt is answered, and the user is told once."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.claude_code.script import call, say

if TYPE_CHECKING:
    from tests.support.claude_code.client import Client
    from tests.support.claude_code.transcript import Session

pytestmark = [pytest.mark.heavy, pytest.mark.once]

# A Python whose SQLite was built without full-text search, as some systems ship it.
WITHOUT_FTS = """#!/bin/sh
'''exec' "{python}" -S "$0" "$@"
' '''
import runpy, sqlite3, sys

class Connection(sqlite3.Connection):
    def execute(self, sql, *rest):
        if "fts5" in sql.lower():
            raise sqlite3.OperationalError("no such module: fts5")
        return super().execute(sql, *rest)

connect = sqlite3.connect
sqlite3.connect = lambda *given, **named: connect(*given, **{{"factory": Connection, **named}})
sys.argv = [word for word in sys.argv[1:] if not word.startswith("-")]
sys.path[0] = sys.argv[0].rpartition("/")[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def assert_unharmed(session: Session) -> None:
    """The prompts were answered, and no hook reported an error to the client."""
    assert session.returncode == 0
    assert session.answers == ["An answer."]
    assert [h for h in session.hooks if h.outcome != "success" or h.exit or h.stderr] == []


def test_damaged_database_is_set_aside_and_reported(client: Client) -> None:
    """A file that is no database breaks no prompt, is kept, and the greeting says so."""
    client.database.parent.mkdir(parents=True)
    client.database.write_bytes(b"this is not a database" * 1000)

    first = client.play(["Hello."], [say("An answer.")])
    told = client.play(
        ["Remember."], [call("memory_store", content="The cellar is dry"), say("An answer.")]
    )
    after = client.play(["Is the cellar dry?"], [say("An answer.")])

    for session in (first, told, after):
        assert_unharmed(session)
    greetings = first.main[0].given_by("SessionStart") + told.main[0].given_by("SessionStart")
    assert "damaged" in greetings
    assert "damaged" not in after.main[0].given_by("SessionStart")
    assert "The cellar is dry" in after.main[0].given_by("UserPromptSubmit")
    kept = [f for f in client.database.parent.iterdir() if f.read_bytes()[:10] == b"this is no"]
    assert len(kept) == 1


def test_unusable_folder_breaks_no_prompt(client: Client) -> None:
    """Where no folder can be made, prompts are answered and the greeting names the place."""
    blocked = client.home / "occupied"
    blocked.write_text("a file where a folder is wanted")

    session = client.play(["Hello."], [say("An answer.")], env={"MEMORY_HOME": str(blocked)})

    assert_unharmed(session)
    assert str(blocked) in session.main[0].given_by("SessionStart")


def test_python_without_full_text_search_breaks_no_prompt(client: Client) -> None:
    """Without FTS5 nothing can be recalled: prompts are answered and the greeting says why."""
    python = client.bin / "python3"
    python.unlink()
    python.write_text(WITHOUT_FTS.format(python=Path(sys.executable).resolve()))
    python.chmod(0o755)

    session = client.play(["Hello."], [say("An answer.")])

    assert_unharmed(session)
    assert "FTS5" in session.main[0].given_by("SessionStart")


def test_missing_python_breaks_no_prompt(client: Client) -> None:
    """Without the plugin's one requirement the client still answers."""
    python = client.bin / "python3"
    python.unlink()
    python.write_text("#!/bin/sh\nexit 127\n")
    python.chmod(0o755)

    session = client.play(["Hello."], [say("An answer.")])

    assert session.returncode == 0
    assert session.answers == ["An answer."]
