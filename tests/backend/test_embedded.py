"""The private PostgreSQL starts for anyone, survives kills, and leaves nothing behind."""

from __future__ import annotations

import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from backend import embedded, migrate
from backend.embedded import EmbeddedPostgres
from backend.errors import ConfigurationError
from backend.folders import default_folder, folder_for_sockets
from backend.programs import Runner, find_binaries, version_of
from backend.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent.parent
# Everything is loaded as root: another user may not be allowed to read where Python lives.
AS_NOBODY = """
import os, shutil, sys
from pathlib import Path
from backend.embedded import EmbeddedPostgres
import psycopg
folder = Path(sys.argv[1])
psycopg.connect  # and its library
try: psycopg.connect("postgresql://nowhere@/none?host=/nonexistent")
except psycopg.OperationalError: pass
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
with EmbeddedPostgres(folder / "home", binaries=sys.argv[2], throwaway=True) as server:
    with psycopg.connect(server.start()) as connection:
        print(connection.execute("SELECT 6 * 7").fetchone()[0])
"""
ABANDON = """
import os, sys, signal
from pathlib import Path
from backend.embedded import EmbeddedPostgres
print(EmbeddedPostgres(Path(sys.argv[1]), throwaway=True).start(), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a data folder once; each test of this file starts from a copy of none or of this one."""
    folder = tmp_path_factory.mktemp("prepared")
    with EmbeddedPostgres(folder, throwaway=True) as server, psycopg.connect(server.start()) as one:
        one.execute("CREATE TABLE kept (text text)")
        one.execute("INSERT INTO kept VALUES ('tea')")
    return folder


@pytest.fixture
def server(prepared: Path) -> Iterator[EmbeddedPostgres]:
    """Return a server that is not started yet and that is stopped after the test."""
    found = EmbeddedPostgres(prepared, throwaway=True)
    yield found
    found.stop()


def postmaster(folder: Path) -> tuple[int, Path]:
    """Return what a running server wrote of itself: its process and the folder of its socket."""
    lines = (folder / "data" / "postmaster.pid").read_text().splitlines()
    return int(lines[0]), Path(lines[4])


def kept(url: str) -> list[tuple[str]]:
    """Return what was stored before."""
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT text FROM kept").fetchall()


def wait_for_end(pid: int) -> None:
    """Wait until a process that is not ours is gone; the test's own limit ends a wait in vain."""
    while embedded._is_postgres(pid):
        time.sleep(0.02)


def test_data_outlives_the_server(server: EmbeddedPostgres) -> None:
    """A second start finds what the first one stored."""
    assert kept(server.start()) == [("tea",)]


def test_nobody_else_can_reach_it(server: EmbeddedPostgres, prepared: Path) -> None:
    """It listens on no port, and the folders of data and socket are closed to others."""
    with psycopg.connect(server.start()) as connection:
        listens = connection.execute("SHOW listen_addresses").fetchone()
    _, sockets = postmaster(prepared)
    assert listens == ("",)
    for folder in (prepared / "data", sockets):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_stopping_leaves_no_process_and_no_socket(prepared: Path) -> None:
    """Nothing runs on, and the folder in the place for temporary files is gone."""
    server = EmbeddedPostgres(prepared, throwaway=True)
    server.start()
    pid, sockets = postmaster(prepared)
    server.stop()
    assert not embedded._is_postgres(pid)
    assert not sockets.exists()
    server.stop()  # which is harmless


