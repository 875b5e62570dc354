"""Settings from AWS Secrets Manager: merged under the environment, refused with a reason."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import NoCredentialsError
from moto import mock_aws

from backend.errors import ConfigurationError
from backend.secrets.settings_source import environment_with_secrets
from backend.settings import Settings
from tests.backend.secrets.conformance import CANARY, everything_shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REGION = "eu-west-3"
ROOT = Path(__file__).parents[3]


@pytest.fixture
def entry() -> Iterator[Callable[[Any], str]]:
    """Give what stores an entry and returns its ARN."""
    with mock_aws():
        client = boto3.client("secretsmanager", region_name=REGION)

        def store(value: object) -> str:
            text = value if isinstance(value, str) else json.dumps(value)
            return str(client.create_secret(Name="memory", SecretString=text)["ARN"])

        yield store


def test_entry_completes_the_environment(entry: Callable[[Any], str]) -> None:
    """Its region stands in the ARN; API_KEYS may be the object it is."""
    keys = {"ann": "key-of-" + "ann", "bob": "key-of-" + "bob"}
    arn = entry({"DATABASE_URL": "postgresql://db/x", "API_KEYS": keys, "MEMORY_POOL_SIZE": 3})
    environ = environment_with_secrets({"MEMORY_SECRET_ARN": arn, "PATH": "/bin"})
    settings = Settings.from_env(environ)
    assert environ["PATH"] == "/bin"
    assert settings.database_url == "postgresql://db/x"
    assert settings.keys == keys
    assert settings.pool_size == 3


def test_environment_wins_unless_it_is_blank(entry: Callable[[Any], str]) -> None:
    """What is set beside the entry overrides it; an empty parameter of a template does not."""
    arn = entry({"DATABASE_URL": "stored", "MEMORY_ENCRYPTION_KEY": "stored too", "API_KEY": None})
    environ = environment_with_secrets(
        {"MEMORY_SECRET_ARN": arn, "DATABASE_URL": "set here", "MEMORY_ENCRYPTION_KEY": " "}
    )
    assert environ["DATABASE_URL"] == "set here"
    assert environ["MEMORY_ENCRYPTION_KEY"] == "stored too"
    assert "API_KEY" not in environ


def test_missing_entry_is_named_with_the_fix(entry: Callable[[Any], str]) -> None:
    """The operator reads the setting, the reason and the right that it takes."""
    arn = entry({}) + "-other"
    with pytest.raises(ConfigurationError, match=r"MEMORY_SECRET_ARN.*ResourceNotFound") as caught:
        environment_with_secrets({"MEMORY_SECRET_ARN": arn})
    assert "secretsmanager:GetSecretValue" in str(caught.value)


@pytest.mark.parametrize("value", [f"not json {CANARY}", f'["{CANARY}"]', f'"{CANARY}"', ""])
def test_entry_that_is_no_object_is_refused_without_quoting_it(value: str) -> None:
    """Its text is a secret, also where it is broken."""
    with pytest.raises(ConfigurationError, match="JSON object") as caught:
        environment_with_secrets({"MEMORY_SECRET_ARN": "memory"}, lambda _: Answering(value))
    assert CANARY not in everything_shown(caught.value)


@pytest.mark.parametrize("value", [[CANARY], True, 1.5])
def test_setting_that_is_no_text_is_named_without_quoting_it(value: object) -> None:
    """The name is enough to find it."""
    entry = json.dumps({"API_KEY": value})
    with pytest.raises(ConfigurationError, match="API_KEY") as caught:
        environment_with_secrets({"MEMORY_SECRET_ARN": "memory"}, lambda _: Answering(entry))
    assert CANARY not in everything_shown(caught.value)


def test_aws_that_cannot_be_asked_is_a_configuration_error() -> None:
    """No credentials: the server says so and does not start."""

    def connect(region: str) -> Answering:
        raise NoCredentialsError

    with pytest.raises(ConfigurationError, match="NoCredentialsError"):
        environment_with_secrets({"MEMORY_SECRET_ARN": "memory"}, connect)


def test_without_the_setting_nothing_is_asked_or_loaded() -> None:
    """Most installations have no AWS."""
    program = (
        "import sys; from backend.secrets.settings_source import environment_with_secrets as read; "
        "assert read({'API_KEY': 'x', 'MEMORY_SECRET_ARN': ' '})['API_KEY'] == 'x'; "
        "assert not {'boto3', 'botocore'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


class Answering:
    """A Secrets Manager with one entry."""

    def __init__(self, value: str) -> None:
        self.value = value

    def get_secret_value(self, **_: Any) -> dict[str, str]:
        """Return the entry."""
        return {"SecretString": self.value}
