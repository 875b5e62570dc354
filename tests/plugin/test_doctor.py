"""`server.py doctor` sees what is wrong, names the fix, and changes nothing."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import tempfile
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from claude_memory.memory import utc_now
from claude_memory.store import bindings, schema

from tests.support import shell
from tests.support.desk import Desk
from tests.support.line import Line, synced
from tests.support.scripted_server import ScriptedServer, reply, saying
from tests.support.sessions import OTHER_USER, database
from tests.support.stdio_peer import CLIENT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NAMES = [
    *("python", "sqlite", "settings", "server", "folder", "database"),
    *("index", "file system", "sync", "other files", "secrets", "learning", "hooks"),
]
RESTART = "Restart Claude Code: the file is set aside and all that can be read is saved."
# A Python without the library that seals, and without the way to the system's one.
BARE = (
    "import sys; sys.modules['cryptography'] = sys.modules['ctypes'] = None;"
    "sys.path.insert(0, sys.argv.pop(1));"
    "from claude_memory.__main__ import main; sys.exit(main(sys.argv[1:]))"
)


def findings(
    home: object,
    *,
    code: int = 0,
    environ: Mapping[str, str] | None = None,
    program: Sequence[str] = shell.SERVER,
) -> dict[str, dict[str, Any]]:
    """Run `doctor --json`; return its checks by name."""
    done = shell.run(home, "doctor", "--json", environ=environ, program=program, cwd=Path.home())
    assert (done.returncode, done.stderr) == (code, "")
    answer = json.loads(done.stdout)
    assert answer["ok"] is (code == 0)
    assert {tuple(sorted(one)) for one in answer["checks"]} == {("detail", "fix", "name", "status")}
    assert all("\n" not in one["detail"] for one in answer["checks"])
    return {one["name"]: one for one in answer["checks"]}


def seen(check: dict[str, Any]) -> tuple[str, str, str]:
    """Return the essence of a check."""
    return check["status"], check["detail"], check["fix"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A data folder with two memories, nobody using it."""
    desk = Desk(tmp_path)
    desk.store("One")
    desk.store("Two")
    desk.connection.close()
    return tmp_path


def test_healthy_store_passes_every_check(home: Path) -> None:
    """Thirteen checks, each with what it saw, none with a fix."""
    checks = findings(home)
    assert list(checks) == NAMES
    assert {one["status"] for one in checks.values()} == {"ok"}
    assert {one["fix"] for one in checks.values()} == {""}
    assert checks["database"]["detail"] == f"2 memories, schema {schema.CURRENT}, {database(home)}"
    assert checks["index"]["detail"] == "2 memories indexed"
    assert checks["secrets"]["detail"] == "sealed by aes"


def test_one_memory_is_a_memory(tmp_path: Path) -> None:
    """Whatever counts it."""
    desk = Desk(tmp_path)
    desk.store("One")
    desk.connection.close()
    checks = findings(tmp_path)
    assert checks["database"]["detail"].startswith("1 memory, schema ")
    assert checks["index"]["detail"] == "1 memory indexed"


def test_text_for_a_person_has_a_line_for_each_check(home: Path) -> None:
    """The mark comes first, so that a trouble is found at a glance."""
    lines = shell.said(shell.run(home, "doctor")).splitlines()
    assert [line[:4] for line in lines] == ["ok  "] * len(NAMES)
    assert [line[6:].split(":")[0] for line in lines] == NAMES


