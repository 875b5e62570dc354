"""Makes the one artefact of all functions. `sam build` runs it, by the Makefile of an architecture.

    python3.13 artefact.py arm64 FOLDER

A function has no time to compile and no place to keep what it compiled: bytecode is made here, by
the Python that will read it, and never compared with sources, whose times a zip file does not keep.
"""

from __future__ import annotations

import compileall
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from py_compile import PycInvalidationMode

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements-function.lock"
ENTRY = re.compile(r"^([\w.-]+)==(?:.*\\\n)*.*\n", re.MULTILINE)
OURS = ("backend", "migrations")
TABLE = ROOT / "plugin" / "mcp" / "claude_memory" / "store" / "embedding.bin"
NOT_NEEDED = shutil.ignore_patterns("__pycache__")
MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}
GLIBC = range(34, 16, -1)  # minor versions of 2: from that of Amazon Linux 2023 down to the oldest
# What no request runs, or hardly: without their compiled parts they are 11 MB smaller.
UNIVERSAL = frozenset({"charset-normalizer", "sqlalchemy"})
NOT_RUN = ("bin", "benchmarks", "testing", "tests")  # folders that libraries bring along
TASK = "/var/task"  # where AWS unpacks it


def main(architecture: str, folder: str) -> None:
    """Fill the folder."""
    target = Path(folder).resolve()
    machine = MACHINES[architecture]
    compiled = [f"manylinux_2_{minor}_{machine}" for minor in GLIBC]
    _install(target, [*compiled, f"manylinux2014_{machine}"], is_universal=False)
    _install(target, ["any"], is_universal=True)
    for name in NOT_RUN:
        for found in [*target.rglob(name)]:
            shutil.rmtree(found, ignore_errors=True)
    _compile(target, in_place_of_sources=True)
    add_ours(target)


def add_ours(target: Path) -> None:
    """Add the server, its migrations, and the table of word vectors, which is the plugin's."""
    for name in OURS:
        shutil.copytree(ROOT / name, target / name, ignore=NOT_NEEDED)
        _compile(target / name, in_place_of_sources=False)
    shutil.copy(TABLE, target / "backend" / "ranking")


def _install(target: Path, platforms: list[str], *, is_universal: bool) -> None:
    """Unpack what the lock names, every file checked against its hash."""
    entries = [
        found[0]
        for found in ENTRY.finditer(LOCK.read_text("utf-8"))
        if (found[1] in UNIVERSAL) == is_universal
    ]
    with tempfile.TemporaryDirectory() as place:
        wanted = Path(place, "requirements.txt")
        wanted.write_text("".join(entries), "utf-8")
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--no-deps"]
        command += ["--disable-pip-version-check", "--only-binary", ":all:", "--require-hashes"]
        command += [f"--platform={platform}" for platform in platforms]
        subprocess.run([*command, f"--target={target}", f"--requirement={wanted}"], check=True)


def _compile(folder: Path, *, in_place_of_sources: bool) -> None:
    """Make bytecode; ours stays beside its sources, which tracebacks then show."""
    if not compileall.compile_dir(
        folder,
        quiet=1,
        legacy=in_place_of_sources,
        stripdir=folder if in_place_of_sources else folder.parent,
        prependdir=TASK,
        invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
    ):
        raise SystemExit(f"{folder} cannot be compiled")
    if in_place_of_sources:
        for source in folder.rglob("*.py"):
            source.unlink()


if __name__ == "__main__":
    main(*sys.argv[1:])