def test_server_whose_parent_was_killed_is_used_again(
    server: EmbeddedPostgres, prepared: Path
) -> None:
    """The next start joins it, and the next stop ends it."""
    left = subprocess.run(
        [sys.executable, "-c", ABANDON, str(prepared)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert left.returncode == -signal.SIGKILL
    pid, _ = postmaster(prepared)
    assert server.start() == left.stdout.strip()
    assert postmaster(prepared)[0] == pid
    server.stop()
    assert not embedded._is_postgres(pid)


def test_killed_server_starts_again_with_its_data(server: EmbeddedPostgres, prepared: Path) -> None:
    """Kill -9 leaves a stale record behind, and perhaps helpers for a moment; the URL stays."""
    url = server.start()
    pid, _ = postmaster(prepared)
    os.kill(pid, signal.SIGKILL)
    assert server.start() == url
    assert kept(url) == [("tea",)]
    assert postmaster(prepared)[0] != pid


def test_folder_of_the_socket_that_is_open_to_others_is_left(
    server: EmbeddedPostgres, prepared: Path
) -> None:
    """Somebody may have made it again, after the system had cleared it away."""
    url = server.start()
    pid, sockets = postmaster(prepared)
    os.kill(pid, signal.SIGKILL)
    sockets.chmod(0o777)
    assert server.start() != url
    shutil.rmtree(sockets)


def test_process_that_has_the_number_of_a_dead_server_is_left_alone(
    server: EmbeddedPostgres, prepared: Path
) -> None:
    """Numbers are used again after a restart of the machine."""
    with subprocess.Popen(["sleep", "600"]) as other:
        record = prepared / "data" / "postmaster.pid"
        record.write_text(f"{other.pid}\n{prepared}/data\n1\n5432\n/nonexistent\n\n\n")
        assert kept(server.start()) == [("tea",)]
        server.stop()
        assert other.poll() is None
        other.kill()


def test_last_of_several_users_stops_it(prepared: Path) -> None:
    """Whoever leaves earlier leaves the others their server."""
    first, second = (EmbeddedPostgres(prepared, throwaway=True) for _ in range(2))
    url = first.start()
    assert second.start() == url
    pid, _ = postmaster(prepared)
    first.stop()
    assert kept(url) == [("tea",)]
    second.stop()
    wait_for_end(pid)


def test_half_made_folder_is_made_anew(tmp_path: Path) -> None:
    """A first start that was killed is no obstacle to the next one."""
    (tmp_path / "data.new").mkdir()
    (tmp_path / "data.new" / "PG_VERSION").write_text("18\n")
    with EmbeddedPostgres(tmp_path, throwaway=True) as server:
        assert server.start()
    assert not (tmp_path / "data.new").exists()


def test_first_start_says_what_takes_so_long(tmp_path: Path) -> None:
    """A later one has less to say."""
    said: list[str] = []
    for _ in range(2):
        with EmbeddedPostgres(tmp_path, throwaway=True, tell=said.append):
            said.append("up")
    assert [text.split()[0] for text in said] == ["Preparing", "Starting", "up", "Starting", "up"]


def test_words_are_folded_in_every_script(server: EmbeddedPostgres) -> None:
    """The locale is the same everywhere, so search behaves the same everywhere."""
    with psycopg.connect(server.start()) as connection:
        row = connection.execute(
            "SELECT lower('ÄÉЖ'), to_tsvector('english', 'ÜBER') @@ to_tsquery('english', 'über'), "
            "current_setting('server_encoding')"
        ).fetchone()
    assert row == ("äéж", True, "UTF8")


def test_data_of_another_version_is_refused_with_the_way_out(tmp_path: Path) -> None:
    """It is not touched, and the text names both versions and the setting."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "PG_VERSION").write_text("12\n")
    with pytest.raises(ConfigurationError, match=r"PostgreSQL 12, .* MEMORY_PG_BIN .* 12 to go on"):
        EmbeddedPostgres(tmp_path).start()
    assert (tmp_path / "data" / "PG_VERSION").read_text() == "12\n"


def test_lines_of_the_operations_page_move_everything_to_a_new_folder(tmp_path: Path) -> None:
    """As for another version, of which there is none here: what was stored is all there."""
    page = (ROOT / "docs" / "operations.md").read_text("utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    dump, restore = (block for block in blocks if "postmaster.pid" in block)
    path = f"{find_binaries()}:/usr/bin:/bin"
    environ = {"MEMORY_DATA": str(tmp_path), "PATH": path}
    folder = tmp_path / "postgres"
    for block in (dump, restore):
        with EmbeddedPostgres(folder, throwaway=True) as server:
            url = server.start()
            migrate.upgrade(Settings(database_url=url, migration_url=url))
            with psycopg.connect(url) as connection:
                if block == dump:
                    connection.execute(
                        "INSERT INTO accounts (id, name) VALUES (gen_random_uuid(), 'ann')"
                    )
                connection.commit()
                subprocess.run(["/bin/sh", "-euc", block], cwd=tmp_path, env=environ, check=True)
                found = connection.execute("SELECT name FROM accounts").fetchall()
                assert found == [("ann",)]
        folder.rename(tmp_path / f"old-{len(list(tmp_path.iterdir()))}")


def test_server_that_does_not_come_up_is_told_with_its_last_words(
    prepared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The text holds PostgreSQL's own reason, and no socket is left."""
    broken = EmbeddedPostgres(prepared, options=("shared_buffers=nonsense",))
    told = r'invalid value .*"shared_buffers".*DATABASE_URL'
    with tempfile.TemporaryDirectory(prefix="s-") as short:  # where other tests start nothing
        monkeypatch.setattr(tempfile, "tempdir", short)
        made = folder_for_sockets(Runner(), None)
        assert made.parent == Path(short)
        with pytest.raises(ConfigurationError, match=told):
            broken.start()
        assert list(Path(short).iterdir()) == [made]


def test_named_binaries_have_to_be_there(tmp_path: Path) -> None:
    """A wrong MEMORY_PG_BIN is told, not silently replaced."""
    with pytest.raises(ConfigurationError, match="MEMORY_PG_BIN"):
        find_binaries(str(tmp_path))


def test_named_binaries_come_first(tmp_path: Path) -> None:
    """Whatever else is installed."""
    for name in ("initdb", "postgres"):
        (tmp_path / name).touch(mode=0o755)
    assert find_binaries(str(tmp_path)) == tmp_path
    assert find_binaries() != tmp_path


@pytest.mark.parametrize(
    ("said", "major"),
    [
        ("postgres (PostgreSQL) 18.6", 18),
        ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", 15),
        ("postgres (PostgreSQL) 19beta1", 19),
    ],
)
def test_version_is_read_from_what_the_program_says(tmp_path: Path, said: str, major: int) -> None:
    """Distributions write their own number behind PostgreSQL's."""
    program = tmp_path / "postgres"
    program.write_text(f"#!/bin/sh\necho '{said}'\n")
    program.chmod(0o755)
    assert version_of(tmp_path, Runner()) == major


def test_data_lives_where_the_setting_says_or_with_the_user() -> None:
    """MEMORY_DATA, else the user's data folder."""
    assert default_folder("/srv/memory") == Path("/srv/memory/postgres")
    assert default_folder() == Path.home() / ".local/share/claude-memory/postgres"


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Make a folder that everybody may enter, with PostgreSQL's programs in it."""
    with tempfile.TemporaryDirectory() as outer:
        folder = Path(outer)
        folder.chmod(0o755)
        package = find_binaries().parent.parent  # its libraries lie beside it
        for part in (package, *package.parent.glob(f"{package.name}.libs")):
            shutil.copytree(part, folder / part.name, symlinks=True)
        (folder / "home").mkdir()
        (folder / "bin").symlink_to(folder / find_binaries().relative_to(package.parent))
        yield folder


def test_ordinary_user_needs_no_namespace(open_folder: Path) -> None:
    """Somebody who is not root starts it from binaries that everybody may read."""
    if os.geteuid() == 0:
        os.chown(open_folder / "home", 65_534, 65_534)
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, str(open_folder), str((open_folder / "bin").resolve())],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert (done.stdout, done.returncode) == ("42\n", 0), done.stderr


@pytest.fixture
def _without_namespaces(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Be root on a machine that has no user namespaces: the program that makes them is missing."""
    if os.geteuid() != 0:
        pytest.skip("only root needs a namespace")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        (Path(folder) / "test").symlink_to("/usr/bin/test")
        monkeypatch.setenv("PATH", folder)
        yield


@pytest.mark.usefixtures("_without_namespaces")
def test_root_without_namespaces_runs_it_as_nobody(open_folder: Path) -> None:
    """Data and binaries have to be where nobody can reach them."""
    folder = open_folder / "home"
    binaries = str((open_folder / "bin").resolve())
    with (
        EmbeddedPostgres(folder, binaries=binaries, throwaway=True) as server,
        psycopg.connect(server.start()) as connection,
    ):
        assert connection.execute("SELECT 6 * 7").fetchone() == (42,)
        assert (folder / "data").stat().st_uid == 65_534


@pytest.mark.usefixtures("_without_namespaces")
def test_root_whose_data_nobody_can_reach_is_told_what_to_do(tmp_path: Path) -> None:
    """No folder of root's is opened to others for it."""
    (tmp_path / "closed").mkdir(mode=0o700)
    with pytest.raises(ConfigurationError, match="MEMORY_DATA to a folder"):
        EmbeddedPostgres(tmp_path / "closed" / "postgres").start()
