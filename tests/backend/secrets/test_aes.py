"""Data keys under the server's own key: hex digits or a passphrase."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from backend.errors import ConfigurationError, SecretLost, Unavailable
from backend.secrets.aes import AesWrapper
from backend.secrets.sealing import EnvelopeKeeper
from tests.backend.secrets.conformance import (
    ACCOUNT,
    CANARY,
    UID,
    KeeperConformance,
    everything_shown,
    keep_nothing,
)

if TYPE_CHECKING:
    from backend.secrets.keeper import Keeper

pytestmark = pytest.mark.anyio
TESTS = Path(__file__).parents[2]
VECTORS = json.loads((TESTS / "plugin/keeper/nist_gcm_256.json").read_text(encoding="utf-8"))
KEY, OTHER_KEY = "0f" * 32, "A1" * 32
PASSPHRASE = "correct horse " + "battery staple"
# Sealed by the first version under KEY: what installations hold must open for ever.
GOLDEN = (
    "010110003c00000007613839313364353265383534653965655dbba0e4fb47668864dec6e2cbd00e4906"
    "07fa969598d6ea12b8c8f2fe2c55f13a0c8a320e12e114ad82349f41981ad958295fd9d2b02cd6f1e139"
    "1268b849f1ee31d54193aa0b133f0fff8f44bb45dbcc04f14c768bd13fbcfb2b44b08e31"
)


class Shelf:
    """Keeps what was first given under a name, as the database does."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    async def keep(self, name: str, proposal: bytes) -> bytes:
        """Return what is kept under the name."""
        return self.kept.setdefault(name, proposal)


def of(*secrets: str, shelf: Shelf | None = None) -> EnvelopeKeeper:
    """Return a keeper of these keys, the newest first."""
    return EnvelopeKeeper([AesWrapper(secrets, (shelf or Shelf()).keep)])


@pytest.fixture(scope="module")
def passphrase_keeper() -> EnvelopeKeeper:
    """Give one keeper to many tests: deriving a key is slow on purpose."""
    return of(PASSPHRASE)


class TestHexKey(KeeperConformance):
    """Every promise of a keeper, with 64 hex digits."""

    @pytest.fixture
    def keeper(self) -> Keeper:
        """Give a keeper that asks nobody for a salt."""
        return of(KEY)


class TestPassphrase(KeeperConformance):
    """Every promise of a keeper, with a passphrase."""

    @pytest.fixture
    def keeper(self, passphrase_keeper: Keeper) -> Keeper:
        """Give the shared one."""
        return passphrase_keeper


@pytest.mark.parametrize("vector", VECTORS["opens"])
def test_vector_of_nist_is_met(vector: dict[str, str]) -> None:
    """The library encrypts and decrypts as NIST does."""
    names = ("key", "iv", "clear", "aad", "cipher", "tag")
    key, iv, clear, aad, data, tag = (bytes.fromhex(vector[name]) for name in names)
    assert AESGCM(key).encrypt(iv, clear, aad) == data + tag
    assert AESGCM(key).decrypt(iv, data + tag, aad) == clear


@pytest.mark.parametrize("vector", VECTORS["refused"])
def test_forgery_of_nist_is_refused(vector: dict[str, str]) -> None:
    """A tag that does not fit gives nothing at all."""
    names = ("key", "iv", "aad", "cipher", "tag")
    key, iv, aad, data, tag = (bytes.fromhex(vector[name]) for name in names)
    with pytest.raises(InvalidTag):
        AESGCM(key).decrypt(iv, data + tag, aad)


async def test_secret_of_the_first_version_still_opens() -> None:
    """The format may gain versions, but loses none."""
    assert await of(KEY).open(ACCOUNT, UID, bytes.fromhex(GOLDEN)) == ("hunter2", "encrypted")


async def test_key_of_a_passphrase_comes_from_scrypt_at_the_recommended_cost() -> None:
    """32 MiB and three passes, computed here by another library."""
    shelf = Shelf()
    wrapped = await AesWrapper([PASSPHRASE], shelf.keep).wrap(ACCOUNT, bytes(32))
    (salt,) = shelf.kept.values()
    key = Scrypt(salt=salt, length=32, n=32_768, r=8, p=3).derive(PASSPHRASE.encode())
    bound = f"claude-memory data key 1 {wrapped.key_id} ".encode() + ACCOUNT.bytes
    assert AESGCM(key).decrypt(wrapped.data[:12], wrapped.data[12:], bound) == bytes(32)
    assert len(salt) == 16


async def test_server_goes_on_while_a_passphrase_is_derived() -> None:
    """The loop turns; the work is done in a thread."""
    turns = 0
    keeper = of(PASSPHRASE)
    async with anyio.create_task_group() as group:

        async def turn() -> None:
            nonlocal turns
            while True:
                await anyio.lowlevel.checkpoint()
                turns += 1

        group.start_soon(turn)
        await keeper.seal(ACCOUNT, UID, CANARY)
        group.cancel_scope.cancel()
    assert turns > 20


