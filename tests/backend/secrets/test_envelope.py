"""Only an envelope that is exactly right is read."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.errors import SecretLost
from backend.secrets.envelope import Envelope, bound, parse
from backend.secrets.wrapping import Wrapped

KEY_IDS = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=255)
ENVELOPES = st.builds(
    Envelope,
    keeper=st.sampled_from(["aes", "vault", "kms"]),
    wrapped=st.builds(Wrapped, key_id=KEY_IDS, data=st.binary(max_size=600)),
    nonce=st.binary(min_size=12, max_size=12),
    body=st.binary(min_size=16, max_size=200),
)


@given(ENVELOPES)
def test_what_was_packed_is_read_again(envelope: Envelope) -> None:
    """Every field comes back, whatever its length."""
    assert parse(envelope.pack()) == envelope


@given(ENVELOPES, st.binary(min_size=1, max_size=4))
def test_longer_or_shorter_is_refused(envelope: Envelope, more: bytes) -> None:
    """One byte too many or too few, at either end, and nothing is read."""
    blob = envelope.pack()
    for wrong in (blob + more, blob[: -len(more)]):
        with pytest.raises(SecretLost):
            parse(wrong)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(blob: bytes) -> None:
    """Nothing but SecretLost comes out, and what is read says the same when packed."""
    try:
        envelope = parse(blob)
    except SecretLost:
        return
    assert envelope.pack() == blob


@pytest.mark.parametrize(
    "head",
    ["00 01", "02 01", "ff 01", "01 00", "01 04", "01 ff"],
    ids=["no version", "a later one", "the last", "no keeper", "an unknown one", "the last keeper"],
)
def test_unknown_version_or_keeper_is_refused(head: str) -> None:
    """What a later server wrote is not guessed at."""
    rest = bytes.fromhex("00 0000 00000000") + bytes(12 + 16)
    assert parse(bytes.fromhex("01 01") + rest).keeper == "aes"
    with pytest.raises(SecretLost, match="later version"):
        parse(bytes.fromhex(head) + rest)


@pytest.mark.parametrize("key_id", [b"\xff\xfe", b"a\nb", b"\x00", b"\x1b[2J"])
def test_key_id_that_could_upset_a_log_is_refused(key_id: bytes) -> None:
    """Key ids are printed: they hold printable ASCII."""
    head = bytes.fromhex("01 01") + bytes([len(key_id)]) + bytes.fromhex("0000 00000000")
    with pytest.raises(SecretLost):
        parse(head + key_id + bytes(12 + 16))


def test_what_the_tag_covers_is_unambiguous() -> None:
    """Account and uid changed places make other bytes, and the format's version is in them."""
    one, two = UUID(int=1), UUID(int=2)
    assert bound(one, two) == b"claude-memory secret 1 " + one.bytes + two.bytes
    assert bound(one, two) != bound(two, one)
