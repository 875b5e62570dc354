"""A primary that dies with writes its standby never got: the server goes on, nothing is missing."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from backend.embedded import DATABASE, EmbeddedPostgres
from backend.programs import Runner, find_binaries
from tests.support.hybrid import key_of, machine, on_server
from tests.support.promises import promise
from tests.support.serving import Serving
from tests.support.waiting import comes

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.once, pytest.mark.heavy]

USER = "owner"
SENT = "SELECT count(*) FROM pg_stat_replication WHERE replay_lsn = pg_current_wal_lsn()"


def standby_of(primary: str, folder: Path) -> EmbeddedPostgres:
    """Make a standby that follows a primary, as `pg_basebackup` sets one up."""
    folder.mkdir()
    runner = Runner.choose(folder)
    backup = [str(find_binaries() / "pg_basebackup"), "-h", primary, "-U", "memory", "-R"]
    done = runner.run([*backup, "-D", str(folder / "data"), "--checkpoint=fast"])
    assert done.returncode == 0, done.stderr
    return EmbeddedPostgres(folder)


def sockets_of(url: str) -> str:
    """Return where a server of databases listens."""
    return parse_qs(urlsplit(url).query)["host"][0]


@promise("server.new-life-is-noticed")
def test_writes_that_a_failover_lost_are_brought_back(tmp_path: Path) -> None:
    """Two machines had them, one of them by a pull alone; one URL names both databases."""
    texts = ["On both databases.", "On the one that died.", "After the failover."]
    folder, key = tmp_path / "primary", key_of(USER)
    primary = EmbeddedPostgres(folder)
    url = primary.start()
    follower = standby_of(sockets_of(url), tmp_path / "standby")
    try:
        other = follower.start()
        hosts = f"{sockets_of(url)},{sockets_of(other)}"
        both = f"postgresql://memory@/{DATABASE}?host={hosts}&target_session_attrs=read-write"
        program = Serving(
            {
                "DATABASE_URL": both,
                "API_KEYS": json.dumps({USER: key}),
                "MEMORY_ENCRYPTION_KEY": "0f" * 32,
            }
        )
        with program, psycopg.connect(other, autocommit=True) as at_standby:
            server = program.address()
            with (
                machine(tmp_path / "a", server, key) as one,
                machine(tmp_path / "b", server, key) as two,
            ):
                one.done("memory_store", content=texts[0])
                comes(lambda: two.call("memory_list").text, texts[0])
                with psycopg.connect(url, autocommit=True) as operator:
                    comes(lambda: str(operator.execute(SENT).fetchone()), "(1,)")
                at_standby.execute("ALTER SYSTEM SET primary_conninfo = ''")
                at_standby.execute("SELECT pg_reload_conf()")
                with psycopg.connect(url, autocommit=True) as operator:
                    gone = "SELECT count(*) FROM pg_stat_replication"
                    comes(lambda: str(operator.execute(gone).fetchone()), "(0,)")
                one.done("memory_store", content=texts[1])
                comes(lambda: two.call("memory_list").text, texts[1])
                pid = int((folder / "data" / "postmaster.pid").read_text().split("\n", 1)[0])
                os.kill(pid, signal.SIGKILL)
                at_standby.execute("SELECT pg_promote()")
                two.done("memory_store", content=texts[2])
                comes(lambda: "\n".join(on_server(server, key)), texts[2])
                comes(lambda: "\n".join(on_server(server, key)), texts[1])
                assert sorted(on_server(server, key)) == sorted(texts)
                comes(lambda: one.call("memory_list").text, texts[2])
            program.stop()
    finally:
        follower.stop()
        primary.stop()
