"""Where files live. Hot: a hook pays for every import here.

`<home>/memory/` (0700) holds the database, its log, copies beside it, and what went wrong in hooks;
`<home>/keys/` (0700) holds key files, never beside the database or its copies. All files are 0600.
"""

from __future__ import annotations

import os

from claude_memory.variables import given

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

LEAST_ROOM = 1_048_576  # bytes
DEFAULT_HOME = os.path.join("~", ".claude", "claude-memory")
CLAUDE_PLACES = (
    ("~", ".local", "bin", "claude"),
    ("~", ".claude", "local", "claude"),
    ("/", "usr", "local", "bin", "claude"),
    ("/", "opt", "homebrew", "bin", "claude"),
)
EARLIER_HOME = os.path.join("~", ".claude", "metaclaw")  # of the system before this one


def home(environ: Mapping[str, str]) -> str:
    """Return the data folder: `MEMORY_HOME`, else `~/.claude/claude-memory`."""
    return os.path.abspath(os.path.expanduser(given(environ, "MEMORY_HOME") or DEFAULT_HOME))


def database(home_folder: str) -> str:
    """Return the path of the local store's file."""
    return os.path.join(home_folder, "memory", "memory.db")


def home_of(path: str) -> str:
    """Return the data folder in which a local store's file is."""
    return os.path.dirname(os.path.dirname(path))


def earlier_database() -> str:
    """Return where the earlier system has its database."""
    return database(os.path.expanduser(EARLIER_HOME))


def failures(home_folder: str) -> str:
    """Return the path of the log of failures not yet shown."""
    return os.path.join(home_folder, "memory", "failures.jsonl")


def key_file(home_folder: str) -> str:
    """Return the path of the key that seals secrets on this machine."""
    return os.path.join(home_folder, "keys", "seal.key")


def make_private_folder(folder: str) -> None:
    """Create `folder` and the data folder around it with mode 0700; existing ones stay as they are.

    In a data folder that others may write to, they could put another folder in this one's place.
    """
    around = os.path.dirname(folder)
    os.makedirs(os.path.dirname(around), exist_ok=True)
    for place in (around, folder):
        os.makedirs(place, mode=0o700, exist_ok=True)


def without_room(folder: str) -> str:
    """Say that the disk of a folder is full, as far as the system tells; else an empty text."""
    try:
        found = os.statvfs(folder)
    except (AttributeError, OSError):  # Windows, or no such folder yet
        return ""
    if found.f_bavail * found.f_frsize >= LEAST_ROOM:
        return ""
    return (
        f"The disk of {folder} is full: what is there can be read, nothing new can be kept. "
        "Free some space."
    )


def uri(path: str, mode: str) -> str:
    """Return the URI by which SQLite opens a file in a mode, whatever signs its path holds."""
    text = path.replace("\\", "/") if os.name == "nt" else path
    for sign, code in (("%", "%25"), ("?", "%3f"), ("#", "%23")):
        text = text.replace(sign, code)
    drive = "/" if os.name == "nt" and text[1:2] == ":" else ""
    return f"file:{drive}{text}?mode={mode}"


def find_claude(environ: Mapping[str, str] | None = None) -> str:
    """Return the user's `claude` program by this environment or our own, or an empty string."""
    import shutil  # no hook asks

    path = None if environ is None else given(environ, "PATH") or os.defpath
    found = shutil.which("claude", path=path)
    if found:
        return found
    places = (os.path.expanduser(os.path.join(*place)) for place in CLAUDE_PLACES)
    return next((place for place in places if os.access(place, os.X_OK)), "")
