"""Data keys under AWS KMS: moto keeps the promises of KMS, the Stubber breaks them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber
from moto import mock_aws

from backend.errors import KeeperDown, SecretLost
from backend.secrets.choice import choose
from backend.secrets.kms import KmsWrapper
from backend.secrets.sealing import EnvelopeKeeper
from backend.settings import Settings
from tests.backend.secrets.conformance import (
    ACCOUNT,
    CANARY,
    OTHER_ACCOUNT,
    UID,
    KeeperConformance,
    everything_shown,
    keep_nothing,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from backend.secrets.keeper import Keeper

    Client = Any  # boto3 ships no types

pytestmark = pytest.mark.anyio
REGION = "eu-central-1"
DATA_KEY = b"d" * 32
ARN = f"arn:aws:kms:{REGION}:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"


@pytest.fixture
def kms(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Give a client of the KMS that moto plays."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        yield boto3.client("kms", region_name=REGION)


@pytest.fixture
def stubbed(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[KmsWrapper, Stubber]]:
    """Give a wrapper whose KMS answers what a test says."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA" + "TESTING")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none")
    client = boto3.client("kms", region_name=REGION)
    with Stubber(client) as stubber:
        yield KmsWrapper(ARN, lambda: client), stubber


class TestConformance(KeeperConformance):
    """Every promise of a keeper, with a key in KMS."""

    source = "kms"
    # What is wrapped names its key, and moto denies access where KMS would call it invalid.
    refusals = (SecretLost, KeeperDown)

    @pytest.fixture
    def keeper(self, kms: Client) -> Keeper:
        """Give the keeper that an operator gets who sets a key id."""
        key_id = kms.create_key()["KeyMetadata"]["KeyId"]
        keeper = choose(Settings(kms_key_id=key_id), keep_nothing)
        assert keeper is not None
        return keeper


async def test_key_of_the_seal_is_named_by_its_arn(kms: Client) -> None:
    """An alias may point elsewhere tomorrow: the seal names the key itself, and still opens."""
    first, second = (kms.create_key()["KeyMetadata"] for _ in range(2))
    kms.create_alias(AliasName="alias/memories", TargetKeyId=first["KeyId"])
    keeper = EnvelopeKeeper([KmsWrapper("alias/memories", lambda: kms)])
    blob = await keeper.seal(ACCOUNT, UID, CANARY)
    assert keeper.key_id(blob) == f"kms:{first['Arn']}"

    kms.update_alias(AliasName="alias/memories", TargetKeyId=second["KeyId"])

    assert await keeper.open(ACCOUNT, UID, blob) == (CANARY, "kms")
    rotated = await keeper.rewrap(ACCOUNT, UID, blob)
    assert keeper.key_id(rotated) == f"kms:{second['Arn']}"
    assert await keeper.open(ACCOUNT, UID, rotated) == (CANARY, "kms")


async def test_account_is_the_encryption_context(stubbed: tuple[KmsWrapper, Stubber]) -> None:
    """Both ways KMS is told the account, and to unwrap also the key."""
    wrapper, stubber = stubbed
    context = {"account": "0193e5a0-0000-7000-8000-00000000000a"}
    stubber.add_response(
        "encrypt",
        {"KeyId": ARN, "CiphertextBlob": b"wrapped"},
        {"KeyId": ARN, "Plaintext": DATA_KEY, "EncryptionContext": context},
    )
    stubber.add_response(
        "decrypt",
        {"KeyId": ARN, "Plaintext": DATA_KEY},
        {"KeyId": ARN, "CiphertextBlob": b"wrapped", "EncryptionContext": context},
    )
    wrapped = await wrapper.wrap(ACCOUNT, DATA_KEY)
    assert (wrapped.key_id, wrapped.data) == (ARN, b"wrapped")
    assert await wrapper.unwrap(ACCOUNT, wrapped) == DATA_KEY
    stubber.assert_no_pending_responses()


async def test_sealing_never_asks_to_decrypt(stubbed: tuple[KmsWrapper, Stubber]) -> None:
    """Whoever stores secrets needs no right to read any: the one call is `encrypt`."""
    wrapper, stubber = stubbed
    stubber.add_response("encrypt", {"KeyId": ARN, "CiphertextBlob": b"wrapped"})
    assert await EnvelopeKeeper([wrapper]).seal(ACCOUNT, UID, CANARY)
    stubber.assert_no_pending_responses()


