"""Secrets kept in Vault: the common promises, and every answer that is no success."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from claude_memory.errors import KeeperError, KeeperRefused, KeeperUnavailable
from claude_memory.keeper.interface import Sealed
from claude_memory.keeper.vault import VaultKeeper
from claude_memory.keeper.vault_http import VaultHttp

from tests.support.keeper_conformance import (
    CANARY,
    OTHER_UID,
    UID,
    KeeperConformance,
    everything_shown,
)
from tests.support.vault_stand_in import TOKEN, VaultStandIn

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def vault() -> Iterator[VaultStandIn]:
    """Give a stand-in for Vault that works."""
    with VaultStandIn() as stand_in:
        yield stand_in


@pytest.fixture
def keeper(vault: VaultStandIn) -> VaultKeeper:
    """Give a keeper that talks to it."""
    return VaultKeeper(VaultHttp(vault.address, TOKEN))


class TestConformance(KeeperConformance):
    """Every promise of a keeper, over real HTTP."""

    @pytest.fixture
    def keeper(self, keeper: VaultKeeper) -> VaultKeeper:
        """Take the fixture of this module."""
        return keeper


def test_pointer_names_the_place_and_nothing_else(keeper: VaultKeeper, vault: VaultStandIn) -> None:
    """What rests on this machine is mount, path and version."""
    sealed = keeper.seal(UID, CANARY)
    (path,) = vault.values
    assert sealed.key_id == "vault"
    assert json.loads(sealed.blob) == {"mount": "secret", "path": path, "version": 1}
    assert path.startswith(f"claude-memory/{UID}/")
    assert vault.values[path] == CANARY


def test_forgotten_secret_is_gone_from_vault(keeper: VaultKeeper, vault: VaultStandIn) -> None:
    """The path itself is deleted, and opening says so."""
    sealed = keeper.seal(UID, CANARY)
    keeper.forget(UID, sealed)
    assert vault.values == {}
    with pytest.raises(KeeperRefused, match="no longer holds"):
        keeper.open(UID, sealed)


def test_existing_path_is_never_overwritten(vault: VaultStandIn) -> None:
    """A write is for a new path only."""
    keeper = VaultKeeper(VaultHttp(vault.address, TOKEN), random=lambda length: "00" * length)
    sealed = keeper.seal(UID, "first")
    with pytest.raises(KeeperRefused):
        keeper.seal(UID, "second")
    assert keeper.open(UID, sealed) == "first"


@pytest.mark.parametrize("uid", ["", "..", "../../sys/seal", "a/b", "a?b", "a b", "ü", "x" * 65])
def test_strange_uid_reaches_no_other_path(
    keeper: VaultKeeper, vault: VaultStandIn, uid: str
) -> None:
    """Neither sealing nor a forged pointer can name a path outside its memory."""
    pointer = f'{{"mount":"secret","path":"claude-memory/{uid}/{"0" * 16}","version":1}}'
    with pytest.raises(KeeperRefused):
        keeper.seal(uid, CANARY)
    with pytest.raises(KeeperRefused):
        keeper.open(uid, Sealed("vault", "vault", pointer.encode()))
    with pytest.raises(KeeperRefused):
        keeper.forget(uid, Sealed("vault", "vault", pointer.encode()))
    assert vault.paths == []


def test_forgetting_another_memory_is_refused(keeper: VaultKeeper, vault: VaultStandIn) -> None:
    """A seal in the wrong row destroys nothing."""
    sealed = keeper.seal(UID, CANARY)
    with pytest.raises(KeeperRefused):
        keeper.forget(OTHER_UID, sealed)
    assert list(vault.values.values()) == [CANARY]


ECHO = ("canary is " + CANARY + " and token is " + TOKEN).encode()
FAULTS = {
    "sealed": (503, b'{"errors":["Vault is sealed"]}', KeeperUnavailable, "Unseal"),
    "failing": (500, ECHO, KeeperUnavailable, "later"),
    "bad gateway": (502, b"<html>", KeeperUnavailable, "later"),
    "too many requests": (429, b"", KeeperUnavailable, "later"),
    "forbidden": (403, ECHO, KeeperRefused, "VAULT_TOKEN"),
    "unauthorized": (401, b"", KeeperRefused, "VAULT_TOKEN"),
    "no engine": (404, b'{"errors":["no handler"]}', KeeperRefused, "secrets enable"),
    "engine of version 1": (204, b"", KeeperRefused, "secrets enable"),
    "invalid": (400, ECHO, KeeperRefused, "400"),
    "redirect": (307, b"https://elsewhere.invalid/", KeeperRefused, "VAULT_ADDR"),
    "no JSON": (200, ECHO, KeeperRefused, "secrets enable"),
    "other JSON": (200, b'["' + ECHO + b'"]', KeeperRefused, "secrets enable"),
    "nested JSON": (200, b"[" * 100_000, KeeperRefused, "secrets enable"),
    "wrong types": (200, b'{"data":{"version":null}}', KeeperRefused, "secrets enable"),
    "endless": (200, b" " * 2_000_000, KeeperUnavailable, "VAULT_ADDR"),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_each_fault_is_explained_without_a_secret(
    keeper: VaultKeeper, vault: VaultStandIn, fault: tuple[int, bytes, type[KeeperError], str]
) -> None:
    """The user learns what is wrong and what to do; neither token nor secret is repeated."""
    status, body, kind, advice = fault
    vault.fault = (status, body)
    with pytest.raises(kind) as caught:
        keeper.seal(UID, CANARY)
    assert advice in caught.value.sentence()
    shown = everything_shown(caught.value) + keeper.check()
    assert CANARY not in shown
    assert TOKEN not in shown


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_faults_of_an_existing_secret_are_errors_of_a_keeper(
    keeper: VaultKeeper, vault: VaultStandIn, fault: tuple[int, bytes, type[KeeperError], str]
) -> None:
    """Opening and forgetting meet the same faults."""
    sealed = keeper.seal(UID, CANARY)
    vault.fault = fault[:2]
    with pytest.raises(KeeperError) as caught:
        keeper.open(UID, sealed)
    assert TOKEN not in everything_shown(caught.value)
    if fault[0] not in {200, 204, 404}:
        with pytest.raises(fault[2]):
            keeper.forget(UID, sealed)


def test_redirect_is_not_followed(keeper: VaultKeeper, vault: VaultStandIn) -> None:
    """The token goes to VAULT_ADDR and nowhere else."""
    with VaultStandIn() as other:
        vault.fault = (307, other.address.encode() + b"/v1/secret/data/x")
        with pytest.raises(KeeperRefused):
            keeper.seal(UID, CANARY)
        assert other.headers == []


def test_wrong_token_is_reported_by_check(vault: VaultStandIn) -> None:
    """The doctor asks Vault itself."""
    keeper = VaultKeeper(VaultHttp(vault.address, "hvs." + "wr0ng"))
    assert "refused the token" in keeper.check()
    assert "wr0ng" not in keeper.check()


@pytest.mark.parametrize("value", [b"null", b"5", b'["x"]', b'{"x": "y"}'])
def test_value_that_is_no_text_is_refused(
    keeper: VaultKeeper, vault: VaultStandIn, value: bytes
) -> None:
    """What somebody else wrote at the path is not handed on as a secret."""
    sealed = keeper.seal(UID, CANARY)
    vault.fault = (200, b'{"data":{"data":{"value":' + value + b"}}}")
    with pytest.raises(KeeperRefused):
        keeper.open(UID, sealed)
