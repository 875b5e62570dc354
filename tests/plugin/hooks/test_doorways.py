"""Each hook as a command, in a real process: JSON or nothing on stdout, exit code 0, in time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from claude_memory import paths
from claude_memory.hooks import runtime
from claude_memory.store import failures

from tests.support.hook_calls import HOOKS, Done, added, through_doorway
from tests.support.other_user import as_other_user
from tests.support.promises import promise
from tests.support.stores import opened, put

DOORWAYS = sorted(path.stem for path in HOOKS.glob("*.py"))
EVENTS: dict[str, dict[str, Any]] = {
    "session-start": {"hook_event_name": "SessionStart", "source": "startup"},
    "user-prompt-recall": {
        "hook_event_name": "UserPromptSubmit",
        "prompt": "Which deploy region?",
    },
    "pre-compact-backup": {"hook_event_name": "PreCompact", "trigger": "manual"},
    "post-compact-recovery": {"hook_event_name": "SessionStart", "source": "compact"},
    "auto-learn": {"hook_event_name": "Stop", "last_assistant_message": "Done."},
    "auto-allow-memory-tools": {
        "hook_event_name": "PreToolUse",
        "tool_name": "mcp__plugin_memory_memory__memory_store",
        "tool_input": {"content": "x"},
    },
    "rule-at-use": {
        "hook_event_name": "PreToolUse",
        "tool_name": "Bash",
        "tool_input": {"command": "deploy --to eu-north-7"},
    },
    "session-end": {"hook_event_name": "SessionEnd", "reason": "other"},
}
# The modules that a hook may load on top of what an empty Python has.
HOT = {
    "msvcrt" if os.name == "nt" else "fcntl",
    *"__future__ _struct _thread collections datetime enum errno functools heapq json".split(),
    *"math mmap os re sqlite3 struct sys time unicodedata".split(),
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A data folder whose store has one memory."""
    home = tmp_path / "data folder"
    store = opened(home)
    put(store, "The deploy region is eu-north-7")
    store.close()
    return home


def run(doorway: str, home: Path, **fields: Any) -> Done:
    """Run a doorway with its own event."""
    return through_doorway(doorway, {"session_id": "s", **EVENTS[doorway], **fields}, home)


def assert_quiet(done: Done) -> None:
    """A hook that cannot work says nothing and succeeds."""
    assert (done.code, done.err) == (0, "")
    assert done.said == {}


