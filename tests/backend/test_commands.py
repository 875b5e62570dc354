"""The operator's commands, on a real database."""

from __future__ import annotations

import io
import json
import os
import re
import resource
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from backend.__main__ import main
from backend.auth import id_of
from backend.embedded import EmbeddedPostgres
from tests.support import shell
from tests.support.clock import set_clock
from tests.support.desk import Desk
from tests.support.postgres import LOGIN
from tests.support.promises import promise

if TYPE_CHECKING:
    from collections.abc import Callable

    import psycopg

    from tests.support.postgres import Server

    Run = Callable[..., tuple[int, str, str]]

ROOT = Path(__file__).parents[2]
SECRET = "ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"


@pytest.fixture
def run(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Run a command as `python -m backend` does; return status, output and what was told."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("MEMORY_ENCRYPTION_KEY", "0f" * 32)

    def command(*arguments: str) -> tuple[int, str, str]:
        status = main(arguments)
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return command


def test_key_is_made_listed_and_revoked(run: Run) -> None:
    """The key alone is on the output, so that it can be piped; the list never shows it."""
    status, key, told = run("keys", "create", "--user", "ann", "--name", "laptop")
    assert status == 0
    key_id = id_of(key.strip())
    assert key_id
    assert key_id in told
    assert key.strip() not in told
    _, listed, _ = run("keys", "list", "--user", "ann")
    assert re.search(
        rf"^{key_id}  valid +read,write,secret +used never  laptop$", listed, re.MULTILINE
    )
    assert key.strip() not in listed
    assert run("keys", "revoke", "--user", "ann", key_id)[0] == 0
    assert "revoked" in run("keys", "list", "--user", "ann")[1]


@pytest.mark.parametrize("hours", [-1, 1])
def test_list_says_by_the_clock_of_the_database_which_keys_ended(
    run: Run, superuser: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    """As the server does, whatever time it is on the machine of whoever asks."""
    run("keys", "create", "--user", "ann", "--name", "lasting", "--expires-in-days", "1")
    run("keys", "create", "--user", "ann", "--name", "ended", "--expires-in-days", "1")
    for name, minutes in (("lasting", 30), ("ended", -30)):
        superuser.execute(
            "UPDATE api_keys SET expires_at = now() + %s * interval '1 minute' WHERE name = %s",
            (minutes, name),
        )
    set_clock(monkeypatch, timedelta(hours=hours))
    listed = run("keys", "list", "--user", "ann")[1].splitlines()
    assert {line.split()[-1]: line.split()[1] for line in listed} == {
        "lasting": "valid",
        "ended": "expired",
    }


def test_list_without_a_key_says_so(run: Run, tmp_path: Path) -> None:
    """On the side, so that a script reads an empty list."""
    given = tmp_path / "given.jsonl"
    given.write_text('{"content": "an okapi"}\n')
    run("import", str(given))
    status, listed, told = run("keys", "list")
    assert (status, listed) == (0, "")
    assert "default has no named key" in told


@pytest.mark.parametrize(
    "command", [["keys", "list"], ["keys", "revoke", "000000000000"], ["export"]]
)
def test_unknown_user_is_told_and_not_made(
    run: Run, command: list[str], superuser: psycopg.Connection[Any]
) -> None:
    """A mistyped name reads as such, and leaves no account behind."""
    status, out, told = run(*command, "--user", "nobdoy")
    assert (status, out) == (1, "")
    assert "no user 'nobdoy'" in told
    assert superuser.execute("SELECT count(*) FROM accounts").fetchone() == (0,)


def test_import_of_a_plugins_export_says_what_it_left_out(run: Run, tmp_path: Path) -> None:
    """How many memories have no earlier texts here, and how many no secret."""
    desk = Desk(tmp_path / "home")
    desk.store("Ann runs the build")
    desk.call("memory_update", id="L1", content="Ann runs the build and the tests")
    desk.store(f"The token is {SECRET}")
    file = tmp_path / "export.jsonl"
    shell.run(tmp_path, "export", file, environ={"MEMORY_HOME": str(tmp_path / "home")})
    status, _, told = run("import", "--user", "ann", str(file))
    assert status == 0
    secret = "the secret, which no server can read from an export. Store it again."
    assert told.splitlines()[-3:] == [
        "2 memories are there now.",
        "Left out of 1 of them: earlier texts, which the file still holds.",
        f"Left out of 1 of them: {secret}",
    ]


@pytest.mark.parametrize(
    "address",
    [
        "postgresql//me:hunter2-pass@db/memory",
        "postgresql://me:hunter2-pa ss@db/memory",
        "postgresql://me:hunter2-p@ss@db/memory",
        "postgresql://me:hunter2/pass@db/memory",
        "host=db password=hunter2-pass and more",
    ],
)
@pytest.mark.parametrize("command", [["migrate"], ["keys", "list"], ["doctor"], ["serve"]])
def test_unreadable_address_of_a_database_is_never_repeated(
    run: Run, monkeypatch: pytest.MonkeyPatch, address: str, command: list[str]
) -> None:
    """It holds a password, and the programs below would quote it."""
    for name in ("DATABASE_URL", "MEMORY_MIGRATION_URL"):
        monkeypatch.setenv(name, address)
        status, out, told = run(*command)
        assert (status, out) == (1, "")
        assert f"{name} is no address" in told
        assert "hunter2" not in told
        monkeypatch.setenv(name, "postgresql://db/memory")


@pytest.mark.parametrize(
    "keys",
    [{"ann": "key with spaces"}, {"ann": "schlüssel-1"}, {"": "long-enough"}, {"a\x00": "x" * 9}],
)
def test_bootstrap_key_that_can_never_be_sent_is_refused(
    run: Run, monkeypatch: pytest.MonkeyPatch, keys: dict[str, str]
) -> None:
    """It would be answered with 401 for ever, and nobody would know why."""
    monkeypatch.setenv("API_KEYS", json.dumps(keys))
    status, _, told = run("doctor")
    assert status == 1
    assert "API_KEYS" in told or "'ann'" in told
    assert not any(key in told for key in keys.values())


def test_keeper_that_is_away_is_told_in_words_for_a_shell(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A person at a shell has no Retry-After."""
    monkeypatch.setenv("VAULT_ADDR", "http://127.0.0.1:1")
    monkeypatch.setenv("VAULT_TOKEN", "none")
    given = tmp_path / "given.jsonl"
    given.write_text(json.dumps({"content": f"Token {SECRET}"}) + "\n", encoding="utf-8")
    status, _, told = run("import", str(given))
    assert status == 1
    assert told.splitlines()[-1] == (
        "claude-memory: Vault cannot be reached: ConnectionError. Mend that, and run the command "
        "again."
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("keys", "revoke", "000000000000"), "no such key"),
        (("import", "/no/such/file"), "cannot be read"),
        (("export", "/no/such/folder/file"), "cannot be written"),
    ],
)
def test_wrong_arguments_end_with_a_reason(run: Run, arguments: tuple[str, ...], told: str) -> None:
    """One line that says what is wrong, and status 1."""
    assert run("keys", "create")[0] == 0  # which makes the user
    status, out, err = run(*arguments)
    assert (status, out) == (1, "")
    assert told in err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["serve", "--port", "99999"], "a port, 0 to 65535"),
        (["keys", "create", "--scopes", "read,everything"], "some of read,write,secret,admin"),
        (["keys", "create", "--name", " "], "a name of 1 to 200 characters"),
        (["keys", "create", "--user", ""], "a name of 1 to 200 characters"),
        (["export", "--user", "a\nb"], "a name of 1 to 200 characters"),
        (["keys", "create", "--expires-in-days", "0"], "one day or more"),
        (["purge", "--history-days", "-1"], "a number of days"),
    ],
)
def test_argument_that_cannot_be_meant_is_refused_with_the_usage(
    capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    """Before anything is opened, in the usual way of command lines."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert told in capsys.readouterr().err


def test_usage_is_shown_to_who_asks(capsys: pytest.CaptureFixture[str]) -> None:
    """Every command has its help; nothing is done without a command."""
    for arguments in (["--help"], ["serve", "--help"], ["keys", "create", "--help"]):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 0
        assert "usage: python -m backend" in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        main([])
    assert ended.value.code == 2


def test_export_is_imported_by_another_user_to_the_same_bytes(run: Run, tmp_path: Path) -> None:
    """All rows or none, with progress; a bad row is named."""
    given = tmp_path / "given.json"
    given.write_text(json.dumps([{"content": f"Row {number}"} for number in range(2_500)]))
    status, _, told = run("import", "--user", "ann", str(given))
    assert status == 0
    assert "2000 of 2500 written" in told
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    assert run("export", "--user", "ann", str(first))[0] == 0
    assert run("import", "--user", "bob", str(first))[0] == 0
    assert run("export", "--user", "bob", str(second))[0] == 0
    assert first.read_bytes() == second.read_bytes()
    given.write_text('{"content": "fine"}\n{"content": ""}\n')
    status, _, told = run("import", "--user", "eve", str(given))
    assert status == 1
    assert "Row 2" in told
    assert "no user 'eve'" in run("export", "--user", "eve")[2]


def test_export_is_for_its_user_alone_and_whole(
    run: Run, tmp_path: Path, database_url: str
) -> None:
    """One that breaks off says why, and leaves the one before as it was."""
    given, file = tmp_path / "given.json", tmp_path / "export.jsonl"
    given.write_text(json.dumps([{"content": f"Row {number}"} for number in range(20)]))
    run("import", str(given))
    assert run("export", str(file))[0] == 0
    assert file.stat().st_mode & 0o777 == 0o600
    before = file.read_bytes()
    done = subprocess.run(
        [sys.executable, "-m", "backend", "export", str(file)],
        cwd=ROOT,
        env={"DATABASE_URL": database_url, "PYTHONDONTWRITEBYTECODE": "1"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == f"claude-memory: {file} cannot be written: File too large.\n"
    assert file.read_bytes() == before
    assert {one.name for one in tmp_path.iterdir()} == {"given.json", "export.jsonl"}


def test_output_that_is_not_read_to_its_end_is_no_defect() -> None:
    """As by `| head`; and a full disk is named."""
    command = [sys.executable, "-m", "backend", "openapi"]
    read, write = os.pipe()
    os.close(read)
    with Path("/dev/full").open("wb") as full, os.fdopen(write, "wb") as unread:
        for output, status, told in (
            (unread, 141, ""),
            (full, 1, "claude-memory: No space left on device.\n"),
        ):
            done = subprocess.run(
                command, cwd=ROOT, stdout=output, stderr=subprocess.PIPE, text=True, check=False
            )
            assert (done.returncode, done.stderr) == (status, told)


def test_import_takes_files_as_windows_writes_them(run: Run, tmp_path: Path) -> None:
    """With a byte order mark, and other ends of lines."""
    given = tmp_path / "given.jsonl"
    given.write_bytes(b'\xef\xbb\xbf{"content": "first"}\r\n{"content": "second"}\r\n')
    assert run("import", str(given))[0] == 0
    assert len(run("export")[1].splitlines()) == 2


def test_export_goes_to_the_output(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`-` is the standard input and output."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b'{"content": "piped"}\n')))
    assert run("import")[0] == 0
    _, out, told = run("export")
    assert json.loads(out)["content"] == "piped"
    assert "1 memories" in told


@promise("secrets.rotation-passes-over")
def test_secrets_are_rotated_to_a_new_key(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, superuser: psycopg.Connection[Any]
) -> None:
    """After a rotation the earlier key is no longer needed; what is done is not done again."""
    given = tmp_path / "given.jsonl"
    lines = [json.dumps({"content": f"Token {number} {SECRET}"}) for number in range(3)]
    given.write_text("\n".join(lines))
    run("import", str(given))
    every = "SELECT secret, version FROM memories ORDER BY uid"
    before = superuser.execute(every).fetchall()
    monkeypatch.setenv("MEMORY_ENCRYPTION_KEY", "aa" * 32)
    monkeypatch.setenv("MEMORY_ENCRYPTION_KEY_PREVIOUS", "0f" * 32)
    status, _, told = run("rotate")
    assert status == 0, told
    assert "account 1: 3 of its first 3 secrets wrapped anew" in told
    after = superuser.execute(every).fetchall()
    assert not {row[0] for row in before} & {row[0] for row in after}
    assert [row[1] for row in before] == [row[1] for row in after]
    superuser.execute(
        "UPDATE memories SET secret = %s WHERE secret = %s", (before[1][0], after[1][0])
    )  # as a rotation leaves it that was stopped
    status, _, told = run("rotate")
    assert (status, told.splitlines()[-1]) == (
        0,
        "All 3 secrets are under the newest key; 1 were wrapped anew.",
    )
    again = superuser.execute(every).fetchall()
    assert [again[0], again[2]] == [after[0], after[2]]
    monkeypatch.delenv("MEMORY_ENCRYPTION_KEY_PREVIOUS")
    status, _, told = run("rotate")
    assert (status, told.splitlines()[-1][-22:]) == (0, "; 0 were wrapped anew.")


@pytest.fixture
def sealed(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return `run`, where ann has secrets sealed under an earlier and a later key, and bob one."""
    given = tmp_path / "given.jsonl"
    for user, key in (("ann", "0f" * 32), ("ann", "bb" * 32), ("bob", "0f" * 32)):
        monkeypatch.setenv("MEMORY_ENCRYPTION_KEY", key)
        given.write_text(json.dumps({"content": f"Token of {key[:2]} {SECRET}"}))
        assert run("import", "--user", user, str(given))[0] == 0
    return run


def test_secrets_are_rotated_by_the_login_that_serves(
    sealed: Run, postgres: Server, database_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pod knows no other login; who sees no account must not say that all is done."""
    monkeypatch.setenv("DATABASE_URL", postgres.url(database_name, LOGIN))
    monkeypatch.setenv("MEMORY_ENCRYPTION_KEY_PREVIOUS", "bb" * 32)
    status, _, told = sealed("rotate")
    assert (status, told.splitlines()[-1]) == (
        0,
        "All 3 secrets are under the newest key; 1 were wrapped anew.",
    )


def test_secret_whose_key_is_gone_holds_up_no_other(
    sealed: Run, monkeypatch: pytest.MonkeyPatch, superuser: psycopg.Connection[Any]
) -> None:
    """Somebody may have destroyed it on purpose: it is named, all others are rotated."""
    monkeypatch.setenv("MEMORY_ENCRYPTION_KEY", "aa" * 32)
    monkeypatch.setenv("MEMORY_ENCRYPTION_KEY_PREVIOUS", "0f" * 32)
    query = "SELECT uid FROM memories WHERE content LIKE 'Token of bb%'"
    row = superuser.execute(query).fetchone()
    assert row
    status, _, told = sealed("rotate")
    assert status == 1
    assert f"Memory {row[0]} of account " in told
    assert "2 secrets were wrapped anew, 1 memories hold some that were passed over" in told
    status, out, _ = sealed("doctor")
    assert status == 1
    assert re.search(
        rf"^WRONG   stored secrets open: Memory {row[0]} of .*PREVIOUS", out, re.MULTILINE
    )
    monkeypatch.setenv("MEMORY_ENCRYPTION_KEY_PREVIOUS", "bb" * 32)
    assert sealed("rotate")[0] == 0
    assert sealed("doctor")[0] == 0


def test_doctor_with_a_passphrase_looks_at_an_empty_database(
    run: Run, monkeypatch: pytest.MonkeyPatch, postgres: Server, empty_database: str
) -> None:
    """It says what to run first, and what is not known before."""
    monkeypatch.setenv("DATABASE_URL", postgres.url(empty_database))
    monkeypatch.setenv("MEMORY_ENCRYPTION_KEY", "a passphrase of the operator")
    status, out, _ = run("doctor")
    assert status == 1
    assert "WRONG   the schema fits: It is missing or old, or may not be read. Run" in out
    assert "later   the keeper of secrets answers: not known before the schema fits" in out


def test_new_epoch_begins(run: Run, superuser: psycopg.Connection[Any]) -> None:
    """`rotate-epoch` lifts the versions above all that were ever given out."""
    run("keys", "create")
    assert run("rotate-epoch")[0] == 0
    assert superuser.execute("SELECT count(*) FROM epochs").fetchone() == (2,)
    row = superuser.execute("SELECT version FROM accounts").fetchone()
    assert row is not None
    assert row[0] > 2**50


@promise("server.old-rows-are-purged")
def test_purge_keeps_tombstones_unless_asked(
    run: Run, tmp_path: Path, superuser: psycopg.Connection[Any]
) -> None:
    """Old history goes; tombstones go only if their age is given."""
    given = tmp_path / "given.jsonl"
    given.write_text('{"content": "old"}\n')
    run("import", str(given))
    superuser.execute(
        "UPDATE memories SET deleted_at = now() - interval '400 days', content = NULL"
    )
    superuser.execute(
        "INSERT INTO history (account_id, uid, kind, payload, at) "
        "SELECT account_id, uid, 'deleted', '{}', now() - interval '31 days' FROM memories"
    )
    superuser.execute(
        "INSERT INTO rate_limits (account_id, key_id, tokens, at) "
        "SELECT id, days || ' days', 1, now() - days * interval '1 day' "
        "FROM accounts, unnest(ARRAY[0, 1, 3]) days"
    )
    purged = json.loads(run("purge")[1])
    gone = {"skipped": 0, "tombstones": 0, "histories": 1, "operations": 0, "rates": 1}
    assert purged == {"accounts": 1, **gone}
    left = superuser.execute("SELECT key_id FROM rate_limits ORDER BY 1").fetchall()
    assert left == [("0 days",), ("1 days",)]
    assert json.loads(run("purge", "--tombstone-days", "0")[1])["tombstones"] == 0
    purged = json.loads(run("purge", "--tombstone-days", "365")[1])
    assert purged["tombstones"] == 1


def test_doctor_names_what_is_wrong(
    run: Run, monkeypatch: pytest.MonkeyPatch, postgres: Server, empty_database: str
) -> None:
    """All is well, or each thing that is not comes with its fix."""
    status, out, _ = run("doctor")
    assert status == 0, out
    assert out.count("ok ") == 7
    monkeypatch.setenv("MEMORY_ENCRYPTION_KEY", "")
    monkeypatch.setenv("DATABASE_URL", postgres.url(empty_database))
    status, out, _ = run("doctor")
    assert status == 1
    assert "python -m backend migrate" in out
    assert "MEMORY_ENCRYPTION_KEY" in out
    status, _, told = run("keys", "list")
    assert status == 1
    assert "python -m backend migrate" in told
    assert run("migrate")[0] == 0
    assert run("keys", "create")[0] == 0


def test_doctor_names_what_a_new_server_of_databases_lacks(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """There the role of requests is missing too, which a migration makes."""
    fresh = EmbeddedPostgres(tmp_path / "postgres", throwaway=True)
    monkeypatch.setenv("DATABASE_URL", fresh.start())
    try:
        status, out, _ = run("doctor")
        assert status == 1
        assert out.count("python -m backend migrate") == 2
        assert "later   the database takes writes" in out
        assert run("migrate")[0] == 0
        assert run("doctor")[0] == 0
    finally:
        fresh.stop()


def test_doctor_tells_a_replica(run: Run, superuser: psycopg.Connection[Any]) -> None:
    """It can be read, so that nothing else would show it."""
    of_all = f"ALTER DATABASE {superuser.info.dbname}"
    superuser.execute(f"{of_all} SET default_transaction_read_only = on")
    try:
        status, out, _ = run("doctor")
    finally:
        superuser.execute(f"{of_all} RESET default_transaction_read_only")
    assert status == 1
    assert "WRONG   the database takes writes: It is a replica" in out
    assert out.count("ok ") == 6


def test_doctor_says_what_the_database_says(
    run: Run, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    """A database that is not there, and one that lets nobody in, are mended in different places."""
    unknown = re.sub(r"@/\w+", "@/not_there", database_url)
    for url, said in (
        (unknown, 'database "not_there" does not exist'),
        ("postgresql://owner:not-for-logs@127.0.0.1:1/memory", "Connection refused"),
    ):
        monkeypatch.setenv("DATABASE_URL", url)
        status, out, told = run("doctor")
        assert status == 1
        assert out.startswith("WRONG   the database answers: ")
        assert said in out
        assert "not-for-logs" not in out + told


def test_doctor_makes_nothing(
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    superuser: psycopg.Connection[Any],
) -> None:
    """Neither the salt of a passphrase nor a key file: whoever serves does."""
    for name, value in (
        ("MEMORY_ENCRYPTION_KEY", "a passphrase of the operator"),
        ("MEMORY_KEY_FILE", str(tmp_path / "made-later.key")),
    ):
        monkeypatch.setenv("MEMORY_ENCRYPTION_KEY", "")
        monkeypatch.setenv(name, value)
        status, out, _ = run("doctor")
        assert status == 0, out
    assert list(tmp_path.iterdir()) == []
    assert superuser.execute("SELECT k FROM keeper_state").fetchall() == []


def test_absent_database_is_said_so(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands end with a reason when the database does not answer."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@/nothing?host=/nonexistent")
    for arguments in (("keys", "list"), ("migrate",), ("export",)):
        status, _, told = run(*arguments)
        assert status == 1
        assert "database" in told
