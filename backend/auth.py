"""Who calls: API keys, their scopes, and how many requests each may make.

Bootstrap keys come from the settings, are hashed in memory and never stored. Named keys look like
`cmk_<id>_<secret><checksum>`; the table has their SHA-256 alone. A key is remembered for a few
seconds, so that a revoked one is refused within five seconds on every replica. Whoever is looked up
brings along those that were used meanwhile: many callers then cost one look-up in those seconds.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import math
import secrets
import time
import zlib
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from anyio import Lock
from psycopg.errors import DiskFull

from backend.errors import ScopeMissing, TooManyRequests, Unauthorized, Unavailable
from backend.repositories import accounts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from uuid import UUID

    from backend.db import Database

SCOPES = ("read", "write", "secret", "admin")
PREFIX = "cmk"
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
ID_LENGTH = 12
SECRET_LENGTH = 43  # of 62 signs: 256 bits
CHECKSUM_LENGTH = 6
REMEMBERED = 3.0  # seconds; a revocation is seen after that at the latest
REMEMBERED_KEYS = 10_000
TOGETHER = 100  # keys in one look-up
LONGEST_KEY = 1_000  # characters; hashing more would be work for nothing
BLOCK = 50  # requests that one lease allows, at most
LEASE_SECONDS = 60.0  # a lease is renewed after that, so that `last used` stays true
BOOTSTRAP = "bootstrap"


@dataclass(frozen=True)
class Caller:
    """Whose memories a request may touch, and what it may do with them."""

    account: UUID
    user: str
    key_id: str
    scopes: frozenset[str]

    def require(self, scope: str) -> None:
        """Let pass who has the scope.

        Raises:
            ScopeMissing: the key has not.
        """
        if scope not in self.scopes:
            raise ScopeMissing(f"This call needs the scope '{scope}'.", scope=scope)


@dataclass(frozen=True, repr=False)
class NewKey:
    """A key just made: its text is shown once, its hash is kept."""

    id: str
    text: str
    hash: bytes


def make_key() -> NewKey:
    """Make a named key."""
    key_id = _random(ID_LENGTH)
    body = f"{PREFIX}_{key_id}_{_random(SECRET_LENGTH)}"
    text = body + _checksum(body)
    return NewKey(key_id, text, hash_of(text))


def id_of(text: str) -> str:
    """Return the id inside a named key, or an empty text if it is none or is mistyped."""
    parts = text.split("_")
    lengths = [len(PREFIX), ID_LENGTH, SECRET_LENGTH + CHECKSUM_LENGTH]
    if [len(part) for part in parts] != lengths or parts[0] != PREFIX or not text.isascii():
        return ""
    body, checksum = text[:-CHECKSUM_LENGTH], text[-CHECKSUM_LENGTH:]
    return parts[1] if _checksum(body) == checksum else ""


def hash_of(text: str) -> bytes:
    """Return what is kept of a key."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _random(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def _checksum(body: str) -> str:
    number, signs = zlib.crc32(body.encode()), ""
    for _ in range(CHECKSUM_LENGTH):
        number, rest = divmod(number, len(ALPHABET))
        signs = ALPHABET[rest] + signs
    return signs


@dataclass
class _Seen:
    """A caller, until when it is known, and whether it has called since it was looked up."""

    caller: Caller
    until: float
    is_used: bool = False


@dataclass
class _Purse:
    """What is left of a key's lease in this process."""

    left: int = 0
    until: float = 0.0
    empty_until: float = 0.0
    lock: Lock = field(default_factory=Lock)


