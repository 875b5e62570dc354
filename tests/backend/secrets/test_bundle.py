"""Several seals in one value: each is found again, and what is damaged opens nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.errors import SecretLost
from backend.fields import TEXTS
from backend.secrets.aes import AesWrapper
from backend.secrets.bundle import Piece, join, split
from backend.secrets.sealing import EnvelopeKeeper
from tests.backend.secrets.conformance import (
    ACCOUNT,
    CANARY,
    OTHER_UID,
    UID,
    everything_shown,
    keep_nothing,
)

if TYPE_CHECKING:
    from uuid import UUID

pytestmark = pytest.mark.anyio
OLD, NEW = "0f" * 32, "aa" * 32
PIECES = st.lists(
    st.builds(Piece, st.sampled_from(TEXTS), st.uuids(), st.binary(min_size=1, max_size=50))
)


def of(*keys: str) -> EnvelopeKeeper:
    """Return a keeper with these keys."""
    return EnvelopeKeeper([AesWrapper(keys, keep_nothing)])


async def bundle(keeper: EnvelopeKeeper) -> bytes:
    """Seal two texts that are bound to two uids."""
    sealed: list[tuple[str, UUID, str]] = [("tags", OTHER_UID, "b"), ("content", UID, CANARY)]
    pieces = [
        Piece(text, uid, await keeper.seal(ACCOUNT, uid, clear)) for text, uid, clear in sealed
    ]
    value, bound = join(pieces)
    assert value is not None
    assert bound is None
    return value


@given(PIECES)
def test_every_seal_is_found_again(pieces: list[Piece]) -> None:
    """In the order of their texts, whatever their bytes are."""
    value, bound = join(pieces)
    found = [] if value is None else split(value, bound or UID)
    assert found == sorted(pieces, key=lambda piece: TEXTS.index(piece.text))


async def test_bundle_is_opened_and_wrapped_again_as_a_whole() -> None:
    """The seal of the content first, each by the uid that it is bound to."""
    value = await bundle(of(OLD))
    assert await of(OLD).open(ACCOUNT, UID, value) == (f"{CANARY}\nb", "encrypted")
    again = await of(NEW, OLD).rewrap(ACCOUNT, UID, value)
    assert await of(NEW).open(ACCOUNT, UID, again) == (f"{CANARY}\nb", "encrypted")
    assert of(NEW).key_id(again) != of(OLD).key_id(value)


async def test_bundle_changed_in_any_byte_is_refused() -> None:
    """Neither number, uids and lengths nor the seals; only what text a seal is of is not bound."""
    value = await bundle(of(OLD))
    first = split(value, UID)[0].seal
    names = {3, 3 + 21 + len(first)}
    for place in set(range(len(value))) - names:
        changed = bytearray(value)
        changed[place] ^= 1
        with pytest.raises(SecretLost) as caught:
            await of(OLD).open(ACCOUNT, UID, bytes(changed))
        assert CANARY not in everything_shown(caught.value)


async def test_seal_of_a_text_that_there_is_not_is_refused() -> None:
    """A damaged name of a text is no error of the server."""
    value = bytearray(await bundle(of(OLD)))
    value[3] = len(TEXTS)
    with pytest.raises(SecretLost):
        await of(OLD).open(ACCOUNT, UID, bytes(value))


async def test_bundle_cut_short_or_grown_is_refused() -> None:
    """A bundle has one length."""
    value = await bundle(of(OLD))
    for wrong in (*(value[:length] for length in range(len(value))), value + b"\0"):
        with pytest.raises(SecretLost):
            await of(OLD).open(ACCOUNT, UID, wrong)
