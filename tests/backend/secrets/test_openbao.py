"""Data keys in a real OpenBao: both engines, all logins, and what happens when it fails."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest
from hvac.exceptions import InvalidPath

from backend.errors import KeeperDown, SecretLost
from backend.secrets.sealing import EnvelopeKeeper
from backend.secrets.vault import VaultWrapper
from backend.secrets.vault_login import VaultLogin
from tests.backend.secrets.conformance import (
    ACCOUNT,
    CANARY,
    OTHER_ACCOUNT,
    UID,
    KeeperConformance,
    everything_shown,
)
from tests.backend.secrets.openbao_server import Bao, TokenReview, authority, service_account_token
from tests.support.openbao import ROOT_TOKEN

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from backend.secrets.keeper import Keeper

pytestmark = [pytest.mark.heavy, pytest.mark.anyio]
KV = {"VAULT_MOUNT": "secret"}


@pytest.fixture(scope="module")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    """Give a server that every test leaves as it was."""
    server = Bao(tmp_path_factory.mktemp("bao"))
    yield server
    server.stop()


@pytest.fixture
def own_bao(tmp_path: Path) -> Iterator[Bao]:
    """Give a server that a test may ruin."""
    server = Bao(tmp_path)
    yield server
    server.stop()


class TestTransit(KeeperConformance):
    """Every promise of a keeper, with transit and the least of permissions."""

    source = "vault"

    @pytest.fixture
    def keeper(self, bao: Bao) -> Keeper:
        """Give a keeper whose token may do what the documented policy says."""
        return bao.keeper(VAULT_TOKEN=bao.token("seals-and-opens"))


class TestKeyValue(KeeperConformance):
    """Every promise of a keeper, with KV of version 2 and the least of permissions."""

    source = "vault"

    @pytest.fixture
    def keeper(self, bao: Bao) -> Keeper:
        """Give a keeper whose token may do what the documented policy says."""
        return bao.keeper(VAULT_TOKEN=bao.token("keeps"), **KV)


async def test_transit_key_is_derived_from_the_account(bao: Bao) -> None:
    """The key that Vault makes at the first secret keeps accounts apart by itself."""
    wrapper = VaultWrapper(
        VaultLogin(bao.address, token=ROOT_TOKEN), mount="transit", prefix="claude-memory"
    )
    wrapped = await wrapper.wrap(ACCOUNT, bytes(32))
    key = bao.client.secrets.transit.read_key("claude-memory")["data"]
    assert (key["derived"], key["type"], key["exportable"]) == (True, "aes256-gcm96", False)
    with pytest.raises(SecretLost):
        await wrapper.unwrap(OTHER_ACCOUNT, wrapped)
    assert await wrapper.unwrap(ACCOUNT, wrapped) == bytes(32)


async def test_whoever_seals_need_not_be_able_to_open(bao: Bao) -> None:
    """Two servers with two policies: one stores secrets, the other reads them."""
    writes = bao.keeper(VAULT_TOKEN=bao.token("seals"))
    reads = bao.keeper(VAULT_TOKEN=bao.token("seals-and-opens"))
    blob = await writes.seal(ACCOUNT, UID, CANARY)
    with pytest.raises(KeeperDown, match="policy"):
        await writes.open(ACCOUNT, UID, blob)
    assert await reads.open(ACCOUNT, UID, blob) == (CANARY, "vault")


async def test_rotated_transit_key_takes_over_what_is_wrapped_again(own_bao: Bao) -> None:
    """After rotation and re-wrapping the old version can be forbidden."""
    keeper, transit = own_bao.keeper(), own_bao.client.secrets.transit
    blob = await keeper.seal(ACCOUNT, UID, CANARY)
    transit.rotate_key("claude-memory")
    again = await keeper.rewrap(ACCOUNT, UID, blob)
    assert b"vault:v1:" in blob
    assert b"vault:v2:" in again
    transit.update_key_configuration("claude-memory", min_decryption_version=2)
    assert await keeper.open(ACCOUNT, UID, again) == (CANARY, "vault")
    with pytest.raises(SecretLost):
        await keeper.open(ACCOUNT, UID, blob)


async def test_key_in_kv_is_written_once_and_its_end_is_the_secret_s(own_bao: Bao) -> None:
    """One path a secret, one version, however often it is wrapped; destroyed, nothing opens."""
    keeper, kv = own_bao.keeper(**KV), own_bao.client.secrets.kv.v2
    blob = await keeper.seal(ACCOUNT, UID, CANARY)
    assert await keeper.rewrap(ACCOUNT, UID, blob) == blob
    folder = f"claude-memory/{ACCOUNT}"
    (digest,) = kv.list_secrets(folder)["data"]["keys"]
    path = f"{folder}/{digest}"
    held = kv.read_secret_version(path, raise_on_deleted_version=True)["data"]
    assert held["metadata"]["version"] == 1
    assert CANARY not in str(held)

    kv.create_or_update_secret(path, {"key": "written by somebody else"})
    assert await keeper.open(ACCOUNT, UID, blob) == (CANARY, "vault")

    kv.delete_metadata_and_all_versions(path)
    with pytest.raises(InvalidPath):
        kv.list_secrets(folder)
    with pytest.raises(SecretLost):
        await keeper.open(ACCOUNT, UID, blob)


async def test_key_changed_in_kv_opens_nothing(own_bao: Bao) -> None:
    """What lies in Vault is checked against its own name."""
    keeper, kv = own_bao.keeper(**KV), own_bao.client.secrets.kv.v2
    blob = await keeper.seal(ACCOUNT, UID, CANARY)
    (digest,) = kv.list_secrets(f"claude-memory/{ACCOUNT}")["data"]["keys"]
    path = f"claude-memory/{ACCOUNT}/{digest}"
    kv.delete_metadata_and_all_versions(path)
    for planted in ({"key": "AAAA"}, {"key": "!"}, {"other": "x"}):
        kv.create_or_update_secret(path, planted)
        with pytest.raises((SecretLost, KeeperDown)):
            await keeper.open(ACCOUNT, UID, blob)
        kv.delete_metadata_and_all_versions(path)


async def test_wrong_engine_is_named(own_bao: Bao) -> None:
    """Without versions there is no check-and-set: it is not used."""
    own_bao.client.sys.enable_secrets_engine("kv", path="old", options={"version": "1"})
    assert "kv of version 2" in await own_bao.keeper(VAULT_MOUNT="old").check()
    assert await own_bao.keeper(VAULT_MOUNT="absent").check()


async def test_seal_of_another_mount_says_where_it_was_kept(bao: Bao) -> None:
    """A changed setting does not pass for a lost secret."""
    blob = await bao.keeper().seal(ACCOUNT, UID, CANARY)
    with pytest.raises(SecretLost, match=r"transit/claude-memory.*secret/claude-memory"):
        await bao.keeper(**KV).open(ACCOUNT, UID, blob)


async def test_app_role_logs_in_again_when_its_login_is_gone(own_bao: Bao) -> None:
    """A login that ran out or was revoked costs one more request, and no secret."""
    own_bao.client.sys.enable_auth_method("approle")
    approle = own_bao.client.auth.approle
    approle.create_or_update_approle("api", token_policies=["seals-and-opens"], token_ttl="1h")
    settings = {
        "VAULT_ROLE": approle.read_role_id("api")["data"]["role_id"],
        "VAULT_SECRET_ID": approle.generate_secret_id("api")["data"]["secret_id"],
    }
    keeper = own_bao.keeper(**settings)
    blob = await keeper.seal(ACCOUNT, UID, CANARY)
    own_bao.client.sys.revoke_prefix("auth/approle")
    assert await keeper.open(ACCOUNT, UID, blob) == (CANARY, "vault")

    refused = own_bao.keeper(**{**settings, "VAULT_SECRET_ID": "not-a-secret-id"})
    with pytest.raises(KeeperDown) as caught:
        await refused.seal(ACCOUNT, UID, CANARY)
    assert not any(word in everything_shown(caught.value) for word in ("not-a-secret-id", CANARY))


async def test_pod_logs_in_with_its_service_account(own_bao: Bao, tmp_path: Path) -> None:
    """Kubernetes vouches for the pod; a rotated token file is read again."""
    file = tmp_path / "service-account-token"
    genuine = service_account_token("u1")
    file.write_text(genuine + "\n", encoding="ascii")
    with TokenReview(genuine) as kubernetes:
        configure_kubernetes(own_bao, kubernetes.address)
        login = VaultLogin(own_bao.address, role="memory", service_account=file)
        keeper = EnvelopeKeeper([VaultWrapper(login, mount="transit", prefix="claude-memory")])
        blob = await keeper.seal(ACCOUNT, UID, CANARY)
        assert kubernetes.asked == 1

        kubernetes.genuine = service_account_token("u1")
        file.write_text(kubernetes.genuine, encoding="ascii")
        own_bao.client.sys.revoke_prefix("auth/kubernetes")
        assert await keeper.open(ACCOUNT, UID, blob) == (CANARY, "vault")
        assert kubernetes.asked == 2

        kubernetes.genuine = "another"
        own_bao.client.sys.revoke_prefix("auth/kubernetes")
        with pytest.raises(KeeperDown) as caught:
            await keeper.open(ACCOUNT, UID, blob)
        assert file.read_text(encoding="ascii") not in everything_shown(caught.value)


def configure_kubernetes(bao: Bao, address: str) -> None:
    """Let pods of one service account log in, as an operator does."""
    bao.client.sys.enable_auth_method("kubernetes")
    kubernetes: Any = bao.client.auth.kubernetes
    kubernetes.configure(
        address,
        kubernetes_ca_cert=authority(),
        token_reviewer_jwt=service_account_token("reviewer"),
        disable_local_ca_jwt=True,
    )
    kubernetes.create_role(
        "memory",
        bound_service_account_names=["claude-memory"],
        bound_service_account_namespaces=["memory"],
        policies=["seals-and-opens"],
        audience="vault",
    )


async def test_missing_service_account_is_said(bao: Bao, tmp_path: Path) -> None:
    """Outside of a pod the operator reads which file is missing."""
    login = VaultLogin(bao.address, role="memory", service_account=tmp_path / "absent")
    keeper = EnvelopeKeeper([VaultWrapper(login, mount="transit", prefix="claude-memory")])
    assert "service account's token cannot be read" in await keeper.check()


async def test_renewable_login_is_renewed_at_half_its_life(bao: Bao) -> None:
    """A token that is used or checked now and then does not run out."""
    clock = [0.0]
    token = bao.token("seals-and-opens", ttl="1h", renewable=True)
    login = VaultLogin(bao.address, token=token, now=lambda: clock[0])
    keeper = EnvelopeKeeper([VaultWrapper(login, mount="transit", prefix="claude-memory")])
    for clock[0], is_renewed in ((0.0, False), (1_700.0, False), (1_900.0, True)):
        assert await keeper.check() == ""
        found = bao.client.auth.token.lookup(token)["data"]
        assert ("last_renewal" in found) is is_renewed


async def test_token_that_ran_out_means_try_again(bao: Bao) -> None:
    """The operator has to act; until then secrets are refused and nothing else."""
    token = bao.token("seals-and-opens", explicit_max_ttl="1s")
    keeper = bao.keeper(VAULT_TOKEN=token)
    blob = await bao.keeper().seal(ACCOUNT, UID, CANARY)
    while not (complaint := await keeper.check()):
        pass
    assert "login ran out" in complaint
    for call in (keeper.seal(ACCOUNT, UID, CANARY), keeper.open(ACCOUNT, UID, blob)):
        with pytest.raises(KeeperDown) as caught:
            await call
        assert caught.value.headers["Retry-After"]
        assert token not in everything_shown(caught.value)


async def test_sealed_vault_means_try_again(own_bao: Bao) -> None:
    """It will work again once somebody unseals it."""
    keeper = own_bao.keeper()
    blob = await keeper.seal(ACCOUNT, UID, CANARY)
    own_bao.client.sys.seal()
    with pytest.raises(KeeperDown, match="sealed"):
        await keeper.open(ACCOUNT, UID, blob)
    with pytest.raises(KeeperDown, match="sealed") as caught:
        await keeper.seal(ACCOUNT, UID, CANARY)
    assert CANARY not in everything_shown(caught.value)


async def test_stopped_vault_means_try_again(tmp_path: Path) -> None:
    """Nobody listens: 503, whether it was reached before or never."""
    server = Bao(tmp_path)
    known, unknown = server.keeper(), server.keeper()
    blob = await known.seal(ACCOUNT, UID, CANARY)
    server.stop()
    for keeper in (known, unknown):
        with pytest.raises(KeeperDown, match="cannot be reached") as caught:
            await keeper.open(ACCOUNT, UID, blob)
        assert ROOT_TOKEN not in everything_shown(caught.value)


async def test_nothing_logged_at_debug_holds_a_secret(
    bao: Bao, caplog: pytest.LogCaptureFixture
) -> None:
    """Not ours, hvac's or urllib3's log."""
    caplog.set_level(logging.DEBUG)
    keeper = bao.keeper()
    blob = await keeper.seal(ACCOUNT, UID, CANARY)
    await keeper.open(ACCOUNT, UID, blob)
    assert caplog.records
    assert CANARY not in caplog.text
    assert ROOT_TOKEN not in caplog.text
