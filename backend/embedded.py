"""A private PostgreSQL for a server that was given no DATABASE_URL, and for the tests.

It takes the binaries of a wheel (or of the system) and starts them itself: on a Unix socket that
only this user can reach, never on a port. A server that outlived its parent is used again; one that
died is started again where it was.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Self

import psycopg

from backend.errors import ConfigurationError
from backend.folders import folder_for_sockets, remove_sockets, unusable
from backend.programs import Runner, find_binaries, signals_put_off, version_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

USER = "memory"
DATABASE = "claude_memory"
PATIENCE = 90.0  # seconds: recovery after a crash replays what was not yet written
PAUSE = 0.05
WATCH = 1.0  # seconds between looks at a server that is to be kept running
RETRY = 5.0  # seconds before one that does not start is tried again
BUILTIN_LOCALES_SINCE = 17
REASON = re.compile(r"(?:FATAL|PANIC): +(.+)")
NUMBERS = re.compile(r"\d+")
THROWAWAY = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off")


class EmbeddedPostgres:
    """One private server and its data folder.

    Several processes may start the same folder: they share one server, and the last to stop it
    ends it.
    """

    def __init__(
        self,
        folder: Path,
        *,
        binaries: str = "",
        throwaway: bool = False,
        options: tuple[str, ...] = (),
        tell: Callable[[str], None] = lambda _text: None,
    ) -> None:
        """`throwaway` trades the safety of the data for speed; `options` are `name=value`."""
        self._folder = folder
        self._data = folder / "data"
        self._start_lock = folder / "start.lock"
        self._binaries = binaries
        self._options = (*options, *(THROWAWAY if throwaway else ()))
        self._tell = tell
        self._process: subprocess.Popen[bytes] | None = None
        self._in_use: int | None = None
        self._sockets: Path | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> str:
        """Start the server, or find the one that runs already; return its URL.

        Raises:
            ConfigurationError: it cannot run here; the text says why and what to do.
        """
        if os.name == "nt":
            raise ConfigurationError(
                "The embedded PostgreSQL runs on Linux and macOS only; set DATABASE_URL."
            )
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with self._start_lock.open("ab") as lock, self._nothing_left_half_started():
                _hold(lock)
                url = self._running() or self._launch()
                self._use()
        except OSError as error:
            raise ConfigurationError(unusable(self._folder, str(error.strerror))) from error
        return url

    def stop(self) -> None:
        """Stop the server, unless another process still uses it; wait until it is gone."""
        if self._in_use is None:  # it did not start, which leaves nothing behind
            return
        with self._start_lock.open("ab") as lock:
            _hold(lock)
            if not self._leave():
                self._forget()
                return
            found = _Postmaster.read(self._data)
            if found is not None and self._is_alive(found.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(found.pid, signal.SIGINT)  # fast: SIGTERM would wait for every client
                self._wait_for_the_end(found.pid)
            if self._sockets is not None:
                remove_sockets(self._sockets)

    @contextlib.contextmanager
    def kept_running(self) -> Iterator[None]:
        """Meanwhile start the server again whenever it has died; its URL stays what it was."""
        is_over = threading.Event()
        watch = threading.Thread(target=self._watch, args=(is_over,), name="private-postgres")
        try:
            watch.start()
            yield
        finally:
            is_over.set()
            if watch.is_alive():  # a signal may come while it is started
                watch.join()

    def _watch(self, is_over: threading.Event) -> None:
        pause, told = WATCH, ""
        while not is_over.wait(pause):
            found = _Postmaster.read(self._data)
            if found is not None and self._is_alive(found.pid):
                pause, told = WATCH, ""
                continue
            try:
                self.start()
            except (ConfigurationError, OSError, psycopg.Error) as error:
                reason = NUMBERS.sub("", str(error))  # times and processes differ each time
                if reason != told:
                    self._tell(f"The private PostgreSQL has died. {error}")
                pause, told = RETRY, reason

    @contextlib.contextmanager
    def _nothing_left_half_started(self) -> Iterator[None]:
        """End a server that was started meanwhile if that is broken off, as by Ctrl-C."""
        before = self._process
        try:
            yield
        except BaseException:
            if self._process is not None and self._process is not before:
                self._process.send_signal(signal.SIGINT)
                self._process.wait()
                if self._sockets is not None:
                    remove_sockets(self._sockets)
            raise

    def _running(self) -> str | None:
        """Return the URL of a server that runs on this folder; clear away what a dead one left."""
        found = _Postmaster.read(self._data)
        if found is None:
            return None
        deadline = time.monotonic() + PATIENCE
        while self._is_alive(found.pid):
            if _answers(found.sockets):
                return self._ready(found.sockets)
            if time.monotonic() > deadline:
                raise ConfigurationError(
                    f"A PostgreSQL (process {found.pid}) holds {self._data} but does not answer. "
                    f"See {self._log}, or end that process."
                )
            time.sleep(PAUSE)
        # Another program may have the number by now, and PostgreSQL would take it for its own.
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        self._sockets = self._sockets or found.sockets
        return None

    def _launch(self) -> str:
        runner = Runner.choose(self._folder)
        programs = find_binaries(self._binaries)
        version = version_of(programs, runner)
        if not (self._data / "PG_VERSION").exists():
            self._create(programs, runner, version)
        self._refuse_other_version(version)
        self._sockets = sockets = folder_for_sockets(runner, self._sockets)
        self._tell("Starting the private PostgreSQL...")
        deadline = time.monotonic() + PATIENCE
        while not self._try_launch(programs, runner, sockets):
            # Helpers of a killed server may hold its shared memory for a moment longer.
            if time.monotonic() > deadline or not self._is_held():
                raise ConfigurationError(
                    f"The private PostgreSQL does not start: {self._last_words()} "
                    f"The whole log is {self._log}; or set DATABASE_URL."
                )
            time.sleep(PAUSE)
        return self._ready(sockets)

    def _try_launch(self, programs: Path, runner: Runner, sockets: Path) -> bool:
        """Start the program; return whether it came up."""
        settings = ("listen_addresses=", f"unix_socket_directories={sockets}", *self._options)
        arguments = [argument for setting in settings for argument in ("-c", setting)]
        with self._log.open("ab") as log:
            log.truncate(0)  # it tells of this start only, so that it does not grow for ever
            with signals_put_off():  # until it is noted what is to be ended
                self._process = subprocess.Popen(  # noqa: S603  (our own binaries)
                    [*runner.prefix, str(programs / "postgres"), "-D", str(self._data), *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd="/",
                    start_new_session=True,  # Ctrl-C is for the API first, which then stops this
                    **runner.identity,
                )
        deadline = time.monotonic() + PATIENCE
        while self._process.poll() is None and time.monotonic() < deadline:
            if _answers(sockets):
                return True
            time.sleep(PAUSE)
        return False

    def _create(self, programs: Path, runner: Runner, version: int) -> None:
        """Make the data folder; one that was left half made is made anew."""
        self._tell("Preparing a private PostgreSQL; this takes some seconds, once...")
        fresh = self._folder / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        runner.own(fresh)
        locale = ["--locale=C.UTF-8"]
        if version >= BUILTIN_LOCALES_SINCE:  # the same everywhere, whatever the system has
            locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        command = [programs / "initdb", "-D", fresh, "-U", USER, "-A", "trust", "-E", "UTF8"]
        quick = ["--no-sync"] if THROWAWAY[0] in self._options else []
        made = runner.run([*map(str, command), *locale, *quick])
        if made.returncode:
            raise ConfigurationError(
                f"The private PostgreSQL cannot be prepared in {self._folder}: "
                f"{made.stderr.strip()[-600:]}"
            )
        fresh.rename(self._data)

    def _refuse_other_version(self, version: int) -> None:
        made_by = int((self._data / "PG_VERSION").read_text().strip().split(".")[0])
        if made_by != version:
            raise ConfigurationError(
                f"The data in {self._data} is of PostgreSQL {made_by}, the binaries found here are "
                f"{version}. Point MEMORY_PG_BIN to the bin folder of PostgreSQL {made_by} to go "
                "on as before; how to go over to another version stands in docs/operations.md."
            )

    def _ready(self, sockets: Path) -> str:
        """Return the URL; make the database if it is not there yet."""
        with psycopg.connect(_url(sockets, "postgres"), autocommit=True) as connection:
            query = "SELECT 1 FROM pg_database WHERE datname = %s"
            if connection.execute(query, (DATABASE,)).fetchone() is None:
                connection.execute(f"CREATE DATABASE {DATABASE}")
        self._sockets = sockets
        return _url(sockets, DATABASE)

    def _is_alive(self, pid: int) -> bool:
        if self._process is not None and self._process.pid == pid:
            return self._process.poll() is None
        return _is_postgres(pid)

    def _wait_for_the_end(self, pid: int) -> None:
        deadline = time.monotonic() + PATIENCE
        while self._is_alive(pid) and time.monotonic() < deadline:
            time.sleep(PAUSE)

    def _is_held(self) -> bool:
        return "is still in use" in self._log.read_text("utf-8", "replace")

    def _last_words(self) -> str:
        """Return the last line that says why, else the end of the log."""
        log = self._log.read_text("utf-8", "replace").strip()
        reasons = REASON.findall(log)
        return f"{reasons[-1]}." if reasons else " ".join(log[-600:].split())

    @property
    def _log(self) -> Path:
        return self._folder / "server.log"

    def _use(self) -> None:
        """Hold a shared lock for as long as this process lives: who holds it uses the server."""
        import fcntl

        if self._in_use is None:
            self._in_use = os.open(self._folder / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._in_use, fcntl.LOCK_SH)

    def _forget(self) -> None:
        """Let the server live on without us; unasked, subprocess would warn of that."""
        if self._process is not None:
            self._process.returncode = 0
            self._process = None

    def _leave(self) -> bool:
        """Give the shared lock back; return whether nobody else holds it."""
        import fcntl

        if self._in_use is None:
            return False
        try:
            fcntl.flock(self._in_use, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            os.close(self._in_use)
            self._in_use = None
        return True


@dataclass(frozen=True)
class _Postmaster:
    """What a server writes about itself into postmaster.pid."""

    pid: int
    sockets: Path

    @staticmethod
    def read(data: Path) -> _Postmaster | None:
        try:
            lines = (data / "postmaster.pid").read_text("utf-8").splitlines()
            return _Postmaster(int(lines[0]), Path(lines[4]))
        except (OSError, ValueError, IndexError):
            return None


def _is_postgres(pid: int) -> bool:
    """Tell whether the process runs and is a PostgreSQL: numbers of dead ones are used again."""
    proc = Path(f"/proc/{pid}/stat")
    if Path("/proc/self").exists():
        try:
            name, _, rest = proc.read_text("utf-8", "replace").partition("(")[2].rpartition(")")
        except OSError:
            return False
        return name.startswith("postgres") and rest.split()[0] != "Z"
    shown = subprocess.run(  # noqa: S603
        ["ps", "-o", "state=,comm=", "-p", str(pid)],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )
    return "postgres" in shown.stdout and not shown.stdout.lstrip().startswith("Z")


def _url(sockets: Path, database: str) -> str:
    return f"postgresql://{USER}@/{database}?host={sockets}"


def _answers(sockets: Path) -> bool:
    try:
        psycopg.connect(_url(sockets, "postgres"), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _hold(lock: BinaryIO) -> None:
    """Wait for a lock that is let go of when the file is closed, and by the kernel if we die."""
    import fcntl

    fcntl.flock(lock, fcntl.LOCK_EX)