def test_examination_changes_nothing(home: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Neither in a store, nor where there is none yet; SQLite's own lock files aside."""
    before = shell.everything_in(home)
    findings(home)
    after = shell.everything_in(home).items()
    assert {name: data for name, data in after if not name.endswith(("-shm", "-wal"))} == before
    assert not any(data for name, data in after if name.endswith("-wal"))

    empty = tmp_path_factory.mktemp("empty")
    checks = findings(empty)
    assert checks["database"]["detail"] == "none yet"
    assert checks["folder"]["detail"].endswith("will be made when the first memory is stored")
    assert list(empty.iterdir()) == []


def test_file_that_is_no_database_is_damaged(home: Path) -> None:
    """The fix is the server's work."""
    database(home).write_bytes(b"These are not the bytes of a database. " * 100)
    checks = findings(home, code=1)
    status, detail, fix = seen(checks["database"])
    assert (status, fix) == ("fail", RESTART)
    assert "damaged" in detail


def test_damage_inside_a_database_is_seen(home: Path) -> None:
    """Pages behind the header, which opening alone does not read."""
    content = bytearray(database(home).read_bytes())
    content[8_192:] = b"\xee" * (len(content) - 8_192)
    database(home).write_bytes(content)
    checks = findings(home, code=1)
    assert checks["database"]["status"] == "fail"
    assert checks["database"]["fix"] == RESTART


def test_newer_schema_asks_for_an_update(home: Path) -> None:
    """A later version wrote the file."""
    connection = sqlite3.connect(str(database(home)))
    connection.execute("PRAGMA user_version=99")
    connection.close()
    status, detail, fix = seen(findings(home, code=1)["database"])
    assert (status, detail) == ("fail", "schema 99 is newer than this plugin")
    assert fix.startswith("Update the plugin")


def test_database_of_the_earlier_system_waits_for_the_server(tmp_path: Path) -> None:
    """It is no fault, and doctor takes nothing over."""
    file = database(tmp_path)
    file.parent.mkdir(mode=0o700)
    connection = sqlite3.connect(str(file))
    connection.execute("CREATE TABLE memories (id INTEGER PRIMARY KEY, content TEXT)")
    connection.close()
    checks = findings(tmp_path)
    wanted = ("ok", "the memory server sets it up when it starts next", "")
    assert seen(checks["database"]) == wanted
    assert seen(checks["index"]) == wanted


def test_index_that_lacks_memories_is_seen(home: Path) -> None:
    """Recall would not find them."""
    connection = sqlite3.connect(str(database(home)))
    connection.execute("DELETE FROM memories_fts_docsize WHERE id = 1")
    connection.commit()
    connection.close()
    status, detail, fix = seen(findings(home)["index"])
    assert (status, detail) == ("warn", "1 of 2 memories are indexed")
    assert fix.startswith("Restart Claude Code")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_folder_open_to_others_is_seen(home: Path) -> None:
    """The fix can be pasted into a shell."""
    folder = home / "memory"
    folder.chmod(0o755)
    wanted = ("warn", f"{folder} is open to others", f"chmod 700 '{folder}'")
    assert seen(findings(home)["folder"]) == wanted


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_folder_of_another_user_is_seen() -> None:
    """Run under another user's id, because root may write everywhere."""
    with tempfile.TemporaryDirectory() as shared:
        Path(shared).chmod(0o755)
        home = Path(shared) / "data"
        Desk(home).connection.close()
        home.chmod(0o755)
        (home / "memory").chmod(0o555)
        (home / "memory" / "memory.db").chmod(0o444)
        program = (sys.executable, "-S", "-E", "-c", OTHER_USER, str(CLIENT))
        done = shell.run(home, "doctor", "--json", program=program)
        (home / "memory").chmod(0o755)
    assert (done.returncode, done.stderr) == (1, "")
    checks = {one["name"]: one for one in json.loads(done.stdout)["checks"]}
    status, detail, fix = seen(checks["folder"])
    assert (status, detail) == ("fail", f"{home / 'memory'} is not writable")
    assert fix.startswith("Make it writable for your user")


def test_folder_that_can_never_be_made_is_seen(tmp_path: Path) -> None:
    """Before the first memory finds it out."""
    (tmp_path / "note.txt").write_text("no folder")
    home = tmp_path / "note.txt" / "data"
    status, detail, fix = seen(findings(home, code=1)["folder"])
    assert (status, fix.split(",")[0]) == ("fail", "Make it writable for your user")
    assert detail == f"{home / 'memory'} cannot be made: {tmp_path / 'note.txt'} is no folder"


def test_machine_that_cannot_seal_is_seen(home: Path) -> None:
    """A Python without `cryptography` and without ctypes."""
    program = (sys.executable, "-c", BARE, str(CLIENT))
    status, detail, fix = seen(findings(home, program=program)["secrets"])
    assert (status, detail) == ("warn", "nothing here can seal a secret")
    assert "cryptography" in fix
    assert "VAULT_ADDR" in fix


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_key_that_others_can_read_is_seen(home: Path) -> None:
    """Without showing it."""
    desk = Desk(home)
    desk.store("The token is ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8")
    desk.connection.close()
    (home / "keys" / "seal.key").chmod(0o644)
    status, detail, _ = seen(findings(home)["secrets"])
    assert status == "warn"
    assert detail.startswith("aes: Other users may read the key file ")


def test_key_that_is_gone_is_seen_and_its_file_may_come_back_beside_another(home: Path) -> None:
    """Also after a new secret has made a new key; status says it too."""
    desk = Desk(home)
    token = "The token is ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"
    old = desk.store(token)
    kept = home / "keys" / "seal.key"
    kept.rename(home / "backup")
    said = f"1 secret cannot be opened: no file of {kept.parent} holds the key "
    assert findings(home)["secrets"]["detail"].startswith(said)
    new = desk.store("The other token is ghp_" + "B1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8")
    assert findings(home)["secrets"]["detail"].startswith(said)
    assert said in desk.call("memory_status")
    (home / "backup").rename(kept.with_name("backup.key"))
    assert findings(home)["secrets"]["detail"] == "sealed by aes"
    assert desk.call("secret_get", id=old) == token
    assert "ghp_B1" in desk.call("secret_get", id=new)
    assert said not in desk.call("memory_status")
    desk.connection.close()


def test_vault_that_does_not_answer_is_seen(home: Path) -> None:
    """The token is not shown."""
    environ = {"VAULT_ADDR": "http://127.0.0.1:1", "VAULT_TOKEN": "not-a-real-one"}
    done = shell.run(home, "doctor", "--json", environ=environ)
    assert "not-a-real-one" not in done.stdout
    checks = {one["name"]: one for one in json.loads(done.stdout)["checks"]}
    assert checks["secrets"]["status"] == "warn"
    assert checks["secrets"]["detail"].startswith("vault: Vault at 127.0.0.1 cannot be reached")


def test_settings_that_cannot_be_read_are_named(home: Path) -> None:
    """With the value that is used instead."""
    environ = {"MEMORY_LEARN": "sometimes", "VAULT_ADDR": "https://vault.example.com"}
    status, detail, fix = seen(findings(home, environ=environ)["settings"])
    assert (status, fix) == ("warn", "Correct or remove these variables.")
    assert "MEMORY_LEARN='sometimes' is not understood; auto is used." in detail
    assert "VAULT_ADDR is set and VAULT_TOKEN is not" in detail


@pytest.mark.parametrize(
    ("environ", "detail"),
    [
        ({"MEMORY_LEARN": "off"}, "off"),
        ({"MEMORY_LEARN_JUDGE": "off"}, "local rules only (no judge)"),
        ({"PATH": "/nowhere"}, "local rules only (no judge)"),
    ],
)
def test_way_of_learning_is_told(home: Path, environ: dict[str, str], detail: str) -> None:
    """Whether a model is asked, and how often at most."""
    assert seen(findings(home, environ=environ)["learning"]) == ("ok", detail, "")


@pytest.mark.skipif(os.name == "nt", reason="needs a program without an extension")
def test_judge_that_is_found_is_told(home: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """It is not started."""
    folder = tmp_path_factory.mktemp("bin")
    program = folder / "claude"
    program.write_text("#!/bin/sh\ntouch started\n")
    program.chmod(0o755)
    checks = findings(home, environ={"PATH": str(folder), "MEMORY_LEARN_DAILY": "7"})
    assert checks["learning"]["detail"] == "judge claude, at most 7 calls a day"
    assert not list(Path.home().glob("started"))


def test_failures_of_hooks_are_told(home: Path) -> None:
    """Where nobody would look."""
    entry = {"at": "2026-03-01T12:00:00.000000Z", "where": "auto-learn", "text": "It stopped."}
    (home / "memory" / "failures.jsonl").write_text(json.dumps(entry) + "\n")
    status, detail, fix = seen(findings(home)["hooks"])
    assert (status, detail) == ("warn", "1 failed, last auto-learn: It stopped.")
    assert "DEBUG_CLAUDE_MEMORY_HOOKS=1" in fix


KEY = "key-for-" + "tests"
HELLO = {
    "server_id": "s",
    "account_id": "a",
    "epoch": "e",
    "scopes": ["read", "write"],
    "protocol": {"min": 1, "max": 1},
    "limits": {"ops": 200, "bytes": 1_048_576},
}


def with_server(url: str, **more: str) -> dict[str, str]:
    """Return the settings of one who uses a server."""
    return {"MEMORY_API_URL": url, "MEMORY_API_KEY": KEY, **more}


def test_server_that_answers_is_told_with_what_the_key_may(home: Path) -> None:
    """Asked as a session would."""
    with ScriptedServer(saying(reply(200, json.dumps(HELLO).encode()))) as server:
        checks = findings(home, environ=with_server(server.url))
    said = f"{server.url} answers with protocol 1; the key may read, write in account a"
    assert seen(checks["server"]) == ("ok", said, "")
    assert seen(checks["sync"])[0] == "ok"
    assert checks["sync"]["detail"].startswith("account not known yet; 2 to send, 0 refused, ")


def test_server_of_a_key_that_may_only_read_is_told(home: Path) -> None:
    """Nothing is sent with it."""
    hello = {**HELLO, "scopes": ["read"]}
    with ScriptedServer(saying(reply(200, json.dumps(hello).encode()))) as server:
        checks = findings(home, environ=with_server(server.url))
    assert checks["server"]["status"] == "warn"
    assert "scope 'write'" in checks["server"]["fix"]


@pytest.mark.parametrize(("seconds", "status"), [(0, "ok"), (-7_300, "warn"), (7_300, "warn")])
def test_clock_is_compared_with_the_server_s(home: Path, seconds: int, status: str) -> None:
    """More than five minutes are told, with the side."""
    date = format_datetime(utc_now() + timedelta(seconds=seconds), usegmt=True)
    with ScriptedServer(saying(reply(200, json.dumps(HELLO).encode(), date=date))) as server:
        checks = findings(home, environ=with_server(server.url))
    assert checks["server"]["status"] == status
    side = "clock is 2 hours behind" if seconds > 0 else "clock is 2 hours ahead of"
    assert (side in checks["server"]["detail"]) is bool(seconds)


def test_examination_assigns_no_file_to_a_new_key(tmp_path: Path) -> None:
    """That is the server's to do."""
    with ScriptedServer(saying(reply(200, json.dumps(HELLO).encode()))) as server:
        checks = findings(tmp_path / "home", environ=with_server(server.url))
    assert seen(checks["sync"]) == ("ok", "begins with the next session", "")
    assert not (tmp_path / "home").exists()


def test_what_waits_for_a_key_that_was_removed_is_told(home: Path) -> None:
    """As memory_status tells it; of a store that never had one there is nothing to tell."""
    assert seen(findings(home)["sync"]) == ("ok", "off: this store is local", "")
    bindings.save(
        str(home / "memory"), {bindings.fingerprint("https://s", KEY): bindings.FIRST}, ""
    )
    told = "off: 2 changes to send, once a server and its key are set again"
    assert seen(findings(home)["sync"]) == ("ok", told, "")


@pytest.mark.parametrize(
    ("change", "detail", "fix"),
    [
        ({"is_cut": True}, "account a; 1 to send, 0 refused", "cannot be reached"),
        ({"outcome": {"status": "rejected"}}, "account a; 0 to send, 1 refused", "/memory:status"),
        ({}, "account a; 0 to send, 0 refused, 0 conflicts; last success 2026-03-01T", ""),
    ],
)
def test_queue_and_last_exchange_are_told(
    tmp_path: Path, change: dict[str, Any], detail: str, fix: str
) -> None:
    """As the sessions have noted them, with what to do."""
    desk, line = Desk(tmp_path), Line()
    with ScriptedServer(saying(reply(200, json.dumps(HELLO).encode()))) as server:
        environ, key = with_server(server.url), bindings.fingerprint(server.url, KEY)
        synced(desk, line, key=key)
        desk.store("One")
        vars(line).update(change)
        synced(desk, line, key=key)
        desk.connection.close()
        bindings.save(str(tmp_path / "memory"), {key: bindings.FIRST}, "")
        checks = findings(tmp_path, environ=environ)
    assert checks["sync"]["status"] == ("warn" if fix else "ok")
    assert checks["sync"]["detail"].startswith(detail)
    assert fix in checks["sync"]["fix"]


@pytest.mark.parametrize(
    ("status", "said", "fix"),
    [
        (401, "The server answered 401.", "MEMORY_API_KEY"),
        (200, "not a claude-memory server", "MEMORY_API_URL"),
        (302, "sends on to another address", "MEMORY_API_URL"),
    ],
)
def test_server_that_cannot_be_used_fails_with_its_fix(
    home: Path, status: int, said: str, fix: str
) -> None:
    """Whatever it is, the other checks are made as well."""
    with ScriptedServer(saying(reply(status, b"<html>"))) as server:
        checks = findings(home, code=1, environ=with_server(server.url))
    assert checks["server"]["status"] == "fail"
    assert said in checks["server"]["detail"]
    assert fix in checks["server"]["fix"]
    assert list(checks) == NAMES


def test_mode_without_a_store_checks_none(tmp_path: Path) -> None:
    """And makes none."""
    with ScriptedServer(saying(reply(200, json.dumps(HELLO).encode()))) as server:
        environ = with_server(server.url, MEMORY_SYNC_DISABLE="1")
        checks = findings(tmp_path / "home", environ=environ)
    assert list(checks) == ["python", "settings", "server", "hooks"]
    assert checks["settings"]["detail"].startswith("HTTP-only")
    assert not (tmp_path / "home").exists()
