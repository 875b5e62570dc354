"""What every keeper of the server promises: one suite, run over each wrapper.

A subclass overrides the fixture `keeper`.
"""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from backend.errors import ApiError, SecretLost

if TYPE_CHECKING:
    from backend.secrets.keeper import Keeper

ACCOUNT = UUID("0193e5a0-0000-7000-8000-00000000000a")
OTHER_ACCOUNT = UUID("0193e5a0-0000-7000-8000-00000000000b")
UID = UUID("0193e5a0-0000-7000-8000-000000000001")
OTHER_UID = UUID("0193e5a0-0000-7000-8000-000000000002")
CANARY = "canary-" + "Zq7vKx" + "0pLw"
TEXTS = {
    "empty": "",
    "one letter": "x",
    "16,384 letters": "s" * 16_384,
    "16,384 wide characters": "\U0001f511" * 16_384,
    "Chinese, Arabic and accents": "密码 كلمة السر é e\u0301",
    "quotes and line breaks": "a\"b'c\\d\r\ne\tf",
}


def everything_shown(error: BaseException) -> str:
    """Return all that a log of this error could hold, its causes included."""
    lines = traceback.format_exception(type(error), error, error.__traceback__)
    links = (error, error.__cause__, error.__context__)
    members = repr(vars(error)) if isinstance(error, ApiError) else ""
    return "".join(lines) + "".join(map(repr, links)) + members


async def keep_nothing(name: str, proposal: bytes) -> bytes:
    """Stand in for the database where no salt is needed twice."""
    return proposal


class KeeperConformance:
    """The promises of `secrets.keeper.Keeper`."""

    pytestmark = pytest.mark.anyio
    source = "encrypted"
    refusals: tuple[type[ApiError], ...] = (SecretLost,)

    @pytest.fixture
    def keeper(self) -> Keeper:
        """Give the implementation under test."""
        raise NotImplementedError

    @pytest.mark.parametrize("clear", TEXTS.values(), ids=TEXTS)
    async def test_what_was_sealed_is_opened_again(self, keeper: Keeper, clear: str) -> None:
        """Every text comes back as it was given, with the word for who kept it."""
        blob = await keeper.seal(ACCOUNT, UID, clear)
        assert await keeper.open(ACCOUNT, UID, blob) == (clear, self.source)

    async def test_seal_does_not_show_the_secret(self, keeper: Keeper) -> None:
        """A seal may be written anywhere."""
        blob = await keeper.seal(ACCOUNT, UID, CANARY)
        assert CANARY.encode() not in blob
        assert CANARY not in repr(keeper) + keeper.key_id(blob)

    async def test_seal_costs_little_more_than_its_text(self, keeper: Keeper) -> None:
        """Thousands of secrets fit into a table."""
        blob = await keeper.seal(ACCOUNT, UID, CANARY)
        assert len(blob) < len(CANARY) + 400

    async def test_seals_of_one_text_differ(self, keeper: Keeper) -> None:
        """Two memories with one password cannot be told from their seals."""
        first = await keeper.seal(ACCOUNT, UID, CANARY)
        second = await keeper.seal(ACCOUNT, UID, CANARY)
        assert first[-30:] != second[-30:]
        assert first != second

    async def test_seal_of_another_memory_is_refused(self, keeper: Keeper) -> None:
        """A seal copied to another memory's row does not open."""
        blob = await keeper.seal(ACCOUNT, UID, CANARY)
        with pytest.raises(SecretLost) as caught:
            await keeper.open(ACCOUNT, OTHER_UID, blob)
        assert CANARY not in everything_shown(caught.value)

    async def test_seal_of_another_account_is_refused(self, keeper: Keeper) -> None:
        """A seal copied into another account does not open, and cannot be made its own."""
        blob = await keeper.seal(ACCOUNT, UID, CANARY)
        with pytest.raises(SecretLost) as caught:
            await keeper.open(OTHER_ACCOUNT, UID, blob)
        assert CANARY not in everything_shown(caught.value)
        assert await keeper.rewrap(OTHER_ACCOUNT, UID, blob) == blob

    async def test_seal_changed_in_any_byte_is_refused(self, keeper: Keeper) -> None:
        """Head, key id, wrapped key, nonce, text and tag: no byte of a seal can be changed."""
        blob = await keeper.seal(ACCOUNT, UID, CANARY)
        for place in range(len(blob)):
            changed = bytearray(blob)
            changed[place] ^= 1
            with pytest.raises(self.refusals) as caught:
                await keeper.open(ACCOUNT, UID, bytes(changed))
            assert CANARY not in everything_shown(caught.value)

    async def test_seal_cut_short_or_grown_is_refused(self, keeper: Keeper) -> None:
        """A seal has one length."""
        blob = await keeper.seal(ACCOUNT, UID, CANARY)
        for wrong in (*(blob[:length] for length in range(len(blob))), blob + b"\0", b"\0" + blob):
            with pytest.raises(SecretLost):
                await keeper.open(ACCOUNT, UID, wrong)

    async def test_seal_under_the_present_key_is_passed_over(self, keeper: Keeper) -> None:
        """A rotation that is begun again has only the rest to do."""
        blob = await keeper.seal(ACCOUNT, UID, CANARY)
        assert await keeper.rewrap(ACCOUNT, UID, blob) == blob
        assert await keeper.open(ACCOUNT, UID, blob) == (CANARY, self.source)

    async def test_damaged_seal_is_not_wrapped_again(self, keeper: Keeper) -> None:
        """Rotation reports what it cannot carry over."""
        blob = await keeper.seal(ACCOUNT, UID, CANARY)
        with pytest.raises(SecretLost):
            await keeper.rewrap(ACCOUNT, UID, blob[:-1])
        with pytest.raises(SecretLost):
            keeper.key_id(blob[:-1])

    async def test_sound_keeper_has_no_complaint(self, keeper: Keeper) -> None:
        """Asked again and again, all is well."""
        assert await keeper.check() == ""
        assert await keeper.check() == ""
