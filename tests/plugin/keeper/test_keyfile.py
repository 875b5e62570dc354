"""The key file: complete or absent, one for all processes, and for its owner's eyes only."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from claude_memory.errors import KeeperRefused, KeeperUnavailable
from claude_memory.keeper.keyfile import KeyFile

IMPORT_ROOT = Path(__file__).parents[3] / "plugin" / "mcp"
NOBODY = 65_534
BECOME_ANOTHER = f"""
import os
if os.geteuid() == 0:  # root reads everything, so the test needs another user
    os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})
"""
MAKE = """
import sys
from claude_memory.errors import KeeperError
from claude_memory.keeper.keyfile import KeyFile
{before}
try:
    print(KeyFile(sys.argv[1]).read_or_make().id)
except KeeperError as error:
    print(type(error).__name__, error.sentence())
"""
RACE = """
import sys
from claude_memory.keeper.keyfile import KeyFile
for line in sys.stdin:
    print(KeyFile(line.strip()).read_or_make().id, flush=True)
"""


def _child(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env={**os.environ, "PYTHONPATH": str(IMPORT_ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_key_is_private_from_its_first_moment(tmp_path: Path) -> None:
    """Folder 0700 and file 0600, also under a careless umask."""
    before = os.umask(0)
    try:
        key_file = KeyFile(str(tmp_path / "data home"))
        key = key_file.read_or_make()
    finally:
        os.umask(before)
    assert _mode(Path(key_file.path)) == 0o600
    assert _mode(Path(key_file.path).parent) == 0o700
    assert len(key.secret) == 32
    assert key_file.read() == key


def test_two_folders_have_two_keys(tmp_path: Path) -> None:
    """Keys are random."""
    first, second = (KeyFile(str(tmp_path / name)).read_or_make() for name in "ab")
    assert first.secret != second.secret
    assert first.id != second.id


def test_nothing_but_the_key_is_left(tmp_path: Path) -> None:
    """No draft stays, and no repository of dot files picks the key up."""
    folder = Path(KeyFile(str(tmp_path)).path).parent
    KeyFile(str(tmp_path)).read_or_make()
    assert _names(folder) == [".gitignore", "seal.key"]
    assert (folder / ".gitignore").read_text() == "*\n"


def test_processes_that_start_at_once_agree_on_one_key(tmp_path: Path) -> None:
    """Whoever is first makes the key; nobody ever returns another."""
    children = [
        subprocess.Popen(
            [sys.executable, "-c", RACE],
            env={**os.environ, "PYTHONPATH": str(IMPORT_ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(6)
    ]
    try:
        for turn in range(40):
            home = tmp_path / str(turn)
            for child in children:
                assert child.stdin
                child.stdin.write(f"{home}\n")
                child.stdin.flush()
            ids = {child.stdout.readline() for child in children if child.stdout}
            kept = KeyFile(str(home)).read()
            assert kept is not None
            assert ids == {f"{kept.id}\n"}
            assert len(_names(home / "keys")) == 2
    finally:
        for child in children:
            child.communicate()


@pytest.mark.parametrize(
    "death",
    [
        "import os; os.link = lambda *names: os._exit(9)",
        "import os; os.fsync = lambda number: os._exit(9)",
    ],
    ids=["before it has its name", "before it is on disk"],
)
def test_crash_leaves_no_half_key(tmp_path: Path, death: str) -> None:
    """Killed at any point, the next start finds a whole key or none."""
    assert _child(MAKE.format(before=death), str(tmp_path)).returncode == 9
    key_file = KeyFile(str(tmp_path))
    assert key_file.read() is None
    assert key_file.read_or_make() == key_file.read()


def test_full_disk_leaves_no_half_key(tmp_path: Path) -> None:
    """A write cut off in the middle is reported, and leaves nothing behind."""
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (16, 16))"
    done = _child(MAKE.format(before=limit), str(tmp_path))
    assert done.stdout.startswith("KeeperUnavailable The key file ")
    assert _names(tmp_path / "keys") == [".gitignore"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o622])
def test_key_that_others_may_touch_is_refused(tmp_path: Path, mode: int) -> None:
    """Somebody may have read or replaced it: the user is told, and how to go on."""
    key_file = KeyFile(str(tmp_path))
    key = key_file.read_or_make()
    Path(key_file.path).chmod(mode)
    with pytest.raises(KeeperRefused) as caught:
        key_file.read()
    assert f"chmod 600 '{key_file.path}'" in caught.value.fix
    Path(key_file.path).chmod(0o600)
    assert key_file.read() == key


@pytest.mark.parametrize("length", [0, 31, 33, 10_000])
def test_file_that_is_no_key_is_refused(tmp_path: Path, length: int) -> None:
    """It is not replaced either: the real key may be in a backup."""
    key_file = KeyFile(str(tmp_path))
    key_file.read_or_make()
    Path(key_file.path).write_bytes(b"k" * length)
    with pytest.raises(KeeperRefused, match="does not hold a key"):
        key_file.read_or_make()
    assert Path(key_file.path).stat().st_size == length


def test_folder_in_the_place_of_the_key_is_reported(tmp_path: Path) -> None:
    """Whatever is there, it is a KeeperError."""
    key_file = KeyFile(str(tmp_path))
    Path(key_file.path).mkdir(parents=True)
    with pytest.raises(KeeperUnavailable):
        key_file.read()


def test_key_of_another_user_is_reported(tmp_path: Path) -> None:
    """A key that cannot be read is not taken for a key that is not there."""
    key_file = KeyFile(str(tmp_path))
    key_file.read_or_make()
    Path(key_file.path).chmod(0)
    done = _child(MAKE.format(before=BECOME_ANOTHER), str(tmp_path))
    assert done.stdout.startswith(f"KeeperUnavailable The key file {key_file.path} cannot be read")
    assert "MEMORY_HOME" in done.stdout


def test_folder_that_refuses_writes_is_reported(tmp_path: Path) -> None:
    """A data folder of another user gives a sentence, not a traceback."""
    tmp_path.chmod(0o500)
    done = _child(MAKE.format(before=BECOME_ANOTHER), str(tmp_path))
    tmp_path.chmod(0o700)
    assert done.stdout.startswith("KeeperUnavailable The key file ")
    assert done.stderr == ""


def test_repr_of_a_key_hides_it(tmp_path: Path) -> None:
    """A key in a log line is a key lost."""
    key = KeyFile(str(tmp_path)).read_or_make()
    assert repr(key) == f"Key(id='{key.id}')"
    assert str(key) == repr(key)
    assert f"{key}" == repr(key)
