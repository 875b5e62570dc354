"""What every secret keeper promises: one suite, run on each implementation.

A subclass overrides the fixture `keeper`.
"""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

import pytest
from claude_memory.errors import KeeperError, KeeperRefused

if TYPE_CHECKING:
    from claude_memory.keeper.interface import Keeper

UID = "0193e5a0-0000-7000-8000-000000000001"
OTHER_UID = "0193e5a0-0000-7000-8000-000000000002"
CANARY = "canary-" + "Zq7vKx" + "0pLw"
TEXTS = {
    "empty": "",
    "one letter": "x",
    "16,384 letters": "s" * 16_384,
    "16,384 wide characters": "\U0001f511" * 16_384,
    "Chinese, Arabic and accents": "密码 كلمة السر é e\u0301",
    "NUL, quotes and line breaks": 'a\0b"c\\d\r\ne\tf',
}


def everything_shown(error: KeeperError) -> str:
    """Return all that a log of this error could hold, its causes included."""
    lines = traceback.format_exception(type(error), error, error.__traceback__)
    links = (error, error.__cause__, error.__context__)
    return "".join(lines) + "".join(map(repr, links)) + error.sentence()


class KeeperConformance:
    """The promises of `keeper.interface.Keeper`."""

    @pytest.fixture
    def keeper(self) -> Keeper:
        """Give the implementation under test."""
        raise NotImplementedError

    @pytest.mark.parametrize("clear", TEXTS.values(), ids=TEXTS)
    def test_what_was_sealed_is_opened_again(self, keeper: Keeper, clear: str) -> None:
        """Every text comes back as it was given."""
        sealed = keeper.seal(UID, clear)
        assert keeper.open(UID, sealed) == clear

    def test_seal_names_its_keeper(self, keeper: Keeper) -> None:
        """A later session finds from the seal alone who can open it."""
        sealed = keeper.seal(UID, CANARY)
        assert sealed.keeper == keeper.name
        assert sealed.key_id

    def test_seal_does_not_show_the_secret(self, keeper: Keeper) -> None:
        """A seal may be written anywhere."""
        sealed = keeper.seal(UID, CANARY)
        assert CANARY.encode() not in sealed.blob
        assert CANARY not in repr(sealed) + repr(keeper)

    def test_seals_of_one_text_differ(self, keeper: Keeper) -> None:
        """Two memories with one password cannot be told from their seals."""
        assert keeper.seal(UID, CANARY).blob != keeper.seal(UID, CANARY).blob

    def test_seal_of_another_memory_is_refused(self, keeper: Keeper) -> None:
        """A seal copied to another memory's row does not open."""
        sealed = keeper.seal(UID, CANARY)
        with pytest.raises(KeeperRefused) as caught:
            keeper.open(OTHER_UID, sealed)
        assert CANARY not in everything_shown(caught.value)

    def test_seal_changed_in_any_byte_is_refused(self, keeper: Keeper) -> None:
        """No byte of a seal can be changed."""
        sealed = keeper.seal(UID, CANARY)
        for place in range(len(sealed.blob)):
            changed = bytearray(sealed.blob)
            changed[place] ^= 1
            with pytest.raises(KeeperRefused) as caught:
                keeper.open(UID, sealed._replace(blob=bytes(changed)))
            assert CANARY not in everything_shown(caught.value)

    def test_seal_cut_short_or_grown_is_refused(self, keeper: Keeper) -> None:
        """A seal has one length."""
        sealed = keeper.seal(UID, CANARY)
        for length in range(len(sealed.blob)):
            with pytest.raises(KeeperRefused):
                keeper.open(UID, sealed._replace(blob=sealed.blob[:length]))
        with pytest.raises(KeeperRefused):
            keeper.open(UID, sealed._replace(blob=sealed.blob + b"\0"))

    def test_seal_of_another_keeper_is_refused(self, keeper: Keeper) -> None:
        """A keeper opens nothing that names another."""
        sealed = keeper.seal(UID, CANARY)
        with pytest.raises(KeeperRefused):
            keeper.open(UID, sealed._replace(keeper="stranger"))

    def test_seals_of_one_memory_are_independent(self, keeper: Keeper) -> None:
        """An undone edit finds the earlier secret, also after the later one is forgotten."""
        first, second = keeper.seal(UID, "first"), keeper.seal(UID, "second")
        assert keeper.open(UID, second) == "second"
        keeper.forget(UID, second)
        assert keeper.open(UID, first) == "first"

    def test_forgetting_twice_is_no_error(self, keeper: Keeper) -> None:
        """A purge can be repeated after a crash."""
        sealed = keeper.seal(UID, CANARY)
        keeper.forget(UID, sealed)
        keeper.forget(UID, sealed)

    def test_sound_keeper_has_no_complaint(self, keeper: Keeper) -> None:
        """Before and after the first secret, all is well."""
        assert keeper.check() == ""
        keeper.seal(UID, CANARY)
        assert keeper.check() == ""
