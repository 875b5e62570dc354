"""The server finds what the plugin finds: one corpus of samples, run through its own copy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from backend.secrets.detect import redact
from backend.secrets.detection import detector
from tests.support import credential_variants, harmless
from tests.support.credentials import credentials
from tests.support.promises import promise
from tools.copy_detector import DETECTOR

SAMPLES = credentials() + credential_variants.variants()
HARMLESS = harmless.HARMLESS + credential_variants.HARMLESS
ROOT = Path(__file__).parents[3]


def test_copy_is_what_the_plugin_has() -> None:
    """After a change of the rules: python tools/copy_detector.py."""
    assert DETECTOR.differences() == []


def test_copy_knows_nothing_of_the_plugin() -> None:
    """It is loaded without the plugin's package being on the path."""
    program = (
        "import sys; sys.path.insert(0, '.'); from backend.secrets.detect import redact; "
        "print(redact('The jenkins password is Tr0ub' + '4dor&3').text); "
        "assert not [name for name in sys.modules if 'claude_memory' in name]"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "The jenkins password is [secret: password]\n"


@promise("secrets.high-recall-and-precision")
@pytest.mark.parametrize("kind", sorted({sample.kind for sample in SAMPLES}))
def test_secret_of_a_kind_is_replaced_and_nothing_else(kind: str) -> None:
    """Exactly the secret gives way to its placeholder, whatever it stands in."""
    for sample in SAMPLES:
        if sample.kind == kind:
            expected = sample.text.replace(sample.secret, f"[secret: {kind}]", 1)
            assert redact(sample.text).text == expected
            assert redact(expected).text == expected


def test_first_look_passes_on_whatever_the_rules_find() -> None:
    """In any case of letters, in pieces, and with invisible signs inside."""
    for sample in SAMPLES:
        text = sample.text
        shapes = (text, text.upper(), text.lower(), text[:40], text[20:], "\u200b".join(text))
        assert [redact(shape) for shape in shapes] == [detector.redact(shape) for shape in shapes]


@promise("secrets.high-recall-and-precision")
def test_harmless_text_stays_as_it_is() -> None:
    """Identifiers, digests, placeholders, references, code and talk about secrets pass."""
    assert [text for text in HARMLESS if redact(text).found] == []


def test_what_was_found_never_shows_the_secret() -> None:
    """A finding names place and kind alone."""
    for sample in SAMPLES:
        assert sample.secret not in repr(redact(sample.text).found)