class Authenticator:
    """Finds the caller behind a key, and counts its requests."""

    def __init__(
        self,
        database: Database,
        keys: Mapping[str, str],
        *,
        per_minute: int = 600,
        burst: int = 200,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Hash the bootstrap keys (user -> key); none of them is kept in clear."""
        self._database = database
        self._bootstrap = {user: hash_of(key) for user, key in keys.items()}
        self._rate, self._burst, self._clock = per_minute / 60, burst, clock
        # By the hashes of keys; what was used last is last.
        self._seen: OrderedDict[bytes, _Seen] = OrderedDict()
        self._purses: OrderedDict[tuple[UUID, str], _Purse] = OrderedDict()

    async def caller(self, authorization: str | None) -> Caller:
        """Return who sent this Authorization header.

        Raises:
            Unauthorized: no key, or an unknown, wrong, expired or revoked one: all the same.
            Unavailable: the database does not answer.
        """
        text = _bearer(authorization)
        digest = hash_of(text)
        seen = self._seen.get(digest)
        if seen is not None and seen.until > self._clock():
            seen.is_used = True
            self._seen.move_to_end(digest)
            return seen.caller
        caller = await self._bootstrapped(digest) or await self._named(text, digest)
        if caller is None:
            raise _refused()
        return caller

    async def admit(self, caller: Caller) -> None:
        """Count one request of a caller.

        Raises:
            TooManyRequests: its rate is used up.
            Unavailable: the database does not answer.
        """
        name = (caller.account, caller.key_id)
        purse = self._purses.get(name)
        if purse is None:
            purse = self._purses[name] = _Purse()
            _trim(self._purses)
        if not self._is_full(purse):
            async with purse.lock:
                if not self._is_full(purse):  # whoever had the lock may have seen to it
                    await self._fill(purse, caller)
        purse.left -= 1

    def forget(self) -> None:
        """Forget every key seen, so that a change made here holds here at once."""
        self._seen = OrderedDict()  # a look-up under way goes on to fill the former one

    async def _bootstrapped(self, digest: bytes) -> Caller | None:
        found = None
        for user, expected in self._bootstrap.items():  # all of them: the time tells nothing
            if hmac.compare_digest(expected, digest):
                found = user
        if found is None:
            return None
        seen, until = self._seen, self._clock() + REMEMBERED
        async with self._database.transaction(None) as connection:
            account = await accounts.account_for(connection, found, uuid4())
        caller = Caller(account, found, BOOTSTRAP, frozenset(SCOPES))
        seen[digest] = _Seen(caller, until)
        _trim(seen)
        return caller

    async def _named(self, text: str, digest: bytes) -> Caller | None:
        key_id = id_of(text)
        if not key_id:
            return None
        asked = {digest: key_id, **self._in_use()}
        seen, until = self._seen, self._clock() + REMEMBERED
        found = await accounts.keys_by_id(self._database, list(asked.values()))
        keys = {key.id: key for key in found if not key.is_over}
        for one, key_id in asked.items():
            key = keys.get(key_id)
            seen.pop(one, None)
            if key is not None and hmac.compare_digest(bytes(key.hash), one):
                caller = Caller(key.account_id, key.name, key.id, frozenset(key.scopes))
                seen[one] = _Seen(caller, until)
        _trim(seen)
        return seen[digest].caller if digest in seen else None

    def _in_use(self) -> dict[bytes, str]:
        """Return the named keys, by their hashes, that were used since they were looked up."""
        last = itertools.islice(reversed(self._seen.items()), TOGETHER - 1)
        used = [(digest, seen) for digest, seen in last if seen.is_used]
        for _, seen in used:
            seen.is_used = False  # a look-up that begins meanwhile leaves them to this one
        named = {digest: seen.caller.key_id for digest, seen in used}
        return {digest: key_id for digest, key_id in named.items() if key_id != BOOTSTRAP}

    def _is_full(self, purse: _Purse) -> bool:
        return purse.left > 0 and purse.until >= self._clock() >= purse.empty_until

    async def _fill(self, purse: _Purse, caller: Caller) -> None:
        if purse.empty_until > self._clock():  # asking the database again would cost more
            raise _slow_down(purse.empty_until - self._clock())
        try:
            lease = await self._lease(purse, caller)
        except Unavailable as error:
            if not isinstance(error.__cause__, DiskFull):
                raise
            purse.left += BLOCK  # nothing can be counted, and all can still be read
            purse.until = self._clock() + LEASE_SECONDS
            return
        purse.left += lease.granted
        purse.until = self._clock() + LEASE_SECONDS
        if purse.left < 1:
            seconds = (1 - lease.left) / self._rate
            purse.empty_until = self._clock() + seconds
            raise _slow_down(seconds)

    async def _lease(self, purse: _Purse, caller: Caller) -> accounts.Lease:
        async with self._database.transaction(caller.account) as connection:
            lease = await accounts.lease(
                connection,
                caller.account,
                caller.key_id,
                block=BLOCK - purse.left,
                rate=self._rate,
                burst=self._burst,
            )
            await accounts.note_use(connection, caller.account, caller.key_id)
            if lease.is_first_of_day:
                await accounts.audit(
                    connection, caller.account, "key.first_use_of_day", "", caller.key_id
                )
        return lease


def _bearer(authorization: str | None) -> str:
    scheme, _, text = (authorization or "").partition(" ")
    text = text.strip()
    if scheme.lower() != "bearer" or not text or len(text) > LONGEST_KEY:
        raise _refused()
    return text


def _refused() -> Unauthorized:
    return Unauthorized(headers={"WWW-Authenticate": "Bearer"})


def _slow_down(seconds: float) -> TooManyRequests:
    return TooManyRequests(headers={"Retry-After": str(max(1, math.ceil(seconds)))})


def _trim(remembered: OrderedDict[Any, Any]) -> None:
    while len(remembered) > REMEMBERED_KEYS:
        remembered.popitem(last=False)
