"""The key of a server on one machine that was given none: 64 hex digits in a file, 0600."""

from __future__ import annotations

import os
import re
import secrets
from typing import TYPE_CHECKING

from backend.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

KEY = re.compile(r"[0-9a-f]{64}\n?")


def read(path: Path) -> str:
    """Return the key, or an empty text if there is no file.

    Raises:
        ConfigurationError: the file cannot be read or holds something else.
    """
    try:
        text = path.read_bytes().decode("ascii", "replace")
    except FileNotFoundError:
        return ""
    except OSError as error:
        reason = error.strerror
    else:
        if KEY.fullmatch(text):
            return text.strip()
        reason = "it holds no key"
    raise ConfigurationError(
        f"The key file {path} cannot be used: {reason}. Put it back from a backup; "
        "without it the secrets that it sealed are lost."
    )


def read_or_make(path: Path) -> str:
    """Return the key, made once; of two that make one at the same time, one wins for both.

    Raises:
        ConfigurationError: the file cannot be read or made.
    """
    found = read(path)
    if found:
        return found
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_once(path, secrets.token_hex(32))
    except OSError as error:
        reason = error.strerror
    else:
        return read(path)
    raise ConfigurationError(
        f"The key file {path} cannot be made: {reason}. Set MEMORY_ENCRYPTION_KEY instead."
    )


def write_once(path: Path, key: str) -> None:
    """Put a key into a file for its user alone; one that is there already stays.

    It is written whole before it has its name, and never over another: no reader sees half a key.

    Raises:
        OSError: it cannot be written.
    """
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(f"{key}\n")
            file.flush()
            os.fsync(handle)
        path.hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        draft.unlink(missing_ok=True)