@pytest.mark.skipif(sys.platform == "win32", reason="a shell of Unix closes the streams")
@pytest.mark.parametrize("closed", ["<&-", ">&-"])
@pytest.mark.parametrize("doorway", DOORWAYS)
def test_closed_stream_ends_a_doorway_quietly(doorway: str, closed: str, tmp_path: Path) -> None:
    """Whoever starts it without input or output gets silence and success."""
    command = f'exec "$0" -S -E "$1" {closed}'
    done = subprocess.run(
        ["/bin/sh", "-c", command, sys.executable, str(HOOKS / f"{doorway}.py")],
        env={**os.environ, "MEMORY_HOME": str(tmp_path)},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_every_doorway_is_tested() -> None:
    """Each program a client can start has its event above."""
    assert sorted(EVENTS) == DOORWAYS


def test_journey_of_a_session_through_the_doorways(home: Path) -> None:
    """Greeted, given a memory once, compacted, given it again, closed: all without a server."""
    assert added(run("session-start", home).said).startswith("claude-memory: 1 memory here")
    assert "eu-north-7" in added(run("user-prompt-recall", home).said)
    assert run("user-prompt-recall", home).said == {}
    assert "eu-north-7" in run("pre-compact-backup", home).out
    again = run("post-compact-recovery", home).said
    assert "eu-north-7" in added(again)
    assert again["hookSpecificOutput"]["hookEventName"] == "SessionStart"
    assert run("post-compact-recovery", home).said == {}
    decision = run("auto-allow-memory-tools", home).said["hookSpecificOutput"]
    assert decision["permissionDecision"] == "allow"
    assert_quiet(run("auto-learn", home))
    assert_quiet(run("session-end", home))

    ended = opened(home).execute("SELECT ended_at FROM sessions WHERE id = 's'").fetchone()
    assert ended[0] > "2026"
    assert failures.unseen(str(home)) == []


def test_permission_request_comes_through_the_same_doorway(home: Path) -> None:
    """One program for both events, told apart by their names."""
    said = run("auto-allow-memory-tools", home, hook_event_name="PermissionRequest").said
    assert said["hookSpecificOutput"]["decision"] == {"behavior": "allow"}


def test_doorway_answers_its_own_event_only(home: Path) -> None:
    """Registered under a wrong event, a doorway still does what its name says."""
    said = run("post-compact-recovery", home, hook_event_name="UserPromptSubmit", source="x").said
    assert said == {}
    said = run("user-prompt-recall", home, hook_event_name="Nonsense").said
    assert said["hookSpecificOutput"]["hookEventName"] == "UserPromptSubmit"


def test_project_comes_from_the_clients_folder(home: Path, tmp_path: Path) -> None:
    """CLAUDE_PROJECT_DIR decides, else the event's folder, wherever the process runs."""
    folder = tmp_path / "site"
    folder.mkdir()
    put(opened(home), "ours", scope="project", project=os.path.realpath(folder))
    event = {"session_id": "s", **EVENTS["session-start"]}

    by_event = through_doorway("session-start", {**event, "cwd": str(folder)}, home)
    assert "(1 global, 1 for this project)" in added(by_event.said)
    event["session_id"] = "t"
    by_client = through_doorway(
        "session-start", {**event, "cwd": "/"}, home, CLAUDE_PROJECT_DIR=str(folder)
    )
    assert "(1 global, 1 for this project)" in added(by_client.said)


@pytest.mark.parametrize("doorway", DOORWAYS)
@pytest.mark.parametrize(
    "raw",
    [b"", b"{bad", b"[]", b"7", b"null", b'"x"', b"\xff\xfe\x00", b"[" * 100_000, b'{"a":'],
    ids=lambda raw: repr(raw[:9]),
)
def test_broken_stdin_is_tolerated(tmp_path: Path, doorway: str, raw: bytes) -> None:
    """Whatever arrives, there is no exit code but 0, and no text that is not an answer."""
    done = through_doorway(doorway, raw, tmp_path)

    assert (done.code, done.err) == (0, "")
    assert "bad" not in done.out
    assert doorway == "session-start" or done.said == {}


def test_broken_event_is_told_at_the_next_start(home: Path) -> None:
    """A client that always sends something unreadable is noticed."""
    assert_quiet(through_doorway("user-prompt-recall", b"{bad", home))

    assert "cannot be read" in run("session-start", home).said["systemMessage"]


def test_oversized_event_is_tolerated(home: Path) -> None:
    """A pasted library of 20 MB is neither searched nor an error to the client."""
    done = run("user-prompt-recall", home, prompt="deploy region " * 1_500_000)

    assert (done.code, done.err) == (0, "")
    assert done.said == {}


@pytest.mark.parametrize("doorway", DOORWAYS)
def test_missing_store_is_not_made(tmp_path: Path, doorway: str) -> None:
    """Making and migrating it is the server's work."""
    done = run(doorway, tmp_path / "new")

    assert (done.code, done.err) == (0, "")
    assert not (tmp_path / "new").exists()
    if doorway == "session-start":
        assert added(done.said) == "claude-memory: no memories yet."


@pytest.mark.parametrize("doorway", DOORWAYS)
def test_damaged_store_breaks_nothing(home: Path, doorway: str) -> None:
    """A file that is no database costs the memories, not the session."""
    for path in Path(paths.database(str(home))).parent.iterdir():
        path.unlink()
    Path(paths.database(str(home))).write_bytes(b"this is not a database" * 1000)

    done = run(doorway, home)
    assert (done.code, done.err) == (0, "")
    if doorway == "session-start":
        assert "damaged" in added(done.said)
        assert "damaged" in done.said["systemMessage"]
    elif doorway != "auto-allow-memory-tools":
        assert done.said == {}


def test_store_of_a_later_version_is_left_alone(home: Path) -> None:
    """An older plugin changes nothing and says what to do."""
    store = opened(home)
    store.execute("PRAGMA user_version=99")
    store.close()

    assert_quiet(run("user-prompt-recall", home))
    said = added(run("session-start", home).said)
    assert "memory_recall finds those that are there: " in said
    assert "Update the plugin" in said


def test_store_of_an_earlier_version_is_left_to_the_server(home: Path) -> None:
    """A hook has no time to migrate."""
    store = opened(home)
    store.execute("PRAGMA user_version=0")
    store.close()

    assert_quiet(run("user-prompt-recall", home))
    assert "bringing its memories up to date" in added(run("session-start", home).said)


@pytest.mark.parametrize("doorway", ["user-prompt-recall", "session-start", "session-end"])
def test_locked_store_stops_no_prompt(home: Path, doorway: str) -> None:
    """Another process holds the whole file: the hook gives up by itself and notes it."""
    program = textwrap.dedent(
        """
        import sqlite3, sys
        store = sqlite3.connect(sys.argv[1], isolation_level=None)
        store.execute("PRAGMA locking_mode=EXCLUSIVE")
        store.execute("BEGIN EXCLUSIVE")
        store.execute("UPDATE memories SET words = words")
        print("locked", flush=True)
        sys.stdin.read()
        """
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", program, paths.database(str(home))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"locked\n"
        done = impatient(doorway, home, json.dumps({"session_id": "s", **EVENTS[doorway]}))
        holder.kill()

    assert (done.code, done.err, done.out) == (0, "", "")
    assert "Stopped after 0.4 s" in failures.unseen(str(home))[0].text


def impatient(doorway: str, home: Path, text: str) -> Done:
    """Run a hook with a hard stop of 0.4 seconds; its stdin stays open."""
    program = (
        f"import sys, os; sys.path.insert(0, {str(HOOKS.parent / 'mcp')!r});"
        "from claude_memory.hooks import runtime;"
        "import claude_memory.redaction.detector;"  # the note of a failure has 0.5 s
        f"runtime.run({doorway!r}, sys.stdin.buffer, sys.stdout.buffer, os.environ, 0.4)"
    )
    child = subprocess.Popen(
        [sys.executable, "-S", "-E", "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "MEMORY_HOME": str(home)},
    )
    with child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdin.write(text.encode())
        if text:
            child.stdin.close()
        out, err = child.stdout.read().decode(), child.stderr.read().decode()
        code = child.wait()
    return Done(code, out, err)


def test_stdin_that_never_ends_stops_no_prompt(home: Path) -> None:
    """The hard stop ends a hook that waits for its event for ever."""
    done = impatient("user-prompt-recall", home, "")

    assert (done.code, done.out, done.err) == (0, "", "")
    assert "Stopped after 0.4 s" in failures.unseen(str(home))[0].text


def test_hard_stop_of_every_doorway_is_below_the_clients_patience() -> None:
    """The client must never have to cancel a command; its own limit reports an error."""
    registered = json.loads((HOOKS / "hooks.json").read_text())["hooks"]
    for groups in registered.values():
        for hook in (hook for group in groups for hook in group["hooks"]):
            if hook["type"] == "command":
                name = Path(hook["args"][-1]).stem
                assert runtime.HARD_STOPS.get(name, runtime.HARD_STOP) < hook["timeout"]


def test_reader_that_went_away_is_no_error(home: Path) -> None:
    """A client that closed the pipe before the answer gets exit code 0; nobody is told later."""
    read, write = os.pipe()
    os.close(read)
    event = json.dumps({"session_id": "s", **EVENTS["session-start"]}).encode()
    done = subprocess.run(
        [sys.executable, "-S", "-E", str(HOOKS / "session-start.py")],
        input=event,
        stdout=write,
        stderr=subprocess.PIPE,
        env={**os.environ, "MEMORY_HOME": str(home)},
        check=False,
    )
    os.close(write)

    assert (done.returncode, done.stderr) == (0, b"")
    assert failures.unseen(str(home)) == []


def test_debugging_explains_on_stderr_only(home: Path) -> None:
    """Standard output belongs to the answer, whatever is to be explained."""
    done = through_doorway("user-prompt-recall", b"{bad", home, DEBUG_CLAUDE_MEMORY_HOOKS="1")

    assert (done.code, done.said) == (0, {})
    assert "claude-memory, user-prompt-recall: The client sent an event" in done.err


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
@pytest.mark.parametrize("doorway", DOORWAYS)
def test_folder_of_somebody_else_breaks_nothing(home: Path, doorway: str) -> None:
    """Under a user who may read but not write, no hook fails, and the greeting names the fix."""
    done, place = as_other_user(doorway, {"session_id": "s", **EVENTS[doorway]}, home)

    assert (done.code, done.err) == (0, "")
    if doorway == "session-start":
        assert "cannot be" in added(done.said)
        assert "memory_recall finds those that are there" in added(done.said)
        assert "MEMORY_HOME" in added(done.said)
        assert str(place) in done.said["systemMessage"]
    elif doorway != "auto-allow-memory-tools":
        assert done.said == {}


@promise("plugin.hooks-start-fast")
@pytest.mark.parametrize("doorway", DOORWAYS)
def test_hook_loads_only_cheap_modules(home: Path, doorway: str) -> None:
    """The time a hook costs is the time of its imports: counted here instead of stopped."""
    event = json.dumps({"session_id": "s", **EVENTS[doorway]})
    program = (
        "import os, sys\n"
        "def leave(code):\n"
        "    sys.stderr.write(' '.join(sys.modules)); sys.stderr.flush(); end(code)\n"
        "end, os._exit = os._exit, leave\n"
        f"path = {str(HOOKS / (doorway + '.py'))!r}\n"
        "exec(compile(open(path, encoding='utf-8').read(), path, 'exec'), {'__file__': path})\n"
    )
    loaded = modules(program, home, event)
    allowed = modules("import sys\n" + said_by(HOT) + SHOW, home, "")

    ours = {name for name in loaded if name.split(".")[0] == "claude_memory"}
    assert loaded - allowed - ours - {"sqlite3.dbapi2"} == set()
    if doorway != "auto-learn":
        assert not any("redaction" in name for name in ours)
    assert not any(name.startswith(("claude_memory.learn", "claude_memory.se")) for name in ours)


SHOW = "sys.stderr.write(' '.join(sys.modules))\n"


def said_by(names: set[str]) -> str:
    """Return a program's line that imports all of `names`."""
    return "import " + ", ".join(sorted(names - {"__future__"})) + ", __future__\n"


def modules(program: str, home: Path, event: str) -> set[str]:
    """Run a program without site-packages and return the modules it names on stderr."""
    done = subprocess.run(
        [sys.executable, "-S", "-E", "-c", program],
        input=event.encode(),
        capture_output=True,
        env={**os.environ, "MEMORY_HOME": str(home)},
        check=True,
    )
    return set(done.stderr.decode().split())


def test_old_python_is_told_once_at_the_start_of_a_session() -> None:
    """Below 3.9 a doorway ends before it reads what such a Python cannot."""
    told = {}
    for doorway in DOORWAYS:
        path = HOOKS / f"{doorway}.py"
        program = (
            "import sys; sys.version_info = (3, 8, 18); sys.version = '3.8.18 (old)'\n"
            f"sys.executable = r'C:\\old\\python3'; __file__ = {str(path)!r}\n"
            "exec(compile(open(__file__).read(), __file__, 'exec'))"
        )
        done = subprocess.run(
            [sys.executable, "-S", "-E", "-c", program],
            input=b"{}",
            capture_output=True,
            check=True,
        )
        assert done.stderr == b""
        told[doorway] = json.loads(done.stdout or b"{}")
        assert len(path.read_text().splitlines()) <= 15
    said = told.pop("session-start")["systemMessage"]
    assert "needs Python 3.9 or later, and `python3` is 3.8.18 (C:\\old\\python3). " in said
    assert "put its folder first in PATH" in said
    assert [doorway for doorway, answer in told.items() if answer] == []


def test_broken_installation_says_nothing(tmp_path: Path) -> None:
    """A doorway without its package is as silent as a missing plugin."""
    (tmp_path / "hooks").mkdir()
    doorway = tmp_path / "hooks" / "session-start.py"
    doorway.write_bytes((HOOKS / "session-start.py").read_bytes())
    done = subprocess.run(
        [sys.executable, "-S", "-E", str(doorway)], input=b"{}", capture_output=True, check=False
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_hook_that_is_killed_leaves_a_sound_store(home: Path) -> None:
    """The client may end a hook at any moment."""
    for _ in range(5):
        child = subprocess.Popen(
            [sys.executable, "-S", "-E", str(HOOKS / "user-prompt-recall.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "MEMORY_HOME": str(home)},
        )
        with child:
            assert child.stdin is not None
            child.stdin.write(json.dumps(EVENTS["user-prompt-recall"]).encode())
            child.stdin.close()
            child.send_signal(signal.SIGKILL)

    assert opened(home).execute("PRAGMA integrity_check").fetchone() == ("ok",)
