"""Which keeper the settings give, what seals and what opens, and what is loaded for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from backend.errors import ConfigurationError, SecretLost
from backend.secrets.choice import choose
from backend.secrets.wrapping import Wrapped
from backend.settings import Settings
from tests.backend.secrets.conformance import ACCOUNT, CANARY, UID, keep_nothing

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[3]
KEY = "0f" * 32
VAULT = {"VAULT_ADDR": "https://vault.example.com", "VAULT_TOKEN": "t"}
KMS = {"MEMORY_KMS_KEY_ID": "alias/memories"}
AES = {"MEMORY_ENCRYPTION_KEY": KEY}


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        (AES, "EnvelopeKeeper(aes)"),
        (VAULT, "EnvelopeKeeper(vault)"),
        (KMS, "EnvelopeKeeper(kms)"),
        ({**AES, **VAULT}, "EnvelopeKeeper(vault, aes)"),
        ({**AES, **VAULT, **KMS}, "EnvelopeKeeper(kms, vault, aes)"),
        ({"MEMORY_ENCRYPTION_KEY_PREVIOUS": KEY, **KMS}, "EnvelopeKeeper(kms, aes)"),
        ({}, "None"),
    ],
)
def test_order_is_kms_vault_aes(environ: dict[str, str], expected: str) -> None:
    """The first named seals; all named open."""
    assert repr(choose(Settings.from_env(environ), keep_nothing)) == expected


@pytest.mark.parametrize(
    "environ",
    [
        {"MEMORY_ENCRYPTION_KEY": "short"},
        {"VAULT_ADDR": "https://vault.example.com"},
        {"VAULT_ADDR": "vault.example.com:8200", "VAULT_TOKEN": "t"},
    ],
)
def test_setting_that_cannot_work_stops_the_start(environ: dict[str, str]) -> None:
    """Before the first secret, not at it."""
    with pytest.raises(ConfigurationError):
        choose(Settings.from_env(environ), keep_nothing)


async def test_key_file_is_made_if_nothing_else_is_set(tmp_path: Path) -> None:
    """A server on one machine keeps secrets without being set up; the next start opens them."""
    path = tmp_path / "encryption.key"
    keeper = choose(Settings(key_file=str(path)), keep_nothing)
    assert keeper is not None
    blob = await keeper.seal(ACCOUNT, UID, CANARY)
    again = choose(Settings(key_file=str(path)), keep_nothing)
    assert again is not None
    assert await again.open(ACCOUNT, UID, blob) == (CANARY, "encrypted")


async def test_key_file_still_opens_after_a_key_was_set(tmp_path: Path) -> None:
    """What it sealed moves to the set key at rotation; a new file is not made beside a key."""
    path = tmp_path / "encryption.key"
    first = choose(Settings(key_file=str(path)), keep_nothing)
    assert first is not None
    blob = await first.seal(ACCOUNT, UID, CANARY)

    both = choose(Settings(encryption_key=KEY, key_file=str(path)), keep_nothing)
    absent = str(tmp_path / "absent.key")
    alone = choose(Settings(encryption_key=KEY, key_file=absent), keep_nothing)

    assert both is not None
    assert alone is not None
    assert await both.open(ACCOUNT, UID, blob) == (CANARY, "encrypted")
    rotated = await both.rewrap(ACCOUNT, UID, blob)
    assert await alone.open(ACCOUNT, UID, rotated) == (CANARY, "encrypted")
    assert not (tmp_path / "absent.key").exists()


async def test_secret_of_a_keeper_that_is_no_longer_set_up_names_it() -> None:
    """The reason tells the operator what to set again."""
    from backend.secrets.envelope import Envelope

    keeper = choose(Settings(encryption_key=KEY), keep_nothing)
    assert keeper is not None
    for name in ("vault", "kms"):
        blob = Envelope(name, Wrapped("some-key", b"wrapped"), bytes(12), bytes(16)).pack()
        with pytest.raises(SecretLost, match=name):
            await keeper.open(ACCOUNT, UID, blob)
        with pytest.raises(SecretLost, match=name):
            await keeper.rewrap(ACCOUNT, UID, blob)
        assert keeper.key_id(blob) == f"{name}:some-key"


LOADED = """
import asyncio, sys, uuid
from backend.secrets.choice import choose
from backend.secrets.detect import redact
from backend.secrets.settings_source import environment_with_secrets
from backend.settings import Settings

async def keep(name, proposal):
    return proposal

keeper = choose(Settings.from_env(environment_with_secrets({environ})), keep)
if {seals}:
    asyncio.run(keeper.seal(uuid.UUID(int=1), uuid.UUID(int=2), "x"))
print(*sorted({{name.partition(".")[0] for name in sys.modules}} & {names}))
"""
HEAVY = {"boto3", "botocore", "hvac", "requests", "cryptography", "sqlmodel", "alembic"}


@pytest.mark.parametrize(
    ("environ", "seals", "expected"),
    [
        ({}, False, ""),
        (AES, True, "cryptography"),
        (KMS, False, "cryptography"),
        (VAULT, False, "cryptography"),
    ],
    ids=["nothing", "aes", "kms", "vault"],
)
def test_large_libraries_are_loaded_when_they_are_asked(
    environ: dict[str, str], seals: bool, expected: str
) -> None:
    """boto3 and hvac wait for the first secret; where nothing is set, so does cryptography."""
    program = LOADED.format(environ=environ, seals=seals, names=HEAVY)
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == expected
