"""Whatever an event or a hook does, there is an answer, and what failed is noted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from claude_memory.hooks import context, runtime
from claude_memory.settings import Settings
from claude_memory.store import failures
from claude_memory.store.lock import BUSY_SECONDS

from tests.support.hook_calls import added, asked, context_in
from tests.support.stores import opened, put

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

DEBUG = {"DEBUG_CLAUDE_MEMORY_HOOKS": "1"}
PROMPT = {"event": "UserPromptSubmit", "session_id": "s", "prompt": "Which deploy region?"}


@pytest.fixture
def store(tmp_path: Path) -> sqlite3.Connection:
    """A store with one memory."""
    store = opened(tmp_path)
    put(store, "The deploy region is eu-north-7")
    return store


@pytest.mark.parametrize("name", ["", "Notification", "hook", None, 7, ["x"], {"a": 1}])
def test_unknown_event_is_answered_with_silence(tmp_path: Path, name: object) -> None:
    """A model that calls the hooks' tool, or a client with new events, does no harm."""
    assert runtime.answer({"event": name}, context_in(tmp_path)) == "{}"
    assert runtime.answer({}, context_in(tmp_path)) == "{}"


def test_event_may_name_itself_as_commands_are_told(store: sqlite3.Connection) -> None:
    """`hook_event_name` is what the client writes on a command's stdin."""
    event = {"hook_event_name": "UserPromptSubmit", "session_id": "s", "prompt": "deploy region?"}
    said = asked(event, context_in("/nowhere", store))

    assert said["hookSpecificOutput"]["hookEventName"] == "UserPromptSubmit"
    assert "eu-north-7" in added(said)


def test_placeholder_that_was_not_filled_in_counts_as_nothing(store: sqlite3.Connection) -> None:
    """Two sessions of such a client are not taken for one called `${session_id}`."""
    event = {**PROMPT, "session_id": "${session_id}"}
    for _ in range(2):
        assert "eu-north-7" in added(asked(event, context_in("/nowhere", store)))


def test_session_of_the_surroundings_stands_in(store: sqlite3.Connection) -> None:
    """The client's environment names the session where the event does not."""
    around = context_in("/nowhere", store, {"CLAUDE_CODE_SESSION_ID": "of-the-client"})
    asked({**PROMPT, "session_id": ""}, around)

    assert store.execute("SELECT session FROM injections").fetchall() == [("of-the-client",)]


def test_failure_is_silence_and_is_noted(tmp_path: Path, store: sqlite3.Connection) -> None:
    """A broken database costs the memory, not the prompt, and the next greeting says it."""
    store.execute("DROP TABLE memories_fts")
    store.execute("DROP VIEW shown")

    assert runtime.answer(PROMPT, context_in(tmp_path, store)) == "{}"
    [noted] = failures.unseen(str(tmp_path))
    assert noted.where == "hook UserPromptSubmit"
    assert "memories_fts" in noted.text


def test_unexpected_error_is_noted_without_the_users_text(tmp_path: Path) -> None:
    """An error message may quote a prompt; its kind and place are enough to repair it."""

    def connect() -> sqlite3.Connection | None:
        raise ValueError("a very private prompt")

    around = context_in(tmp_path)._replace(connection=connect)
    (tmp_path / "memory").mkdir()
    assert runtime.answer(PROMPT, around) == "{}"
    [noted] = failures.unseen(str(tmp_path))
    assert "ValueError in test_runtime.py, line " in noted.text
    assert "private" not in noted.text


def test_failure_is_explained_only_when_asked(
    tmp_path: Path, store: sqlite3.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is written to stderr unless DEBUG_CLAUDE_MEMORY_HOOKS is set."""
    store.execute("DROP TABLE sessions")
    runtime.answer(PROMPT, context_in(tmp_path, store))
    assert capsys.readouterr().err == ""

    runtime.answer(PROMPT, context_in(tmp_path, store, DEBUG))
    assert "claude-memory, hook UserPromptSubmit: " in capsys.readouterr().err


@pytest.mark.parametrize(
    "event",
    [
        PROMPT,
        {"event": "SessionStart", "source": "startup", "session_id": "s"},
        {"event": "PreCompact", "session_id": "s"},
        {"event": "PreToolUse", "tool_name": "mcp__plugin_memory_memory__memory_store"},
        {"event": "Stop", "session_id": "s", "last_assistant_message": "x"},
    ],
)
def test_nothing_is_said_inside_our_own_judge(
    store: sqlite3.Connection, event: dict[str, Any]
) -> None:
    """A client that the judge started neither greets, recalls, approves nor learns."""
    around = context_in("/nowhere", store, {context.JUDGE_GUARD: "1"})

    assert runtime.answer(event, around) == "{}"
    assert store.execute("SELECT count(*) FROM sessions").fetchone() == (0,)
    assert store.execute("SELECT count(*) FROM turns").fetchone() == (0,)


def test_hook_waits_little_for_a_lock_and_gives_the_patience_back(
    tmp_path: Path, store: sqlite3.Connection
) -> None:
    """Another session's long write delays a prompt by a second at most, a store by five."""
    before = store.execute("PRAGMA busy_timeout").fetchone()
    assert before == (BUSY_SECONDS * 1000,)
    during = []
    store.set_trace_callback(
        lambda query: during.append(query) if "busy_timeout" in query else None
    )
    other = opened(tmp_path)
    other.execute("BEGIN IMMEDIATE")

    assert runtime.answer(PROMPT, context_in(tmp_path, store)) == "{}"
    other.execute("ROLLBACK")
    store.set_trace_callback(None)
    assert during[0] == "PRAGMA busy_timeout=1000"
    assert store.execute("PRAGMA busy_timeout").fetchone() == before
    assert "in use by another session" in failures.unseen(str(tmp_path))[0].text


def test_settings_are_read_as_the_server_reads_them() -> None:
    """The environment wins over the plugin's options; a literal placeholder counts as unset."""
    options = {
        "CLAUDE_PLUGIN_OPTION_RECALL_BUDGET": "100",
        "CLAUDE_PLUGIN_OPTION_LEARN": "propose",
        "MEMORY_LEARN": "${MEMORY_LEARN}",
    }
    around = context_in("/nowhere", None, {**options, "MEMORY_APPROVE": "ALL"})
    assert (around.budget, around.learn, around.approve) == (100, "propose", "all")
    around = context_in(
        "/nowhere", None, {**options, "MEMORY_RECALL_BUDGET": "50", "MEMORY_LEARN": "off"}
    )
    assert (around.budget, around.learn, around.approve) == (50, "off", "safe")
    assert not around.debug
    assert not around.silent


def test_every_setting_has_the_default_of_the_server() -> None:
    """Hooks read a few settings by themselves, because they must start fast."""
    set_ones = {"MEMORY_RECALL_BUDGET": "2400", "MEMORY_LEARN": "propose", "MEMORY_APPROVE": "all"}
    environs: list[dict[str, str]] = [{}, set_ones]
    for environ in environs:
        settings = Settings.from_env(environ)
        around = context_in("x", None, environ)
        assert around.budget == settings.recall_budget
        assert (around.learn, around.approve) == (settings.learn, settings.approve)
