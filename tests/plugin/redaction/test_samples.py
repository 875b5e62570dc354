"""Every labelled credential is found in every shape, and harmless text is left alone."""

from __future__ import annotations

import pytest
from claude_memory.redaction.detector import redact

from tests.support import credential_variants, harmless
from tests.support.credentials import Sample, credentials

SAMPLES = credentials() + credential_variants.variants()
HARMLESS = harmless.HARMLESS + credential_variants.HARMLESS
KINDS = sorted({sample.kind for sample in SAMPLES})


@pytest.mark.parametrize("kind", KINDS)
def test_secret_of_a_kind_is_replaced_and_nothing_else(kind: str) -> None:
    """Exactly the secret gives way to its placeholder, whatever it stands in."""
    for sample in SAMPLES:
        if sample.kind == kind:
            expected = sample.text.replace(sample.secret, f"[secret: {kind}]", 1)
            assert redact(sample.text).text == expected


def test_samples_are_as_many_and_as_varied_as_promised() -> None:
    """The corpus cannot shrink unseen: its size is what the figures rest on."""
    credential_kinds = {sample.kind for sample in credentials()}

    assert len(credential_kinds) >= 90
    assert len(SAMPLES) >= 550
    assert len(HARMLESS) >= 500
    assert len(set(HARMLESS)) == len(HARMLESS)
    assert all(sample.text.count(sample.secret) == 1 for sample in SAMPLES)


@pytest.mark.parametrize("text", HARMLESS)
def test_harmless_text_stays_as_it_is(text: str) -> None:
    """Identifiers, digests, placeholders, references, code and talk about secrets pass."""
    assert redact(text).text == text


@pytest.mark.parametrize("text", HARMLESS[::7])
def test_secret_beside_harmless_text_is_still_found(text: str) -> None:
    """A harmless neighbour neither hides a secret nor is taken with it."""
    secret = "Tr0ub" + "4dor&3"
    around = f"{text}\n\nThe jenkins password is {secret}\n"

    assert redact(around).text == f"{text}\n\nThe jenkins password is [secret: password]\n"


@pytest.mark.parametrize("sample", SAMPLES[::9], ids=lambda sample: sample.kind)
def test_secret_inside_a_longer_memory_is_found(sample: Sample) -> None:
    """Neither the text before nor the text after changes what is found."""
    before = "We met on Tuesday and chose PostgreSQL 16 for the catalogue.\n\n"
    after = "\n\nNext step: ask the platform team for a quota of 40 GiB."

    redacted = redact(before + sample.text + after)

    assert sample.secret not in redacted.text
    assert redacted.text.startswith(before)
    assert redacted.text.endswith(after)
