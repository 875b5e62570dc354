"""Which project a folder is. Hot; reads git's own files and starts no process.

A repository is known by the remote it was cloned from, so that clones, worktrees and other devices
agree; without a remote by its common git folder. A folder outside git is a project of its own,
known by its path; the home folder and the root of a file system are none.
"""

from __future__ import annotations

import os
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

FILE_LIMIT = 262_144  # bytes read of any file of git
HOPS = 4  # clones of clones on this machine that are followed
# In both forms everything up to the last @ before the first slash is dropped: it may hold a token.
URL = re.compile(
    r"[a-z][a-z0-9+.-]*://(?:[^/]*@)?(?P<host>\[[^\]]*\]|[^/:]*)(?::\d*)?(?P<path>/[^?#]*)",
    re.IGNORECASE,
)
SCP = re.compile(r"(?:[^/]*@)?(?P<host>\[[^\]]*\]|[^/:@]{2,}):(?P<path>[^\\].*)")
SECTION = re.compile(r'\[\s*remote\s+"(?P<name>(?:[^"\\]|\\.)*)"\s*\]', re.IGNORECASE)
SETTING = re.compile(r"url\s*=\s*(?P<value>.*)", re.IGNORECASE)


def identity(folder: str) -> str:
    """Return what names the project of `folder` on every device, or an empty string for none."""
    try:
        return _identity(os.path.realpath(folder), HOPS) if folder else ""
    except (OSError, ValueError):
        return ""


def _identity(folder: str, hops: int) -> str:
    common = _common_git_folder(folder)
    if common:
        return _remote(common, hops) or _written(common)
    home = os.path.realpath(os.path.expanduser("~"))
    return "" if folder in (home, os.path.dirname(folder)) else _written(folder)


def _written(folder: str) -> str:
    """Write a path as text that can be stored, also where its bytes are no text."""
    readable = folder.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return readable.replace("\\", "/") if os.name == "nt" else readable


def _common_git_folder(folder: str) -> str:
    """Return the git folder that all worktrees of the repository around `folder` share."""
    for place in _upwards(folder):
        found = _git_folder(place)
        if found:
            common = _read(os.path.join(found, "commondir")).strip()
            return os.path.realpath(os.path.join(found, common)) if common else found
    return ""


def _upwards(folder: str) -> Iterator[str]:
    while True:
        yield folder
        parent = os.path.dirname(folder)
        if parent == folder:
            return
        folder = parent


def _git_folder(place: str) -> str:
    """Return the git folder of a worktree's top folder, of a bare repository, or nothing."""
    entry = os.path.join(place, ".git")
    if _is_git_folder(entry):
        return os.path.realpath(entry)
    if os.path.isfile(entry):  # a worktree or a submodule
        pointer = re.match(r"gitdir:\s*(.+)", _read(entry))
        target = os.path.realpath(os.path.join(place, pointer.group(1).strip())) if pointer else ""
        return target if _is_git_folder(target) else ""
    bare = _is_git_folder(place) and os.path.isdir(os.path.join(place, "objects"))
    return place if bare else ""


def _is_git_folder(place: str) -> bool:
    return os.path.isfile(os.path.join(place, "HEAD"))


def _remote(common: str, hops: int) -> str:
    """Name the repository's remote: origin, else the first by name."""
    remotes = dict(_remotes(_read(os.path.join(common, "config"))))
    if not remotes:
        return ""
    url = remotes.get("origin") or remotes[min(remotes)]
    return _normal(url) or _local(url, common, hops)


def _remotes(config: str) -> Iterator[tuple[str, str]]:
    """Yield each remote's name and URL from the text of a git config; the first URL counts."""
    section, known = "", set()
    for line in config.splitlines():
        text = line.strip()
        if text.startswith("["):
            heading = SECTION.match(text)
            section = heading.group("name") if heading else ""
            text = text.partition("]")[2].strip()
        setting = SETTING.match(text) if section and section not in known else None
        if setting:
            known.add(section)
            yield section, _value(setting.group("value"))


def _value(text: str) -> str:
    """Take a git config value out of its quotes, or cut the comment behind it."""
    quoted = re.match(r'"((?:[^"\\]|\\.)*)"', text)
    if quoted:
        return re.sub(r"\\(.)", r"\1", quoted.group(1))
    return re.split(r"\s[#;]", text)[0].strip()


def _normal(url: str) -> str:
    """Write a remote's URL as host/path: one name for https, ssh and scp-like forms.

    In lower case, since the large hosts take the name of a repository in any.
    """
    found = URL.match(url) or SCP.match(url)
    if not found or not found.group("host"):
        return ""
    path = re.sub(r"(\.git)?/*$", "", found.group("path").strip("/"))
    return f"{found.group('host')}/{path}".lower() if path else ""


def _local(url: str, common: str, hops: int) -> str:
    """Follow a remote on this machine, so that a clone of a folder is the folder's project."""
    path = re.sub(r"^file://", "", url, flags=re.IGNORECASE)
    target = os.path.realpath(os.path.join(os.path.dirname(common), path))
    if hops and os.path.isdir(target) and target != common:
        return _identity(target, hops - 1)
    return _written(target)


def _read(path: str) -> str:
    """Return the text of a small file, or nothing where there is none."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(FILE_LIMIT)
    except OSError:
        return ""
