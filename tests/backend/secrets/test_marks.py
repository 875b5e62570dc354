"""By what an operation that holds a secret is known when it comes again."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from backend.secrets.choice import choose
from backend.secrets.marks import Marks, plain
from backend.settings import Settings
from tests.backend.secrets.conformance import keep_nothing

if TYPE_CHECKING:
    from typing import Any

pytestmark = pytest.mark.anyio

OP, OTHER_OP = UUID(int=1), UUID(int=2)
TEXT = '["create", "0193e5a0-0000-7000-8000-000000000001", 0, {"content": "pin 4711"}]'
OTHER_TEXT = TEXT.replace("4711", "4712")
NEW, OLD = "0f" * 32, "f0" * 32
VAULT = {"vault_addr": "https://vault", "vault_token": "a token"}
KEYLESS = Marks()


def of(**named: Any) -> Marks:
    """Return the marks of a server with these settings."""
    keeper = choose(Settings(**named), keep_nothing)
    assert keeper is not None
    return keeper.marks


def slow(text: str) -> bytes:
    """Return a mark as it was made before there were keyed ones."""
    return hashlib.scrypt(text.encode(), salt=OP.bytes, n=16_384, r=8, p=1, dklen=16)


async def test_mark_is_keyed_where_the_server_has_a_key() -> None:
    """A key id and an HMAC-SHA256: quick to make, and no use to whoever has not the key."""
    mark = await of(encryption_key=NEW).make(OP, TEXT)
    key = bytes.fromhex(NEW)
    own = hmac.digest(key, b"claude-memory mark of a request", "sha256")
    key_id = hashlib.sha256(b"claude-memory key id" + key).digest()[:8]
    assert mark == key_id + hmac.digest(own, OP.bytes + TEXT.encode(), "sha256")[:16]


@pytest.mark.parametrize("named", [VAULT, {"kms_key_id": "alias/key"}])
async def test_mark_is_slow_where_the_keeper_lends_no_key(named: dict[str, str]) -> None:
    """Vault and KMS keep their keys; with a key of the settings beside them that one is used."""
    assert await of(**named).make(OP, TEXT) == slow(TEXT)
    assert await of(**named, encryption_key=NEW).make(OP, TEXT) == (
        await of(encryption_key=NEW).make(OP, TEXT)
    )


async def test_mark_tells_texts_and_operations_apart() -> None:
    """Equal secrets of two operations do not show that they are equal."""
    for marks in (of(encryption_key=NEW), KEYLESS):
        made = [await marks.make(*one) for one in ((OP, TEXT), (OP, OTHER_TEXT), (OTHER_OP, TEXT))]
        assert len(set(made)) == 3


@pytest.mark.parametrize("form", ["slow", "plain", "keyed", "of the key before"])
async def test_mark_recorded_in_another_form_is_still_known(form: str) -> None:
    """By an earlier version, when no secret was seen, or under the key before."""
    recorded = {
        "slow": slow(TEXT),
        "plain": plain(TEXT),
        "keyed": await of(encryption_key=NEW).make(OP, TEXT),
        "of the key before": await of(encryption_key=OLD).make(OP, TEXT),
    }[form]
    marks = of(encryption_key=NEW, encryption_key_previous=OLD)
    assert await marks.again(OP, TEXT, recorded) == recorded
    assert await marks.again(OP, OTHER_TEXT, recorded) != recorded


async def test_mark_whose_key_is_gone_is_taken_for_the_same() -> None:
    """Nobody can tell any more, and to refuse what was done already would be the greater harm."""
    recorded = await of(encryption_key=OLD).make(OP, TEXT)
    for marks in (of(encryption_key=NEW), KEYLESS):
        assert await marks.again(OP, TEXT, recorded) == recorded
