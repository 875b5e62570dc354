"""The one way of a secret through the service: redact, seal, and open again with a record.

Clear text exists here only between `redact` and a keeper.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from claude_memory.errors import (
    BadInput,
    ClaudeMemoryError,
    KeeperError,
    KeeperUnavailable,
    NotFound,
)
from claude_memory.memory import stamp
from claude_memory.redaction.detector import redact
from claude_memory.store import failures, memories, outbox, seals
from claude_memory.store.connection import write
from claude_memory.store.lines import counted
from claude_memory.store.sameness import normalise

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator

    from claude_memory.keeper.interface import Keeper, Sealed
    from claude_memory.memory import Memory
    from claude_memory.service.place import Place

FORCED = "[secret: whole text]"
IN_THE_SEAL = "aes"  # the keeper that holds nothing outside the seal
NO_KEEPER = (
    "The value itself was NOT kept: nothing on this machine can seal it. "
    "Install the Python package 'cryptography' for this python3, or set VAULT_ADDR and VAULT_TOKEN."
)


@dataclass(frozen=True)
class Safe:
    """The fields of a memory without secrets, and the clear text that a keeper has to seal."""

    content: str
    tags: str
    expanded_keywords: str
    kinds: tuple[str, ...]
    clear: str  # empty: there is nothing to seal

    def __repr__(self) -> str:
        """Show what kinds were found, never the text."""
        return f"Safe(kinds={self.kinds!r})"


def separate(content: str, tags: str, expanded_keywords: str, *, force: bool = False) -> Safe:
    """Take every secret out of the three texts.

    With `force` the whole content counts as one secret. Secrets found in tags or keywords are
    sealed as further lines below the content.
    """
    found = [redact(text) for text in (content, tags, expanded_keywords)]
    kinds = [item.kind for result in found for item in result.found]
    clear = [content] if force or found[0].found else []
    clear += [
        f"[{name}] {text}"
        for name, text, result in zip(("tags", "keywords"), (tags, expanded_keywords), found[1:])
        if result.found
    ]
    return Safe(
        content=FORCED if force else found[0].text,
        tags=found[1].text,
        expanded_keywords=found[2].text,
        kinds=tuple(dict.fromkeys(["forced", *kinds] if force else kinds)),
        clear="\n".join(clear),
    )


class Keepers:
    """Finds the keeper of this machine's settings, when the first secret comes."""

    def __init__(
        self, choose: Callable[[], Keeper | None], opener: Callable[[Sealed], Keeper]
    ) -> None:
        """Keep how to find the keeper that seals, and the one that opens an earlier seal."""
        self._choose = choose
        self._opener = opener

    def seal(self, uid: str, safe: Safe) -> tuple[seals.Seal | None, tuple[str, ...]]:
        """Seal the clear text of a memory; return the seal, if any, and sentences for the user."""
        if not safe.clear:
            return None, ()
        try:
            keeper = self._choose()
            if keeper is None:
                return None, (NO_KEEPER,)
            return seals.Seal(uid, *keeper.seal(uid, safe.clear)), ()
        except KeeperError as error:
            return None, (f"The value itself was NOT kept: {error.sentence()}",)

    def read(self, seal: seals.Seal) -> str:
        """Return the clear text of a seal.

        Raises:
            KeeperError: it cannot be opened now, or not any more.
        """
        sealed = _sealed(seal)
        return self._opener(sealed).open(seal.bound, sealed)

    def forget(self, kept: list[seals.Seal]) -> tuple[str, ...]:
        """Destroy what keepers hold outside the store; return what could not be destroyed."""
        notes = []
        for seal in kept:
            try:
                self.destroy(seal)
            except ClaudeMemoryError as error:
                notes.append(f"The keeper '{seal.keeper}' still holds it: {error.sentence()}")
        return tuple(notes)

    def destroy(self, seal: seals.Seal) -> None:
        """Destroy what a keeper holds of a seal outside the store.

        Raises:
            KeeperError: it still holds it.
        """
        sealed = _sealed(seal)
        if sealed.keeper != IN_THE_SEAL:
            self._opener(sealed).forget(seal.bound, sealed)


class Unattended:
    """Keepers for those whom nobody listens to: the next greeting tells what they could not do."""

    def __init__(self, place: Place, keepers: Keepers | SecretDoor) -> None:
        """Keep whose failures to note."""
        self._place = place
        self._keepers = keepers
        self.read = keepers.read

    def destroy_loose(self, connection: sqlite3.Connection) -> None:
        """Destroy what keepers hold of seals that belong to no text."""
        for said in destroy_loose(connection, self._keepers):
            failures.note(self._place.home, "secrets", said, self._place.now())


