"""Every error the client can raise on purpose.

* ClaudeMemoryError            base: a message for a person, and the fix
  x BadInput                   the request itself is refused; nothing was written
    + NotFound                 no memory has this id
    + Ambiguous                the id fits more than one memory; nothing was changed
  x StoreError                 the local database cannot do its work
    + StoreBusy                another session held the write lock too long
    + StoreFull                the disk is full
    + StoreReadOnly            the folder, file or file system refuses writes
    + StoreNewer               a later version of claude-memory wrote this file
    + StoreEarlier             the earlier system's database, not yet taken over
    + StoreDamaged             the file is not a sound database
  x KeeperError                a secret cannot be sealed or opened
    + KeeperUnavailable        the keeper does not answer; later may work
    + KeeperRefused            the keeper answered no, or the seal does not fit
"""

from __future__ import annotations


class ClaudeMemoryError(Exception):
    """Base of all errors here: `str(error)` says what happened, `fix` what to do."""

    fix = ""

    def __init__(self, message: str, fix: str = "") -> None:
        """Keep the message; a given `fix` replaces the class's own."""
        super().__init__(message)
        if fix:
            self.fix = fix

    def sentence(self) -> str:
        """Return message and fix as one line for a person, whatever was quoted in it."""
        text = f"{self} {self.fix}".strip()
        return "".join(sign if sign.isprintable() else " " for sign in text)


class BadInput(ClaudeMemoryError):
    """The request is refused for what it says; nothing was written."""


class NotFound(BadInput):
    """No memory has this id."""

    fix = "Use memory_recall or memory_list to see the ids."


class Ambiguous(BadInput):
    """The id fits more than one memory; nothing was changed."""


class StoreError(ClaudeMemoryError):
    """The local database cannot do its work."""


class StoreBusy(StoreError):
    """Another session held the write lock too long."""

    fix = "Nothing was written; try again in a moment."


class StoreFull(StoreError):
    """The disk is full."""

    fix = "Nothing was written and nothing is lost; free some disk space and try again."


class StoreReadOnly(StoreError):
    """The folder, the file or the file system refuses writes."""

    fix = "Make the folder writable for your user, or set MEMORY_HOME to a folder that is."


class StoreNewer(StoreError):
    """A later version of claude-memory wrote this file."""

    fix = "Update the plugin; until then this database is opened read-only."


class StoreEarlier(StoreError):
    """The file is the earlier system's database, and this process does not take it over."""

    fix = "The memory server takes it over when it starts."


class StoreDamaged(StoreError):
    """The file is not a sound database."""


class KeeperError(ClaudeMemoryError):
    """A secret cannot be sealed or opened."""


class KeeperUnavailable(KeeperError):
    """The keeper does not answer; later may work."""


class KeeperRefused(KeeperError):
    """The keeper answered no, or the seal does not fit this memory."""
