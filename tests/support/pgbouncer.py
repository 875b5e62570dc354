"""A real PgBouncer in front of the PostgreSQL of a run."""

from __future__ import annotations

import socket
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from backend.programs import Runner
from tests.support import components
from tools.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATIENCE = 30.0
SETTINGS = """\
[databases]
* = host={sockets}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {users}
pool_mode = {mode}
default_pool_size = 3
server_login_retry = 1
max_client_conn = 200
logfile = {log}
{more}
"""


@contextmanager
def pooling(
    url: str, login: str, folder: Path, mode: str = "transaction", more: str = ""
) -> Iterator[str]:
    """Run it in front of a server that a URL names, with `more` settings; give `host:port`.

    Three connections of the server carry all transactions, so those of one client meet
    connections that another one used.
    """
    sockets = parse_qs(urlsplit(url).query)["host"][0]
    port = free_port()
    users, settings, log = folder / "users.txt", folder / "pgbouncer.ini", folder / "log.txt"
    users.write_text(f'"{login}" ""\n', encoding="ascii")
    settings.write_text(
        SETTINGS.format(sockets=sockets, port=port, users=users, log=log, mode=mode, more=more)
    )
    runner = Runner.choose(folder)  # like PostgreSQL, it does not run as root
    command = [*runner.prefix, str(components.pgbouncer()), "-q", str(settings)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, **runner.identity)
    try:
        _wait(process, port, log)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), PATIENCE).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                said = log.read_text() if log.exists() else ""
                raise AssertionError(f"PgBouncer does not answer: {said[-2000:]}") from None
            time.sleep(0.05)
        else:
            return
