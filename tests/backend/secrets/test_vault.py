"""What is made of Vault's answers, by a server that answers as told.

It plays as much of transit as it takes to get to the answer in question. test_openbao.py asks a
real one.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest

from backend.errors import ConfigurationError, KeeperDown, SecretLost
from backend.secrets.sealing import EnvelopeKeeper
from backend.secrets.vault import VaultWrapper
from backend.secrets.vault_login import VaultLogin
from tests.backend.secrets.conformance import ACCOUNT, CANARY, UID, everything_shown
from tests.support.answering import Answering

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.answering import Asked

pytestmark = pytest.mark.anyio
TOKEN = "hvs." + "of-this-test"
MOUNT: dict[str, object] = {"data": {"type": "transit", "options": None}}
TTL: dict[str, object] = {"data": {"ttl": 3600, "renewable": True}}


class Scripted(Answering):
    """Answers each request with what is set for the end of its path, else with `rest`."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: dict[str, tuple[int, str]] = {}
        self.rest: tuple[int, str] | None = None
        self.paths: list[str] = []
        self.wrapped: dict[str, str] = {}

    def answer(self, asked: Asked) -> tuple[int, bytes]:
        """Play transit, unless told otherwise."""
        self.paths.append(asked.path)
        told = [answer for end, answer in self.answers.items() if asked.path.endswith(end)]
        if self.rest is not None:
            told.append(self.rest)
        if told:
            return told[0][0], told[0][1].encode()
        body = json.loads(asked.body or b"{}")
        return 200, json.dumps(self._transit(asked.path, body)).encode()

    def _transit(self, path: str, body: dict[str, str]) -> dict[str, object]:
        if "/encrypt/" in path:
            name = f"vault:v1:{base64.b64encode(str(len(self.wrapped)).encode()).decode()}"
            self.wrapped[name] = body["plaintext"]
            return {"data": {"ciphertext": name}}
        if "/decrypt/" in path:
            return {"data": {"plaintext": self.wrapped[body["ciphertext"]]}}
        return MOUNT if "/mounts/" in path else TTL


@pytest.fixture
def vault() -> Iterator[Scripted]:
    """Give a Vault that answers as told."""
    with Scripted() as scripted:
        yield scripted


def keeper_of(vault: Scripted) -> EnvelopeKeeper:
    """Return a keeper that logs in with a token."""
    login = VaultLogin(vault.address, token=TOKEN)
    return EnvelopeKeeper([VaultWrapper(login, mount="transit", prefix="claude-memory")])


async def test_engine_and_login_are_looked_up_once(vault: Scripted) -> None:
    """From the second secret on, sealing and opening are one request each."""
    keeper = keeper_of(vault)
    blob = await keeper.seal(ACCOUNT, UID, CANARY)
    vault.paths.clear()
    assert await keeper.open(ACCOUNT, UID, blob) == (CANARY, "vault")
    await keeper.seal(ACCOUNT, UID, CANARY)
    assert vault.paths == [
        "/v1/transit/decrypt/claude-memory",
        "/v1/transit/encrypt/claude-memory",
    ]


async def test_nothing_is_asked_before_the_first_secret(vault: Scripted) -> None:
    """A server starts while Vault is down."""
    keeper_of(vault)
    assert vault.paths == []


REFUSALS = {
    "bad request": (400, KeeperDown, SecretLost),
    "forbidden": (403, KeeperDown, KeeperDown),
    "standby": (429, KeeperDown, KeeperDown),
    "broken": (500, KeeperDown, KeeperDown),
    "not initialised": (501, KeeperDown, KeeperDown),
    "bad gateway": (502, KeeperDown, KeeperDown),
    "sealed": (503, KeeperDown, KeeperDown),
    "gateway timeout": (504, KeeperDown, KeeperDown),
    "unknown": (418, KeeperDown, KeeperDown),
}


