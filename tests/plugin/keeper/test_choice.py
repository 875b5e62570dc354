"""Which keeper seals, and which one opens what another setting sealed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from claude_memory.errors import KeeperRefused, KeeperUnavailable
from claude_memory.keeper.choice import choose, opener
from claude_memory.keeper.interface import Sealed
from claude_memory.settings import Settings

from tests.support.keeper_conformance import CANARY, UID
from tests.support.vault_stand_in import TOKEN, VaultStandIn

if TYPE_CHECKING:
    from claude_memory.keeper.interface import Keeper

IMPORT_ROOT = Path(__file__).parents[3] / "plugin" / "mcp"


def _settings(home: Path, **environ: str) -> Settings:
    return Settings.from_env({"MEMORY_HOME": str(home / "data"), **environ})


def _chosen(settings: Settings) -> Keeper:
    keeper = choose(settings)
    assert keeper is not None
    return keeper


def test_nothing_set_seals_on_this_machine(tmp_path: Path) -> None:
    """A new user's secrets are sealed without any setting."""
    keeper = _chosen(_settings(tmp_path))
    assert keeper.name == "aes"
    assert keeper.open(UID, keeper.seal(UID, CANARY)) == CANARY


@pytest.mark.parametrize("missing", ["VAULT_ADDR", "VAULT_TOKEN"])
def test_half_a_vault_is_none(tmp_path: Path, missing: str) -> None:
    """Both variables make Full mode; one of them alone changes nothing."""
    given = {"VAULT_ADDR": "https://127.0.0.1:1", "VAULT_TOKEN": TOKEN}
    del given[missing]
    assert _chosen(_settings(tmp_path, **given)).name == "aes"


def test_vault_is_used_when_it_is_set_up(tmp_path: Path) -> None:
    """Secrets go to Vault, and this machine gets no key."""
    with VaultStandIn() as vault:
        keeper = _chosen(_settings(tmp_path, VAULT_ADDR=vault.address, VAULT_TOKEN=TOKEN))
        sealed = keeper.seal(UID, CANARY)
        assert sealed.keeper == "vault"
        assert list(vault.values.values()) == [CANARY]
    assert not (tmp_path / "data").exists()


def test_namespace_and_authority_reach_vault(tmp_path: Path) -> None:
    """Both settings are handed on."""
    with VaultStandIn() as vault:
        settings = _settings(
            tmp_path, VAULT_ADDR=vault.address, VAULT_TOKEN=TOKEN, VAULT_NAMESPACE="team-a"
        )
        _chosen(settings).seal(UID, CANARY)
        assert vault.headers[0]["X-Vault-Namespace"] == "team-a"
    settings = _settings(
        tmp_path, VAULT_ADDR="https://127.0.0.1:1", VAULT_TOKEN=TOKEN, VAULT_CACERT="/no/such.pem"
    )
    with pytest.raises(KeeperRefused, match=r"/no/such\.pem"):
        _chosen(settings).seal(UID, CANARY)


def test_vault_that_is_down_is_not_replaced_in_silence(tmp_path: Path) -> None:
    """Choosing asks nobody; sealing says that the value was not kept, and keeps none here."""
    with VaultStandIn() as vault:
        address = vault.address
    keeper = _chosen(_settings(tmp_path, VAULT_ADDR=address, VAULT_TOKEN=TOKEN))
    with pytest.raises(KeeperUnavailable):
        keeper.seal(UID, CANARY)
    assert not (tmp_path / "data").exists()


def test_earlier_seals_open_after_vault_was_set_up(tmp_path: Path) -> None:
    """Turning Vault on does not lock earlier secrets in."""
    sealed = _chosen(_settings(tmp_path)).seal(UID, CANARY)
    later = _settings(tmp_path, VAULT_ADDR="https://127.0.0.1:1", VAULT_TOKEN=TOKEN)
    assert opener(later, sealed).open(UID, sealed) == CANARY


def test_seal_in_vault_names_the_settings_it_needs(tmp_path: Path) -> None:
    """Turning Vault off says what is missing."""
    with VaultStandIn() as vault:
        settings = _settings(tmp_path, VAULT_ADDR=vault.address, VAULT_TOKEN=TOKEN)
        sealed = _chosen(settings).seal(UID, CANARY)
        assert opener(settings, sealed).open(UID, sealed) == CANARY
    with pytest.raises(KeeperRefused) as caught:
        opener(_settings(tmp_path), sealed)
    assert "VAULT_ADDR" in caught.value.fix


def test_unknown_keeper_asks_for_an_update(tmp_path: Path) -> None:
    """A later version's seal is not guessed at."""
    with pytest.raises(KeeperRefused, match="no keeper 'cloud'") as caught:
        opener(_settings(tmp_path), Sealed("cloud", "1", b""))
    assert "Update" in caught.value.fix


def test_machine_that_cannot_seal_has_no_keeper(tmp_path: Path) -> None:
    """Without any vetted library the answer is None, and an old seal says what to install."""
    script = f"""
import sys
for name in ("cryptography", "ctypes"): sys.modules[name] = None
from claude_memory.errors import KeeperUnavailable
from claude_memory.keeper.choice import choose, opener
from claude_memory.keeper.interface import Sealed
from claude_memory.settings import Settings
settings = Settings.from_env({{"MEMORY_HOME": {str(tmp_path)!r}}})
print(choose(settings))
try:
    opener(settings, Sealed("aes", "1", b""))
except KeeperUnavailable as error:
    print(error.fix)
"""
    assert _run(script) == f"None\n{INSTALL}\n"


INSTALL = "Install the Python package `cryptography`, or set VAULT_ADDR and VAULT_TOKEN."


def test_sealing_here_loads_nothing_for_the_network(tmp_path: Path) -> None:
    """Without Vault neither HTTP nor TLS is ever loaded."""
    script = f"""
import sys
sys.modules["cryptography"] = None
from claude_memory.keeper.choice import choose
from claude_memory.settings import Settings
keeper = choose(Settings.from_env({{"MEMORY_HOME": {str(tmp_path)!r}}}))
keeper.open({UID!r}, keeper.seal({UID!r}, "x"))
print(sorted({{"ssl", "http.client", "socket", "urllib.request"}} & set(sys.modules)))
"""
    assert _run(script) == "[]\n"


def _run(script: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(IMPORT_ROOT)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
