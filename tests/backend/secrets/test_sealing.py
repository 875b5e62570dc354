"""How values are sealed: a data key each, the first keeper alone, nothing shown when it fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from backend.errors import KeeperDown, SecretLost
from backend.secrets.aes import AesWrapper
from backend.secrets.envelope import parse
from backend.secrets.sealing import EnvelopeKeeper
from tests.backend.secrets.conformance import (
    ACCOUNT,
    CANARY,
    UID,
    everything_shown,
    keep_nothing,
)

if TYPE_CHECKING:
    from backend.secrets.wrapping import Wrapped

pytestmark = pytest.mark.anyio
KEY = "0f" * 32


class Broken:
    """A wrapper that is down, or that unwraps something which is no key."""

    name = "kms"

    def __init__(self, unwraps: bytes | None = None) -> None:
        self.unwraps = unwraps

    async def wrap(self, *_: object) -> Wrapped:
        """Fail as a keeper does that does not answer."""
        raise KeeperDown("It does not answer.")

    async def unwrap(self, *_: object) -> bytes:
        """Fail, or return what is no key."""
        if self.unwraps is None:
            raise KeeperDown("It does not answer.")
        return self.unwraps


class Named:
    """An AES wrapper under another keeper's name."""

    name = "kms"

    def __init__(self) -> None:
        self.aes = AesWrapper([KEY], keep_nothing)
        self.wrap = self.aes.wrap
        self.unwrap = self.aes.unwrap


async def test_each_value_has_a_data_key_and_a_nonce_of_its_own() -> None:
    """No key is used for two values, and each encrypts exactly one."""
    drawn: list[bytes] = []

    def random(length: int) -> bytes:
        drawn.append(bytes([len(drawn)]) * length)
        return drawn[-1]

    keeper = EnvelopeKeeper([AesWrapper([KEY], keep_nothing)], random)
    blobs = [await keeper.seal(ACCOUNT, UID, CANARY) for _ in range(2)]

    assert [len(piece) for piece in drawn] == [32, 12, 32, 12]
    for blob, data_key, nonce in zip(blobs, drawn[::2], drawn[1::2], strict=True):
        envelope = parse(blob)
        bound = b"claude-memory secret 1 " + ACCOUNT.bytes + UID.bytes
        assert envelope.nonce == nonce
        assert AESGCM(data_key).decrypt(nonce, envelope.body, bound).decode() == CANARY
        assert data_key not in blob


async def test_keeper_that_is_down_is_not_replaced_in_silence() -> None:
    """Who asked for KMS gets no secret sealed by a key in the settings."""
    keeper = EnvelopeKeeper([Broken(), AesWrapper([KEY], keep_nothing)])
    with pytest.raises(KeeperDown) as caught:
        await keeper.seal(ACCOUNT, UID, CANARY)
    assert CANARY not in everything_shown(caught.value)
    assert await keeper.check() == "It does not answer."


async def test_secrets_of_other_keepers_open_while_the_first_is_down() -> None:
    """One keeper's outage is that keeper's alone."""
    aes = AesWrapper([KEY], keep_nothing)
    blob = await EnvelopeKeeper([aes]).seal(ACCOUNT, UID, CANARY)
    keeper = EnvelopeKeeper([Broken(), aes])
    assert await keeper.open(ACCOUNT, UID, blob) == (CANARY, "encrypted")
    with pytest.raises(KeeperDown):
        await keeper.rewrap(ACCOUNT, UID, blob)


async def test_secret_moves_to_another_keeper_by_wrapping_its_key() -> None:
    """From AES to KMS, say: the value's bytes stay, its source changes."""
    aes = AesWrapper([KEY], keep_nothing)
    blob = await EnvelopeKeeper([aes]).seal(ACCOUNT, UID, CANARY)
    moved = await EnvelopeKeeper([Named(), aes]).rewrap(ACCOUNT, UID, blob)
    assert parse(moved).body == parse(blob).body
    assert await EnvelopeKeeper([Named()]).open(ACCOUNT, UID, moved) == (CANARY, "kms")
    with pytest.raises(SecretLost, match="kept by kms, which is not set up here") as caught:
        await EnvelopeKeeper([aes]).open(ACCOUNT, UID, moved)
    assert caught.value.fix.startswith("Nothing is lost yet:")


@pytest.mark.parametrize("key", [b"", b"short", bytes(32), bytes(64)])
async def test_unwrapped_key_that_is_wrong_means_the_secret_is_lost(key: bytes) -> None:
    """Whatever a keeper gives back, nothing opens but by the right key."""
    blob = await EnvelopeKeeper([Named()]).seal(ACCOUNT, UID, CANARY)
    with pytest.raises(SecretLost) as caught:
        await EnvelopeKeeper([Broken(unwraps=key)]).open(ACCOUNT, UID, blob)
    assert CANARY not in everything_shown(caught.value)


async def test_text_that_is_no_unicode_is_neither_lost_nor_quoted() -> None:
    """A lone surrogate passes; an encoder's error would have shown the secret."""
    keeper = EnvelopeKeeper([AesWrapper([KEY], keep_nothing)])
    text = f"{CANARY}\ud800"
    assert await keeper.open(ACCOUNT, UID, await keeper.seal(ACCOUNT, UID, text)) == (
        text,
        "encrypted",
    )
