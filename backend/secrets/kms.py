"""Data keys wrapped by AWS KMS, with the account as encryption context.

Sealing needs the right `kms:Encrypt` alone, opening `kms:Decrypt`. boto3 is imported when KMS is
first asked; it finds region and credentials its own way.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Protocol

from backend.errors import ApiError, KeeperDown, SecretLost
from backend.secrets.wrapping import Wrapped, asked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from uuid import UUID

    Answer = Mapping[str, Any]

TRIES = 3
CONNECT, READ = 2, 5  # seconds
# What KMS says when no waiting will ever unwrap a data key.
LOST = {
    "IncorrectKeyException",
    "InvalidArnException",
    "InvalidCiphertextException",
    "InvalidKeyUsageException",
    "NotFoundException",
    "ValidationException",
}


class Kms(Protocol):
    """The calls of a KMS client that are used here."""

    def encrypt(self, **named: Any) -> Answer:
        """Encrypt up to 4,096 bytes."""

    def decrypt(self, **named: Any) -> Answer:
        """Decrypt what `encrypt` gave."""


class KmsWrapper:
    """A Wrapper whose key never leaves AWS."""

    name = "kms"

    def __init__(self, key_id: str, connect: Callable[[], Kms] | None = None) -> None:
        """Take id, ARN or alias of the key for new secrets; nothing is asked yet."""
        self._key_id, self._connect = key_id, connect or _client
        self._kms: Kms | None = None
        self._lock = threading.Lock()

    async def wrap(self, account: UUID, data_key: bytes) -> Wrapped:
        """Wrap a data key; the ARN of the key that did it is kept with it."""
        context = _context(account)
        answer = await asked(
            self._asked,
            lambda kms: kms.encrypt(
                KeyId=self._key_id, Plaintext=data_key, EncryptionContext=context
            ),
            _down,
        )
        return Wrapped(str(answer["KeyId"]), bytes(answer["CiphertextBlob"]))

    async def unwrap(self, account: UUID, wrapped: Wrapped) -> bytes:
        """Return the data key, unwrapped by the key that wrapped it and by no other."""
        context = _context(account)
        answer = await asked(
            self._asked,
            lambda kms: kms.decrypt(
                KeyId=wrapped.key_id, CiphertextBlob=wrapped.data, EncryptionContext=context
            ),
            _down_or_lost,
        )
        if answer["KeyId"] != wrapped.key_id:  # no byte of a seal may be changed, told or not
            raise SecretLost("The key id of this secret was changed.")
        return bytes(answer["Plaintext"])

    def _asked(self, ask: Callable[[Kms], Answer], explained: Callable[[str], ApiError]) -> Answer:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return ask(self._ready())
        except ClientError as error:
            refused = explained(str(error.response.get("Error", {}).get("Code", ""))[:60])
        except BotoCoreError as error:
            refused = KeeperDown(f"AWS KMS cannot be asked: {type(error).__name__}.")
        raise refused  # out here, so that no log of it shows boto3's error, which may quote

    def _ready(self) -> Kms:
        with self._lock:  # boto3's default session is not made for many threads
            if self._kms is None:
                self._kms = self._connect()
            return self._kms


def _down(code: str) -> ApiError:
    return KeeperDown(f"AWS KMS refused: {code}.")


def _down_or_lost(code: str) -> ApiError:
    if code in LOST:
        return SecretLost(f"AWS KMS cannot open the key of this secret: {code}.")
    return _down(code)


def _context(account: UUID) -> dict[str, str]:
    return {"account": str(account)}


def _client() -> Kms:
    import boto3
    from botocore.config import Config

    retries = {"total_max_attempts": TRIES, "mode": "standard"}
    config = Config(connect_timeout=CONNECT, read_timeout=READ, retries=retries)
    client: Kms = boto3.client("kms", config=config)
    return client