async def test_context_of_another_account_is_refused(kms: Client) -> None:
    """KMS itself keeps accounts apart, before any tag is looked at."""
    wrapper = KmsWrapper(kms.create_key()["KeyMetadata"]["KeyId"], lambda: kms)
    wrapped = await wrapper.wrap(ACCOUNT, DATA_KEY)
    with pytest.raises(SecretLost, match="InvalidCiphertext"):
        await wrapper.unwrap(OTHER_ACCOUNT, wrapped)


WAITING_HELPS = (
    "DisabledException",
    "KMSInvalidStateException",
    "KeyUnavailableException",
    "DependencyTimeoutException",
    "KMSInternalException",
    "ThrottlingException",
    "LimitExceededException",
    "AccessDeniedException",
    "ExpiredTokenException",
    "SomethingNewException",
)
NOTHING_HELPS = ("InvalidCiphertextException", "IncorrectKeyException", "NotFoundException")


@pytest.mark.parametrize("code", [*WAITING_HELPS, *NOTHING_HELPS])
async def test_refused_seal_means_try_again(stubbed: tuple[KmsWrapper, Stubber], code: str) -> None:
    """A disabled key, a throttled call or a missing right: 503, and the client comes back."""
    wrapper, stubber = stubbed
    stubber.add_client_error("encrypt", code, f"quoting {CANARY}", 400)
    with pytest.raises(KeeperDown, match=code) as caught:
        await EnvelopeKeeper([wrapper]).seal(ACCOUNT, UID, CANARY)
    assert caught.value.headers["Retry-After"]
    assert CANARY not in everything_shown(caught.value)
    stubber.add_client_error("encrypt", code, f"quoting {CANARY}", 400)
    assert code in await EnvelopeKeeper([wrapper]).check()


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        *((code, KeeperDown) for code in WAITING_HELPS),
        *((code, SecretLost) for code in NOTHING_HELPS),
    ],
)
async def test_refused_opening_says_whether_waiting_helps(
    stubbed: tuple[KmsWrapper, Stubber], code: str, expected: type[Exception]
) -> None:
    """A key that is disabled may come back; one that is deleted does not."""
    wrapper, stubber = stubbed
    stubber.add_response("encrypt", {"KeyId": ARN, "CiphertextBlob": b"wrapped"})
    keeper = EnvelopeKeeper([wrapper])
    blob = await keeper.seal(ACCOUNT, UID, CANARY)
    stubber.add_client_error("decrypt", code, f"quoting {CANARY}", 400)
    with pytest.raises(expected, match=code) as caught:
        await keeper.open(ACCOUNT, UID, blob)
    assert CANARY not in everything_shown(caught.value)


class Unreachable:
    """A KMS behind a cut line."""

    def encrypt(self, **_: Any) -> Mapping[str, Any]:
        """Fail as botocore does."""
        raise EndpointConnectionError(endpoint_url="https://kms.example.com")

    decrypt = encrypt


async def test_unreachable_kms_means_try_again() -> None:
    """No route to AWS is no server error."""
    keeper = EnvelopeKeeper([KmsWrapper(ARN, Unreachable)])
    with pytest.raises(KeeperDown, match="EndpointConnectionError"):
        await keeper.seal(ACCOUNT, UID, CANARY)


async def test_missing_region_means_try_again_and_is_named() -> None:
    """What boto3 lacks stands in the answer of the check."""
    keeper = EnvelopeKeeper([KmsWrapper(ARN)])
    assert "NoRegionError" in await keeper.check()


async def test_debug_log_of_ours_is_silent(kms: Client, caplog: pytest.LogCaptureFixture) -> None:
    """With everything logged at debug, botocore's own included, no secret is in it."""
    caplog.set_level(logging.DEBUG)
    keeper = EnvelopeKeeper([KmsWrapper(kms.create_key()["KeyMetadata"]["KeyId"], lambda: kms)])
    blob = await keeper.seal(ACCOUNT, UID, CANARY)
    await keeper.open(ACCOUNT, UID, blob)
    assert caplog.records
    assert CANARY not in caplog.text
