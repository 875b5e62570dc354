"""Where a private PostgreSQL has its data, and where its socket."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backend.programs import Runner

SOCKETS = "claude-memory-pg-"
LONGEST_SOCKET_FOLDER = 107 - len("/.s.PGSQL.5432")


def default_folder(data: str = "") -> Path:
    """Return where the data lives: what MEMORY_DATA says, or the user's data folder."""
    root = Path(data).expanduser() if data else Path.home() / ".local" / "share" / "claude-memory"
    return root.absolute() / "postgres"


def problem_of(folder: Path) -> str:
    """Return an empty text, or why no data can lie in the folder, which need not be there yet."""
    there = next(one for one in (folder, *folder.parents) if one.exists())
    if not there.is_dir():
        return unusable(folder, f"{there} is no folder")
    return "" if os.access(there, os.W_OK | os.X_OK) else unusable(folder, "Permission denied")


def unusable(folder: Path, reason: str) -> str:
    """Say that a folder cannot be used, and what to do."""
    return (
        f"The folder {folder} cannot be used: {reason}. Point MEMORY_DATA to one that can, or set "
        "DATABASE_URL."
    )


def folder_for_sockets(runner: Runner, earlier: Path | None) -> Path:
    """Return a folder for the socket, which only we can enter and whose path is short enough.

    That of the server before is taken again: whoever has its URL finds the next one by it.
    """
    if earlier is not None and earlier.name.startswith(SOCKETS):
        with contextlib.suppress(FileExistsError):
            earlier.mkdir(mode=0o700)
            runner.own(earlier)
        if _is_ours_alone(earlier, runner):
            for left in earlier.glob(".s.PGSQL.*"):
                left.unlink()
            return earlier
    folder = Path(tempfile.mkdtemp(prefix=SOCKETS))
    if len(os.fsencode(folder)) > LONGEST_SOCKET_FOLDER:
        folder.rmdir()
        folder = Path(tempfile.mkdtemp(prefix=SOCKETS, dir="/tmp"))
    runner.own(folder)
    return folder


def _is_ours_alone(folder: Path, runner: Runner) -> bool:
    """Tell whether nobody can have put anything into a folder where everybody may make some."""
    found = folder.lstat()
    owner = runner.identity.get("user", os.geteuid())
    return stat.S_ISDIR(found.st_mode) and found.st_uid == owner and not found.st_mode & 0o077


def remove_sockets(folder: Path) -> None:
    """Remove a folder that was made for a socket, and no other."""
    if folder.name.startswith(SOCKETS):
        shutil.rmtree(folder, ignore_errors=True)