class SecretDoor:
    """Seals the secrets of memories, and opens them with a record."""

    def __init__(self, place: Place, keepers: Keepers) -> None:
        """Keep where memories are and who keeps their secrets."""
        self._place = place
        self._keepers = keepers
        self.read = keepers.read
        self.forget, self.destroy = keepers.forget, keepers.destroy

    def seal(self, uid: str, safe: Safe) -> tuple[seals.Seal | None, tuple[str, ...]]:
        """Seal the clear text of a memory; return the seal, if any, and sentences for the user.

        Raises:
            KeeperUnavailable: it cannot be sealed, and without that it could not be synced.
        """
        seal, notes = self._keepers.seal(uid, safe)
        if safe.clear and seal is None and outbox.is_bound(self._place.connection()):
            message = "Nothing was written, because nothing here can seal the secret in it."
            raise KeeperUnavailable(message, " ".join(notes))
        return seal, notes

    @contextmanager
    def given_up_unless_written(self, seal: seals.Seal | None) -> Iterator[None]:
        """Let the keeper forget a seal when the block that writes its memory fails."""
        try:
            yield
        except BaseException:
            if seal is not None:
                self.forget([seal])
            raise

    def holds(self, memory: Memory, clear: str) -> bool:
        """Tell whether a sensitive memory's sealed text is the same; False when in doubt."""
        seal = seals.get(self._place.connection(), memory.uid)
        try:
            return seal is not None and normalise(self.read(seal)) == normalise(clear)
        except ClaudeMemoryError:
            return False

    def open(self, memory_id: str) -> str:
        """Return the clear text of the memory that an id names, and record the access.

        Raises:
            BadInput: there is no such memory, or nothing secret in it.
            KeeperError: it cannot be opened.
        """
        connection = self._place.connection()
        memory = memories.named(connection, memory_id)
        if not memory.is_sensitive:
            message = f"Memory {memory_id} holds no secret."
            raise BadInput(message, "memory_recall shows its whole text.")
        seal = seals.get(connection, memory.uid)
        if seal is None and memory.no is not None:
            message = f"The secret of memory {memory_id} is kept by the server."
            raise NotFound(message, "Set MEMORY_API_URL and MEMORY_API_KEY, and start anew.")
        if seal is None:
            message = (
                f"The secret of memory {memory_id} was not kept when it was stored, or it was not "
                "in the file that the memory was imported from."
            )
            raise NotFound(message, "Store it again once a keeper is available (see doctor).")
        clear = self.read(seal)
        self.record(memory.uid)
        return clear

    def record(self, uid: str) -> None:
        """Note that the clear text of a memory is about to be shown."""
        connection = self._place.connection()
        with write(connection):
            connection.execute(
                "INSERT INTO audit (at, action, uid, session) VALUES (?, 'secret_get', ?, ?)",
                (stamp(self._place.now()), uid, self._place.session),
            )


def destroy_loose(connection: sqlite3.Connection, keepers: Keepers | SecretDoor) -> list[str]:
    """Destroy what keepers hold of seals that belong to no text; return what could not be.

    Only then are the seals forgotten: without them nobody would know what is to be destroyed. What
    could not be is returned once, and asked for again at every call.
    """
    asked = [(row, keepers.forget([seal])) for row, seal in seals.loose(connection)]
    again = _destroy_again(connection, keepers)
    if asked or again:
        with write(connection):
            for row, notes in asked:
                (seals.held if notes else seals.destroyed)(connection, row)
            for row in again:
                seals.destroyed(connection, row)
    return [note for _, notes in asked for note in notes]


def _destroy_again(connection: sqlite3.Connection, keepers: Keepers | SecretDoor) -> list[int]:
    """Destroy what keepers did not when they were asked; return the rows of which that is done."""
    done = []
    for row, seal in seals.loose(connection, seals.HELD):
        try:
            keepers.destroy(seal)
        except KeeperUnavailable:
            break  # each further one would be waited for as long
        except ClaudeMemoryError:
            continue
        done.append(row)
    return done


def lost(connection: sqlite3.Connection, home: str) -> str:
    """Say which secrets cannot be opened, since no file here holds their key; empty if none."""
    from claude_memory.keeper.aes import NAME, PUT_BACK
    from claude_memory.keeper.keyfile import KeyFile

    key_file, counts = KeyFile(home), seals.by_key(connection, NAME)
    try:
        gone = [key for key in counts if key_file.find(key) is None]
    except KeeperError as error:
        return error.sentence()
    if not gone:
        return ""
    count = sum(counts[key] for key in gone)
    return (
        f"{counted(count, 'secret')} cannot be opened: no file of "
        f"{key_file.folder} holds the key {', '.join(gone)}. {PUT_BACK}."
    )


def _sealed(seal: seals.Seal) -> Sealed:
    from claude_memory.keeper.interface import Sealed

    return Sealed(seal.keeper, seal.key_id, seal.blob)
