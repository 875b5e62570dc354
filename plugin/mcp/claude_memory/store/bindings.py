"""Which database file each key works in, as `bindings.json` beside the files says. Hot.

It holds fingerprints, never keys. A key that is not in it works in a file of its own until its
account is known, or in `memory.db` while that belongs to nobody. `last` is the key of the session
that began last, none if that had none: a command in a shell is seldom given one.
"""

from __future__ import annotations

import json
import os

from claude_memory import paths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FIRST = "memory.db"
WAITING = "memory-new-"
NAME, LOCK = "bindings.json", "bindings.lock"
BEGINS_WITHIN = 0.5  # seconds that a session waits for another one that changes the bindings


def fingerprint(url: str, key: str) -> str:
    """Return a name for a key on a server, from which the key cannot be read."""
    return f"{_digest(key)}-{_digest(url.rstrip('/'))}"


def _digest(text: str) -> str:
    from hashlib import blake2b

    data = text.encode("utf-8", "surrogatepass")
    return blake2b(data, digest_size=8, person=b"claude-memory").hexdigest()


def is_same_key(one: str, other: str) -> bool:
    """Tell whether two fingerprints are of one key, whatever the addresses it is used with."""
    return one.partition("-")[0] == other.partition("-")[0]


def waiting(key: str) -> str:
    """Return the name of the file in which a key works as long as its account is not known."""
    return f"{WAITING}{key}.db"


def read(folder: str) -> dict[str, str]:
    """Return the file's name for each fingerprint; empty where nothing can be read."""
    keys = _content(folder).get("keys")
    if not isinstance(keys, dict):
        return {}
    return {str(key): os.path.basename(str(name)) for key, name in keys.items()}


def last(home: str) -> str:
    """Return the fingerprint of the key that the session which began last had, if any."""
    return str(_content(os.path.dirname(paths.database(home))).get("last") or "")


def begin(home: str, mine: str) -> None:
    """Note that a session begins with this key, or with none; where nothing can be, nothing is."""
    from claude_memory.store.lock import Lock

    if last(home) == mine:
        return
    folder = os.path.dirname(paths.database(home))
    try:
        paths.make_private_folder(folder)
        with Lock(os.path.join(folder, LOCK), BEGINS_WITHIN) as lock:
            if lock.is_held:
                save(folder, read(folder), mine)
    except OSError:
        return  # the store's own opening tells what is wrong


def _content(folder: str) -> dict[str, Any]:
    try:
        with open(os.path.join(folder, NAME), encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def is_kept_for_a_key(path: str) -> bool:
    """Tell whether a key was set while the file was in use: it is sent when that is set again."""
    folder, name = os.path.split(path)
    return name in read(folder).values()


def save(folder: str, keys: dict[str, str], last_key: str) -> None:
    """Write the bindings, whole or not at all; one process at a time may."""
    target = os.path.join(folder, NAME)
    part = f"{target}.part-{os.getpid()}"
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump({"keys": keys, "last": last_key}, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, target)


def used(url: str, key: str, session_key: str) -> str:
    """Return the fingerprint of the key that these settings work under, empty for none."""
    return fingerprint(url, key) if url and key else session_key


def of(home: str, mine: str) -> str:
    """Return the file that a key works in, without assigning one; `memory.db` for none."""
    first = paths.database(home)
    known = read(os.path.dirname(first)) if mine else {}
    if not known:
        return first
    of_this_key = [name for one, name in known.items() if is_same_key(one, mine)]
    name = known.get(mine) or next(iter(of_this_key), waiting(mine))
    return os.path.join(os.path.dirname(first), name)
