"""Settings that lie in AWS Secrets Manager: one entry, a JSON object with the variables' names."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

from backend.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SETTING = "MEMORY_SECRET_ARN"
CONNECT, READ, TRIES = 3, 5, 3
ARN_PARTS = 7  # arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME


class SecretsManager(Protocol):
    """The one call of a Secrets Manager client that is used here."""

    def get_secret_value(self, **named: Any) -> Mapping[str, Any]:
        """Return the present value of an entry."""


def environment_with_secrets(
    environ: Mapping[str, str], connect: Callable[[str], SecretsManager] | None = None
) -> Mapping[str, str]:
    """Return the environment, completed by the entry that MEMORY_SECRET_ARN names.

    What the environment sets wins. Without MEMORY_SECRET_ARN nothing is asked and boto3 is not
    imported. `connect` makes the client for a region, or for the usual one if that is empty.

    Raises:
        ConfigurationError: the entry cannot be read or is not what it has to be.
    """
    arn = environ.get(SETTING, "").strip()
    if not arn:
        return environ
    stored = _texts(_read(arn, connect or _client))
    return {**stored, **{name: value for name, value in environ.items() if value.strip()}}


def _read(arn: str, connect: Callable[[str], SecretsManager]) -> str:
    from botocore.exceptions import BotoCoreError, ClientError

    parts = arn.split(":")
    region = parts[3] if len(parts) >= ARN_PARTS else ""
    try:
        answer = connect(region).get_secret_value(SecretId=arn)
    except ClientError as error:
        reason = str(error.response.get("Error", {}).get("Code", ""))[:60]
    except BotoCoreError as error:
        reason = type(error).__name__
    else:
        return str(answer.get("SecretString", ""))
    raise ConfigurationError(
        f"{SETTING} cannot be read: {reason}. Check the ARN and its region, and that the role may "
        "secretsmanager:GetSecretValue (and kms:Decrypt on the entry's key)."
    )


def _texts(entry: str) -> dict[str, str]:
    try:
        found = json.loads(entry)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ConfigurationError(
            f'The entry of {SETTING} must be a JSON object such as {{"DATABASE_URL": "..."}}.'
        )
    return {name: _text(name, value) for name, value in found.items() if value is not None}


def _text(name: str, value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict):  # API_KEYS, written as the object it is
        return json.dumps(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise ConfigurationError(f"{name[:60]} in the entry of {SETTING} must be a text.")


def _client(region: str) -> SecretsManager:
    import boto3
    from botocore.config import Config

    retries = {"total_max_attempts": TRIES, "mode": "standard"}
    config = Config(connect_timeout=CONNECT, read_timeout=READ, retries=retries)
    client: SecretsManager = boto3.client(
        "secretsmanager", region_name=region or None, config=config
    )
    return client