@pytest.mark.parametrize(("status", "sealing", "opening"), REFUSALS.values(), ids=REFUSALS)
async def test_refusal_says_whether_waiting_helps(
    vault: Scripted, status: int, sealing: type[Exception], opening: type[Exception]
) -> None:
    """Only what cannot be decrypted is lost; all else is tried again, and no answer is quoted."""
    keeper = keeper_of(vault)
    blob = await keeper.seal(ACCOUNT, UID, CANARY)
    vault.rest = (status, json.dumps({"errors": [f"quoting {TOKEN} and {CANARY}"]}))
    with pytest.raises(sealing) as sealed:
        await keeper.seal(ACCOUNT, UID, CANARY)
    with pytest.raises(opening) as opened:
        await keeper.open(ACCOUNT, UID, blob)
    for caught in (sealed, opened):
        shown = everything_shown(caught.value)
        assert TOKEN not in shown
        assert CANARY not in shown
    assert await keeper.check()


@pytest.mark.parametrize("body", ["", "<html>", "[]", '"x"', "null", '{"data": null}', "{}"])
async def test_answer_of_something_else_means_try_again(vault: Scripted, body: str) -> None:
    """A proxy's page or a captive portal is not taken for Vault, at any step."""
    known = keeper_of(vault)
    blob = await known.seal(ACCOUNT, UID, CANARY)
    vault.rest = (200, body)
    for keeper in (known, keeper_of(vault)):
        for call in (keeper.seal(ACCOUNT, UID, CANARY), keeper.open(ACCOUNT, UID, blob)):
            with pytest.raises(KeeperDown, match="not Vault"):
                await call


async def test_redirect_is_not_followed(vault: Scripted) -> None:
    """The token goes to the address that was set, and nowhere else."""
    with Scripted() as elsewhere:
        vault.rest = (307, f"{elsewhere.address}/v1/x")
        with pytest.raises(KeeperDown):
            await keeper_of(vault).seal(ACCOUNT, UID, CANARY)
        assert elsewhere.paths == []


async def test_token_that_may_not_look_itself_up_is_used_all_the_same(vault: Scripted) -> None:
    """A policy without `default` still seals."""
    vault.answers["/lookup-self"] = (403, '{"errors":["permission denied"]}')
    keeper = keeper_of(vault)
    blob = await keeper.seal(ACCOUNT, UID, CANARY)
    assert await keeper.open(ACCOUNT, UID, blob) == (CANARY, "vault")


async def test_token_at_the_end_of_its_life_is_not_renewed_again_and_again(
    vault: Scripted,
) -> None:
    """A renewal that is refused is no reason to refuse a secret."""
    clock = [0.0]
    login = VaultLogin(vault.address, token=TOKEN, now=lambda: clock[0])
    keeper = EnvelopeKeeper([VaultWrapper(login, mount="transit", prefix="claude-memory")])
    await keeper.seal(ACCOUNT, UID, CANARY)
    vault.answers["/renew-self"] = (400, '{"errors":["lease is not renewable"]}')
    for clock[0] in (2_000.0, 2_001.0):
        await keeper.seal(ACCOUNT, UID, CANARY)
    assert sum(path.endswith("/renew-self") for path in vault.paths) == 1


@pytest.mark.parametrize(
    ("address", "token", "expected"),
    [
        ("vault.example.com", TOKEN, "VAULT_ADDR"),
        ("https://vault.example.com", "", "VAULT_TOKEN, or VAULT_ROLE"),
    ],
)
def test_settings_that_cannot_work_are_refused_at_the_start(
    address: str, token: str, expected: str
) -> None:
    """The operator reads which setting is wrong or missing."""
    with pytest.raises(ConfigurationError, match=expected):
        VaultLogin(address, token=token, secret_id="alone")


@pytest.mark.parametrize("place", ["mémoire", "a b", "a?b", "a" * 250, "x\n"])
def test_place_that_no_seal_could_name_is_refused_at_the_start(place: str) -> None:
    """A seal that names it could not be read again."""
    login = VaultLogin("https://vault.example.com", token=TOKEN)
    with pytest.raises(ConfigurationError, match="VAULT_PREFIX"):
        VaultWrapper(login, mount="transit", prefix=place)


def test_nothing_shown_of_a_login_holds_its_token() -> None:
    """A login in a log names the address alone."""
    login = VaultLogin("https://vault.example.com", token=TOKEN, secret_id="secret-id")
    assert repr(login) == "VaultLogin('https://vault.example.com')"