async def test_passphrase_is_derived_once_however_many_wait() -> None:
    """32 MiB once, not for each request of a busy start."""
    asked = 0

    async def keep(name: str, proposal: bytes) -> bytes:
        nonlocal asked
        asked += 1
        await anyio.lowlevel.checkpoint()
        return proposal

    keeper = EnvelopeKeeper([AesWrapper([PASSPHRASE], keep)])
    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(keeper.seal, ACCOUNT, UID, CANARY)
    assert asked == 1


async def test_replicas_with_one_database_open_each_others_secrets() -> None:
    """The salt that was kept first is everybody's."""
    shelf = Shelf()
    blob = await of(PASSPHRASE, shelf=shelf).seal(ACCOUNT, UID, CANARY)
    assert (await of(PASSPHRASE, shelf=shelf).open(ACCOUNT, UID, blob))[0] == CANARY
    with pytest.raises(SecretLost):
        await of(PASSPHRASE, shelf=Shelf()).open(ACCOUNT, UID, blob)


async def test_salt_is_asked_for_again_after_the_database_was_away() -> None:
    """A keeper that could not start is not broken for good."""
    is_away = True

    async def keep(name: str, proposal: bytes) -> bytes:
        if is_away:
            raise Unavailable
        return proposal

    keeper = EnvelopeKeeper([AesWrapper([PASSPHRASE], keep)])
    with pytest.raises(Unavailable):
        await keeper.seal(ACCOUNT, UID, CANARY)
    is_away = False
    assert await keeper.seal(ACCOUNT, UID, CANARY)


async def test_hex_key_means_the_same_in_capitals_and_needs_no_salt() -> None:
    """Operators paste what their tool prints."""
    shelf = Shelf()
    blob = await of(OTHER_KEY, shelf=shelf).seal(ACCOUNT, UID, CANARY)
    assert (await of(OTHER_KEY.lower()).open(ACCOUNT, UID, blob))[0] == CANARY
    assert shelf.kept == {}


async def test_previous_key_opens_and_gives_way_at_rotation() -> None:
    """Set the new key beside the old one, rotate, take the old one away."""
    blob = await of(KEY).seal(ACCOUNT, UID, CANARY)
    both = of(OTHER_KEY, KEY)
    assert (await both.open(ACCOUNT, UID, blob))[0] == CANARY

    rotated = await both.rewrap(ACCOUNT, UID, blob)

    assert both.key_id(rotated) != both.key_id(blob)
    tail = 12 + len(CANARY) + 16
    assert rotated[-tail:] == blob[-tail:]  # the wrapped key alone is another
    assert (await of(OTHER_KEY).open(ACCOUNT, UID, rotated))[0] == CANARY
    with pytest.raises(SecretLost):
        await of(KEY).open(ACCOUNT, UID, rotated)


async def test_missing_key_is_named_by_its_id_and_setting() -> None:
    """The operator learns which key to look for, and nothing else is said."""
    keeper = of(KEY)
    blob = await keeper.seal(ACCOUNT, UID, CANARY)
    with pytest.raises(SecretLost, match="MEMORY_ENCRYPTION_KEY_PREVIOUS") as caught:
        await of(OTHER_KEY).open(ACCOUNT, UID, blob)
    assert caught.value.fix.startswith("Nothing is lost yet:")
    shown = everything_shown(caught.value)
    assert keeper.key_id(blob).partition(":")[2] in shown
    assert not any(word in shown for word in (CANARY, KEY, OTHER_KEY, OTHER_KEY.lower()))


async def test_key_id_tells_nothing_of_the_key() -> None:
    """Ids differ with the key and are no part of it."""
    ids = [
        keeper.key_id(await keeper.seal(ACCOUNT, UID, "x")) for keeper in (of(KEY), of(OTHER_KEY))
    ]
    assert len(set(ids)) == 2
    assert all(len(found) == len("aes:") + 16 for found in ids)
    assert not any(found.partition(":")[2] in KEY + OTHER_KEY.lower() for found in ids)


@pytest.mark.parametrize("secrets", [["zzz"], [KEY, "1234567"]])
def test_short_passphrase_is_refused_at_the_start(secrets: list[str]) -> None:
    """The operator reads how to make a good key, and not the one that was refused."""
    with pytest.raises(ConfigurationError, match="openssl rand -hex 32") as caught:
        AesWrapper(secrets, keep_nothing)
    assert secrets[-1] not in str(caught.value)


async def test_nothing_shown_of_a_wrapper_holds_its_key() -> None:
    """Neither a wrapper nor its derived keys show themselves."""
    wrapper = AesWrapper([KEY], keep_nothing, random=os.urandom)
    await wrapper.wrap(ACCOUNT, bytes(32))
    assert KEY not in repr(wrapper)
    assert repr(bytes.fromhex(KEY)) not in repr(wrapper._keys)
