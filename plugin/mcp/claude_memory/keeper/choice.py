"""Which keeper seals new secrets, and which one opens those that an earlier setting sealed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from claude_memory.errors import KeeperRefused, KeeperUnavailable

if TYPE_CHECKING:
    from claude_memory.keeper.interface import Keeper, Sealed
    from claude_memory.settings import Settings

NO_CIPHER = "Install the Python package `cryptography`, or set VAULT_ADDR and VAULT_TOKEN."


def choose(settings: Settings) -> Keeper | None:
    """Return the keeper for new secrets: Vault if it is set up, else this machine, else None.

    Nothing is asked over the network. A Vault that is set up but down is still the answer: whoever
    set it up wants no secret to rest on this machine, so `seal` raises, the memory is stored
    without its value, and the user is told; it never falls back to this machine in silence.
    """
    if settings.vault_addr and settings.vault_token:
        return _vault(settings)
    return _this_machine(settings)


def opener(settings: Settings, sealed: Sealed) -> Keeper:
    """Return the keeper that made this seal, whatever the settings choose for new ones.

    Raises:
        KeeperUnavailable: this machine can no longer decrypt.
        KeeperRefused: Vault is no longer set up, or the keeper is unknown.
    """
    if sealed.keeper == "aes":
        keeper = _this_machine(settings)
        if keeper is None:
            raise KeeperUnavailable("This Python has no AES-256-GCM.", NO_CIPHER)
        return keeper
    if sealed.keeper != "vault":
        raise KeeperRefused(
            f"This version knows no keeper {sealed.keeper[:40]!r}.", "Update the plugin."
        )
    if not (settings.vault_addr and settings.vault_token):
        raise KeeperRefused("The secret is in Vault.", "Set VAULT_ADDR and VAULT_TOKEN.")
    return _vault(settings)


def _vault(settings: Settings) -> Keeper:
    from claude_memory.keeper.vault import VaultKeeper
    from claude_memory.keeper.vault_http import VaultHttp

    https = VaultHttp(
        settings.vault_addr,
        settings.vault_token,
        namespace=settings.vault_namespace,
        authority=settings.vault_cacert,
    )
    return VaultKeeper(https)


def _this_machine(settings: Settings) -> Keeper | None:
    from claude_memory.keeper.aes import AesKeeper
    from claude_memory.keeper.ciphers import find_cipher
    from claude_memory.keeper.keyfile import KeyFile

    cipher = find_cipher()
    return AesKeeper(cipher, KeyFile(settings.home)) if cipher else None
