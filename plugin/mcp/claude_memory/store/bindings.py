"""Which database file each key works in, as `bindings.json` beside the files says. Hot.

It holds fingerprints, never keys. A key that is not in it works in a file of its own until its
account is known, or in `memory.db` while that belongs to nobody.
"""

from __future__ import annotations

import json
import os

from claude_memory import paths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

FIRST = "memory.db"
NAME = "bindings.json"


def fingerprint(url: str, key: str) -> str:
    """Return what tells one key on one server from others, without telling the key."""
    from hashlib import blake2b

    text = f"{url.rstrip('/')}\n{key}".encode("utf-8", "surrogatepass")
    return blake2b(text, digest_size=8, person=b"claude-memory").hexdigest()


def waiting(key: str) -> str:
    """Return the name of the file in which a key works as long as its account is not known."""
    return f"memory-new-{key}.db"


def read(folder: str) -> dict[str, str]:
    """Return the file's name for each fingerprint; empty where nothing can be read."""
    try:
        with open(os.path.join(folder, NAME), encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError):
        return {}
    keys = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(keys, dict):
        return {}
    return {str(key): os.path.basename(str(name)) for key, name in keys.items()}


def save(folder: str, keys: dict[str, str]) -> None:
    """Write the bindings, whole or not at all; one process at a time may."""
    target = os.path.join(folder, NAME)
    part = f"{target}.part-{os.getpid()}"
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump({"keys": keys}, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, target)


def database(home: str, environ: Mapping[str, str]) -> str:
    """Return the file that a process with this environment works in, without assigning one."""
    first = paths.database(home)
    key, url = paths.given(environ, *paths.KEYS), paths.given(environ, *paths.URLS)
    if not key or not url:
        return first
    known = read(os.path.dirname(first))
    if not known:
        return first
    mine = fingerprint(url, key)
    return os.path.join(os.path.dirname(first), known.get(mine) or waiting(mine))
