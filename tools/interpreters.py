"""Which Pythons of this machine the plugin's suite can run on."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

WANTED = tuple(f"3.{minor}" for minor in range(9, 16))
LOOKED_IN = "the PATH, pyenv's and uv's folders, /usr/bin, /usr/local/bin, /opt/homebrew/bin"
USUAL = ("/usr/bin", "/usr/local/bin", "/opt/homebrew/bin")
PROBE = """
import os, sqlite3, sys
sqlite3.connect(":memory:").execute("create virtual table t using fts5(x)")
print("%d.%d" % sys.version_info[:2], "%d.%d.%d" % sys.version_info[:3])
print(os.path.realpath(sys.executable))
"""


class Interpreter(NamedTuple):
    """One Python that answered: `series` is 3.9, `version` 3.9.18."""

    series: str
    version: str
    path: str


def found(usual: tuple[str, ...] = USUAL) -> dict[str, Interpreter]:
    """Return the first working Python of each wanted series whose SQLite has FTS5."""
    answered: dict[str, Interpreter] = {}
    for candidate in dict.fromkeys(_candidates(usual)):
        interpreter = _probe(candidate)
        if interpreter and interpreter.series in WANTED:
            answered.setdefault(interpreter.series, interpreter)
    return dict(sorted(answered.items(), key=lambda item: WANTED.index(item[0])))


def _candidates(usual: tuple[str, ...]) -> Iterator[str]:
    names = [f"python{series}" for series in WANTED]
    for name in [*names, "python3", "python"]:
        yield from filter(None, [shutil.which(name)])
    home = Path.home()
    pyenv = Path(os.environ.get("PYENV_ROOT") or home / ".pyenv")
    yield from _matching(pyenv / "versions", "3.*/bin/python")
    uv_data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local/share") / "uv/python"
    yield from _matching(Path(os.environ.get("UV_PYTHON_INSTALL_DIR") or uv_data), "*/bin/python3")
    for folder in usual:
        yield from (str(Path(folder) / name) for name in names if (Path(folder) / name).is_file())


def _matching(folder: Path, pattern: str) -> list[str]:
    return sorted((str(path) for path in folder.glob(pattern)), reverse=True)


def _probe(path: str) -> Interpreter | None:
    """Ask the program at `path` what it is; a shim that leads nowhere is no Python."""
    try:
        command = [path, "-I", "-c", PROBE]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    answer = done.stdout.split(maxsplit=2)
    if done.returncode or len(answer) != len(Interpreter._fields):
        return None
    return Interpreter(answer[0], answer[1], answer[2].strip())
