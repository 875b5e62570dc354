"""The key that seals secrets on this machine: 32 random bytes in a file of their own.

The file appears complete or not at all, and whoever makes it first makes it for everybody.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from typing import NamedTuple

from claude_memory import paths
from claude_memory.errors import KeeperRefused, KeeperUnavailable

LENGTH = 32
ENDING = ".key"
OTHERS = 0o077  # any permission of the group or of everybody
BINARY = getattr(os, "O_BINARY", 0)  # Windows would translate line ends


class Key(NamedTuple):
    """A key and the short id that a seal names it by."""

    id: str
    secret: bytes

    def __repr__(self) -> str:
        """Show the id only."""
        return f"Key(id={self.id!r})"


class KeyFile:
    """The key file of one data folder."""

    def __init__(self, home: str) -> None:
        """Remember where the key is; nothing is read or made yet."""
        self.path = paths.key_file(home)
        self.folder = os.path.dirname(self.path)

    def read(self) -> Key | None:
        """Return the key, or None when there is no file.

        Raises:
            KeeperUnavailable: the file cannot be read by this user.
            KeeperRefused: the file is no key, or others may read it.
        """
        return _read(self.path)

    def find(self, key_id: str) -> Key | None:
        """Return the key of that id: this file's, or that of a file put back beside it, or None.

        Raises:
            KeeperUnavailable: a file cannot be read by this user.
            KeeperRefused: a file is no key, or others may read it.
        """
        names = sorted(os.listdir(self.folder)) if os.path.isdir(self.folder) else []
        others = [os.path.join(self.folder, name) for name in names if name.endswith(ENDING)]
        found = map(_read, dict.fromkeys([self.path, *others]))
        return next((key for key in found if key is not None and key.id == key_id), None)

    def read_or_make(self) -> Key:
        """Return the key; the first caller of all processes makes it.

        Raises:
            KeeperUnavailable: the file cannot be read or written by this user.
            KeeperRefused: the file is no key, or others may read it.
        """
        key = self.read()
        if key is None:
            try:
                self._make()
            except OSError as error:
                raise _closed(self.path, "made", error) from error
            key = self.read()
        if key is None:
            raise KeeperUnavailable(f"The key file {self.path} was removed while in use.")
        return key

    def _make(self) -> None:
        paths.make_private_folder(self.folder)
        _keep_out_of_git(self.folder)
        draft = f"{self.path}.{secrets.token_hex(8)}"
        try:
            _write(draft, secrets.token_bytes(LENGTH))
            os.link(draft, self.path)  # never replaces: the loser of a race uses the winner's
        except FileExistsError:
            pass
        finally:
            _remove(draft)
        _flush_folder(self.folder)


def _read(path: str) -> Key | None:
    try:
        with open(path, "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            secret = file.read(LENGTH + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _closed(path, "read", error) from error
    _must_be_private(path, mode)
    return _key(path, secret)


def _key(path: str, secret: bytes) -> Key:
    if len(secret) != LENGTH:
        raise KeeperRefused(
            f"The key file {path} does not hold a key of {LENGTH} bytes.",
            "Put the file back from a backup; or move it away: a new key is made then, but "
            "secrets sealed before cannot be read again.",
        )
    return Key(hashlib.sha256(b"claude-memory key id\0" + secret).hexdigest()[:16], secret)


def _must_be_private(path: str, mode: int) -> None:
    # Tightening it quietly would hide that somebody may already have read the key.
    if os.name == "posix" and mode & OTHERS:
        raise KeeperRefused(
            f"Other users may read the key file {path}.",
            f"Run: chmod 600 '{path}'. If others use this machine, also replace the "
            "credentials stored so far.",
        )


def _closed(path: str, verb: str, error: OSError) -> KeeperUnavailable:
    return KeeperUnavailable(
        f"The key file {path} cannot be {verb}: {error.strerror}.",
        "Let your user own and write its folder, on a file system with hard links, or set "
        "MEMORY_HOME to a folder where that is so.",
    )


def _write(path: str, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | BINARY, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def _keep_out_of_git(folder: str) -> None:
    """Let no repository of dot files pick up the key."""
    try:
        _write(os.path.join(folder, ".gitignore"), b"*\n")
    except FileExistsError:
        pass


def _flush_folder(folder: str) -> None:
    """Make the new name survive a power cut, so that no secret outlives its key."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
