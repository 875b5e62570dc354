"""Which keeper the settings ask for. Nothing is asked over the network here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from backend.secrets import keyfile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backend.secrets.aes import AesWrapper, Keep
    from backend.secrets.keeper import Keeper
    from backend.secrets.wrapping import Wrapper
    from backend.settings import Settings


def choose(settings: Settings, keep: Keep, *, may_make: bool = True) -> Keeper | None:
    """Return the keeper that the settings name, or None if they name none.

    Of several the first seals: KMS, Vault, AES; the others still open what they sealed. If the
    first is down, secrets are refused: they never go to the next in silence. `keep` stores the
    salt of a passphrase. A key file is made if nothing else is set and `may_make`, and opens what
    it sealed.

    Raises:
        ConfigurationError: a setting or the key file cannot be used.
    """
    aes = _aes(settings, keep, may_make=may_make)
    wrappers = [*_elsewhere(settings), *([aes] if aes else [])]
    if not wrappers:
        return None
    from backend.secrets.sealing import EnvelopeKeeper

    return EnvelopeKeeper(wrappers, keys=aes.keys if aes else None)


def _elsewhere(settings: Settings) -> Iterator[Wrapper]:
    if settings.kms_key_id:
        from backend.secrets.kms import KmsWrapper

        yield KmsWrapper(settings.kms_key_id)
    if settings.vault_addr:
        yield _vault(settings)


def _vault(settings: Settings) -> Wrapper:
    from backend.secrets.vault import VaultWrapper
    from backend.secrets.vault_login import VaultLogin

    login = VaultLogin(
        settings.vault_addr,
        token=settings.vault_token,
        role=settings.vault_role,
        secret_id=settings.vault_secret_id,
    )
    return VaultWrapper(login, mount=settings.vault_mount, prefix=settings.vault_prefix)


def _aes(settings: Settings, keep: Keep, *, may_make: bool) -> AesWrapper | None:
    secrets = _aes_secrets(settings, may_make=may_make)
    if not secrets:
        return None
    from backend.secrets.aes import AesWrapper

    return AesWrapper(secrets, keep)


def _aes_secrets(settings: Settings, *, may_make: bool) -> list[str]:
    """Return the key for new secrets and then those that only open."""
    named = [settings.encryption_key, settings.encryption_key_previous]
    if settings.key_file:
        key_file = Path(settings.key_file)
        is_only_keeper = not (settings.kms_key_id or settings.vault_addr or any(named))
        read = keyfile.read_or_make if is_only_keeper and may_make else keyfile.read
        named.append(read(key_file))
    return [secret for secret in named if secret]
