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
  x RemoteError                the server cannot be used as asked; what is written here stays here
    + RemoteUnreachable        no answer, or none of our server's: a network error, a foreign page
      - AnswerLost             it may have arrived all the same: sent, and no answer of ours came
      - SettingWrong           a setting leads to no server, whatever the network does
    + RemoteBusy               it asks to come back later
    + KeyRefused               it does not know the key, or no longer
    + ScopeMissing             the key may not do this
    + AccountMismatch          the key belongs to another account than this store
    + CursorExpired            it no longer knows what changed since the cursor
    + EpochChanged             it was restored from a backup since
    + RequestTooLarge          the request is more than it takes
    + RequestRefused           it finds the request malformed
    + SecretRefused            it does not open this secret, and says why
    + UpgradeNeeded            it speaks no version of the protocol that this plugin does
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

    fix = (
        "Update the plugin, and start a new session if that is done; until then this database "
        "is opened read-only."
    )


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


class RemoteError(ClaudeMemoryError):
    """The server cannot be used as asked; what is written here stays here and is sent later."""


class RemoteUnreachable(RemoteError):
    """No answer came, or one that is not our server's, as from a proxy or a captive portal."""

    fix = "Check the network and the server address (MEMORY_API_URL); it is tried again by itself."


class AnswerLost(RemoteUnreachable):
    """The request was sent and no answer of our server's came: it may have been done."""


class SettingWrong(RemoteUnreachable):
    """A setting leads to no server: to ask again is of no use until it is another."""

    fix = "Correct it, and start a new session."


class RemoteBusy(RemoteError):
    """The server asks to come back after `retry_after` seconds."""

    fix = "It is tried again by itself."

    def __init__(self, message: str, retry_after: float) -> None:
        """Keep for how long to wait."""
        super().__init__(message)
        self.retry_after = retry_after


class KeyRefused(RemoteError):
    """The server does not know the key, or no longer."""

    fix = (
        "Give the plugin a key that the server knows: MEMORY_API_KEY, or 'Server key' in "
        "/plugin configure memory. `python -m backend keys create` makes one."
    )


class ScopeMissing(RemoteError):
    """The key may not do this."""

    fix = "Set a key that has that scope, and start a new session."


class AccountMismatch(RemoteError):
    """The key belongs to another account than this store."""


class CursorExpired(RemoteError):
    """The server no longer knows what changed since the cursor."""


class EpochChanged(RemoteError):
    """The server began a new life, by a restore: versions above `lost_after` are lost there."""

    def __init__(self, message: str, epoch: str, lost_after: int) -> None:
        """Keep the new epoch and what survived."""
        super().__init__(message)
        self.epoch = epoch
        self.lost_after = lost_after


class RequestTooLarge(RemoteError):
    """The request is more than the server takes at once."""


class RequestRefused(RemoteError):
    """The server finds the request as a whole malformed."""


class SecretRefused(RemoteError):
    """The server does not open this secret; the fix is its own."""


class UpgradeNeeded(RemoteError):
    """The server speaks no version of the protocol that this plugin does."""

    fix = "Update the older of the two. Until then everything works here and waits to be sent."
