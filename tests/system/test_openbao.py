"""Secrets in a real OpenBao over verified TLS; its official client looks at what was done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import hvac
import pytest
from claude_memory.errors import KeeperRefused, KeeperUnavailable
from claude_memory.keeper.choice import choose, opener
from claude_memory.keeper.vault import VaultKeeper
from claude_memory.keeper.vault_http import VaultHttp
from claude_memory.settings import Settings
from hvac.exceptions import InvalidPath

from tests.support.keeper_conformance import CANARY, UID, KeeperConformance, everything_shown
from tests.support.openbao import ROOT_TOKEN, OpenBao

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.heavy, pytest.mark.once]

LEAST = """
path "secret/data/claude-memory/*" { capabilities = ["create", "read"] }
path "secret/metadata/claude-memory/*" { capabilities = ["delete"] }
"""


class Bao(OpenBao):
    """A development server of its own, with TLS."""

    def __init__(self, folder: Path, host: str = "127.0.0.1") -> None:
        super().__init__(folder, "https", host)
        self.authority = folder / "authority.pem"  # the server takes its own file away at the end
        self.authority.write_bytes((folder / "vault-ca.pem").read_bytes())
        self.client = hvac.Client(self.address, ROOT_TOKEN, verify=str(self.authority))

    def keeper(self, token: str = ROOT_TOKEN) -> VaultKeeper:
        """Return a keeper that trusts this server."""
        return VaultKeeper(VaultHttp(self.address, token, authority=str(self.authority)))

    def settings(self, home: Path, **environ: str) -> Settings:
        """Return the settings of a user of this server."""
        given = {"MEMORY_HOME": str(home), "VAULT_ADDR": self.address, "VAULT_TOKEN": ROOT_TOKEN}
        return Settings.from_env({**given, **environ})


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


class TestConformance(KeeperConformance):
    """Every promise of a keeper, kept by the real server with the least of permissions."""

    @pytest.fixture
    def keeper(self, bao: Bao) -> VaultKeeper:
        """Give a keeper with a token that may do no more than the documented policy."""
        bao.client.sys.create_or_update_policy("claude-memory", LEAST)
        token = bao.client.auth.token.create(policies=["claude-memory"], no_default_policy=True)
        return bao.keeper(token["auth"]["client_token"])


def test_secret_lies_where_the_pointer_says(bao: Bao) -> None:
    """Vault's own client finds it, and after a purge neither value nor path."""
    keeper = bao.keeper()
    uid = "0193e5a0-0000-7000-8000-00000000000a"
    sealed = keeper.seal(uid, CANARY)
    kv = bao.client.secrets.kv.v2
    (name,) = kv.list_secrets(f"claude-memory/{uid}")["data"]["keys"]
    path = f"claude-memory/{uid}/{name}"
    held = kv.read_secret_version(path, raise_on_deleted_version=True)["data"]
    assert held["data"] == {"value": CANARY}
    assert path.encode() in sealed.blob
    kv.create_or_update_secret(path, {"value": "written by somebody else"})
    assert keeper.open(uid, sealed) == CANARY
    keeper.forget(uid, sealed)
    with pytest.raises(InvalidPath):
        kv.list_secrets(f"claude-memory/{uid}")
    with pytest.raises(KeeperRefused, match="no longer holds"):
        keeper.open(uid, sealed)


def test_unknown_certificate_is_refused(bao: Bao, tmp_path: Path) -> None:
    """Without its authority the server is not trusted, and is sent nothing."""
    keeper = choose(bao.settings(tmp_path))
    assert keeper is not None
    with pytest.raises(KeeperRefused, match="not trusted") as caught:
        keeper.seal(UID, CANARY)
    assert "VAULT_CACERT" in caught.value.fix
    assert ROOT_TOKEN not in everything_shown(caught.value)


def test_certificate_for_another_host_is_refused(tmp_path: Path) -> None:
    """The right authority is not enough: the certificate is for 127.0.0.1 only."""
    server = Bao(tmp_path, host="127.0.0.2")
    try:
        with pytest.raises(KeeperRefused, match=r"not trusted: .*127\.0\.0\.2"):
            server.keeper().seal(UID, CANARY)
    finally:
        server.stop()


def test_authority_comes_from_vault_cacert(bao: Bao, tmp_path: Path) -> None:
    """The user's own variable is enough to seal and to open later."""
    settings = bao.settings(tmp_path, VAULT_CACERT=str(bao.authority))
    keeper = choose(settings)
    assert keeper is not None
    sealed = keeper.seal(UID, CANARY)
    assert opener(settings, sealed).open(UID, sealed) == CANARY


def test_authority_comes_from_ssl_cert_file(
    bao: Bao, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenSSL's own variable works too."""
    monkeypatch.setenv("SSL_CERT_FILE", str(bao.authority))
    keeper = choose(bao.settings(tmp_path))
    assert keeper is not None
    assert keeper.check() == ""


def test_revoked_token_is_refused_everywhere(bao: Bao) -> None:
    """Each call says that the token is the trouble, and what helps."""
    token = bao.client.auth.token.create(policies=["default"])["auth"]["client_token"]
    bao.client.auth.token.revoke(token)
    keeper, sealed = bao.keeper(token), bao.keeper().seal(UID, CANARY)
    policy, by_hand = "secret/data/claude-memory/*", "vault kv metadata delete secret/"
    for call, fix in (
        (lambda: keeper.seal(UID, CANARY), policy),
        (lambda: keeper.open(UID, sealed), policy),
        (lambda: keeper.forget(UID, sealed), by_hand),
    ):
        with pytest.raises(KeeperRefused, match="refused the token") as caught:
            call()
        assert fix in caught.value.fix
        assert token not in everything_shown(caught.value)
    assert "refused the token" in keeper.check()
    assert bao.keeper().open(UID, sealed) == CANARY


def test_missing_engine_is_named(own_bao: Bao) -> None:
    """A Vault without `secret/` says how to enable it."""
    own_bao.client.sys.disable_secrets_engine("secret")
    with pytest.raises(KeeperRefused) as caught:
        own_bao.keeper().seal(UID, CANARY)
    assert "vault secrets enable -path=secret" in caught.value.fix
    assert "vault secrets enable -path=secret" in own_bao.keeper().check()


def test_engine_of_version_one_is_refused(own_bao: Bao) -> None:
    """Without versions there is no check-and-set: it is not used."""
    own_bao.client.sys.disable_secrets_engine("secret")
    own_bao.client.sys.enable_secrets_engine("kv", path="secret", options={"version": "1"})
    with pytest.raises(KeeperRefused) as caught:
        own_bao.keeper().seal(UID, CANARY)
    assert "-version=2" in caught.value.fix
    assert "-version=2" in own_bao.keeper().check()


def test_sealed_vault_is_unavailable(own_bao: Bao) -> None:
    """It will work again once somebody unseals it."""
    sealed = own_bao.keeper().seal(UID, CANARY)
    own_bao.client.sys.seal()
    with pytest.raises(KeeperUnavailable, match="sealed"):
        own_bao.keeper().open(UID, sealed)
    assert "Unseal" in own_bao.keeper().check()


def test_stopped_vault_is_unavailable(tmp_path: Path) -> None:
    """The user reads that it cannot be reached."""
    server = Bao(tmp_path)
    server.stop()
    with pytest.raises(KeeperUnavailable, match="cannot be reached"):
        server.keeper().seal(UID, CANARY)
