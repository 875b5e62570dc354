"""Secrets sealed on this machine: the common promises, the envelope, and a key that is gone."""

from __future__ import annotations

from pathlib import Path

import pytest
from claude_memory import paths
from claude_memory.errors import KeeperRefused
from claude_memory.keeper.aes import AesKeeper
from claude_memory.keeper.ciphers import ciphers
from claude_memory.keeper.keyfile import KeyFile

from tests.support.keeper_conformance import CANARY, UID, KeeperConformance, everything_shown

FOUND = {cipher.name: cipher for cipher in ciphers()}


@pytest.fixture(params=FOUND)
def keeper(request: pytest.FixtureRequest, tmp_path: Path) -> AesKeeper:
    """Give a keeper in an empty data folder, with each implementation in turn."""
    return AesKeeper(FOUND[request.param], KeyFile(str(tmp_path)))


class TestConformance(KeeperConformance):
    """Every promise of a keeper, with each implementation."""

    @pytest.fixture
    def keeper(self, keeper: AesKeeper) -> AesKeeper:
        """Take the fixture of this module."""
        return keeper


def _key_path(tmp_path: Path) -> Path:
    return Path(paths.key_file(str(tmp_path)))


def _put_key(path: Path, key: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(key)


def test_key_is_made_by_the_first_secret_only(keeper: AesKeeper, tmp_path: Path) -> None:
    """Someone who never stores a secret never gets a key; looking makes none."""
    assert keeper.check() == ""
    assert not _key_path(tmp_path).exists()
    sealed = keeper.seal(UID, CANARY)
    made = _key_path(tmp_path).read_bytes()
    assert keeper.seal(UID, CANARY).key_id == sealed.key_id
    assert _key_path(tmp_path).read_bytes() == made


def test_key_id_tells_nothing_of_the_key(keeper: AesKeeper, tmp_path: Path) -> None:
    """The id is a short hash, and no part of the key is shown anywhere."""
    sealed = keeper.seal(UID, CANARY)
    key = _key_path(tmp_path).read_bytes()
    assert len(sealed.key_id) == 16
    assert bytes.fromhex(sealed.key_id) not in key
    shown = repr(KeyFile(str(tmp_path)).read()) + repr(keeper) + repr(sealed)
    assert repr(key)[2:-1] not in shown
    assert key.hex() not in shown


def test_lost_key_is_named_with_its_file(keeper: AesKeeper, tmp_path: Path) -> None:
    """Without its key a seal cannot be opened; the message says which key belonged where."""
    sealed = keeper.seal(UID, CANARY)
    _key_path(tmp_path).unlink()
    with pytest.raises(KeeperRefused) as caught:
        keeper.open(UID, sealed)
    assert sealed.key_id in str(caught.value)
    assert str(_key_path(tmp_path).parent) in str(caught.value)
    assert not _key_path(tmp_path).exists()


def test_other_key_in_its_place_is_noticed(keeper: AesKeeper, tmp_path: Path) -> None:
    """A key made anew is not tried on old seals; the old one opens them from beside it."""
    sealed = keeper.seal(UID, CANARY)
    key = _key_path(tmp_path).read_bytes()
    _key_path(tmp_path).unlink()
    newer = keeper.seal(UID, "later")
    assert newer.key_id != sealed.key_id
    with pytest.raises(KeeperRefused) as caught:
        keeper.open(UID, sealed)
    assert sealed.key_id in str(caught.value)
    assert "beside what is there, under a name that ends in .key" in caught.value.fix
    _put_key(_key_path(tmp_path).with_name("from a backup.key"), key)
    assert keeper.open(UID, sealed) == CANARY
    assert keeper.open(UID, newer) == "later"


def test_key_put_back_opens_old_seals(keeper: AesKeeper, tmp_path: Path) -> None:
    """What the message advises works."""
    sealed = keeper.seal(UID, CANARY)
    key = _key_path(tmp_path).read_bytes()
    _key_path(tmp_path).unlink()
    _put_key(_key_path(tmp_path), key)
    assert keeper.open(UID, sealed) == CANARY


def test_claimed_key_id_is_checked_against_the_key(keeper: AesKeeper) -> None:
    """A seal that names another key is refused before anything is decrypted."""
    sealed = keeper.seal(UID, CANARY)
    with pytest.raises(KeeperRefused, match="0123456789abcdef"):
        keeper.open(UID, sealed._replace(key_id="0123456789abcdef"))


def test_envelope_is_version_length_nonce_ciphertext_tag(tmp_path: Path) -> None:
    """The layout is fixed for ever: installed plugins read what later ones wrote."""
    nonce = bytes(range(12))
    keeper = AesKeeper(FOUND["OpenSSL"], KeyFile(str(tmp_path)), random=lambda _: nonce)
    blob = keeper.seal(UID, "four").blob
    assert blob[:17] == b"\x01" + b"\x00\x00\x00\x04" + nonce
    assert len(blob) == 17 + 4 + 16


def test_seal_of_an_earlier_release_still_opens(tmp_path: Path) -> None:
    """A recorded key and seal: changing the bound data or the key's id would break users."""
    _put_key(_key_path(tmp_path), bytes(range(32)))
    keeper = AesKeeper(FOUND["OpenSSL"], KeyFile(str(tmp_path)))
    sealed = keeper.seal(UID, "recorded")._replace(blob=RECORDED)
    assert sealed.key_id == RECORDED_KEY_ID
    assert keeper.open(UID, sealed) == "recorded"


RECORDED_KEY_ID = "2ef4f539d6a738ff"
RECORDED = bytes.fromhex(
    "01000000086465666768696a6b6c6d6e6f3a7ebd090b8d33fafb182f6241328863c2eeecb8171b36e3"
)


def test_later_envelope_asks_for_an_update(keeper: AesKeeper) -> None:
    """Version 2 is not read as version 1."""
    sealed = keeper.seal(UID, CANARY)
    with pytest.raises(KeeperRefused) as caught:
        keeper.open(UID, sealed._replace(blob=b"\x02" + sealed.blob[1:]))
    assert "Update the plugin" in caught.value.fix


def test_unusable_key_file_is_reported_by_check(keeper: AesKeeper, tmp_path: Path) -> None:
    """The doctor shows what the next secret would meet."""
    keeper.seal(UID, CANARY)
    _put_key(_key_path(tmp_path), _key_path(tmp_path).read_bytes() + b"\n")
    assert str(_key_path(tmp_path)) in keeper.check()
    with pytest.raises(KeeperRefused) as caught:
        keeper.seal(UID, CANARY)
    assert CANARY not in everything_shown(caught.value)


def test_key_is_in_no_folder_of_the_database(keeper: AesKeeper, tmp_path: Path) -> None:
    """Copying the database's folder, backups included, never copies the key."""
    database = Path(paths.database(str(tmp_path)))
    database.parent.mkdir()
    database.write_bytes(keeper.seal(UID, CANARY).blob)
    assert database.parent not in _key_path(tmp_path).parents
    key = _key_path(tmp_path).read_bytes()
    assert [file.name for file in database.parent.rglob("*")] == ["memory.db"]
    assert key not in database.read_bytes()
