"""Redaction replaces secrets, and only them, on any text, twice over, in linear time."""

from __future__ import annotations

import math
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from claude_memory.redaction.detector import Found, find, redact

from tests.support import credential_variants, harmless
from tests.support.credentials import TOKENS, body, credentials, pem, token

SAMPLES = credentials() + credential_variants.variants()
GITHUB = "gh" + "p_" + body("alnum", 36, "github")
PASSWORD = "hunt" + "er2-Blue!"
MCP = Path(__file__).resolve().parents[3] / "plugin" / "mcp"


def test_placeholder_names_the_kind_and_keeps_the_sentence() -> None:
    """Only the value goes; quotes, user, host and full stop stay."""
    assert redact(f"the staging password is {PASSWORD}").text == (
        "the staging password is [secret: password]"
    )
    assert redact(f"postgres://app:{PASSWORD}@db:5432/shop").text == (
        "postgres://app:[secret: database-url]@db:5432/shop"
    )
    assert redact(f'password = "{PASSWORD}"  # staging').text == (
        'password = "[secret: password]"  # staging'
    )


def test_private_key_goes_as_a_whole_block() -> None:
    """No line of a key stays behind, nor its header."""
    text = f"before\n{pem('OPENSSH ')}\nafter"

    assert redact(text).text == "before\n[secret: private-key]\nafter"


def test_several_secrets_are_found_in_order_and_apart() -> None:
    """Each is reported once, with places in the original text."""
    text = f"Use {GITHUB} there; the password is {PASSWORD}\nand pin is 48{21}."

    found = find(text)

    assert [one.kind for one in found] == ["github-token", "password", "pin"]
    assert [text[one.start : one.end] for one in found] == [GITHUB, PASSWORD, "4821"]
    assert redact(text).found == found


def test_report_does_not_hold_the_secret() -> None:
    """What is logged or shown of a report can give nothing away."""
    [found] = find(f"the password is {PASSWORD}")

    assert found == Found(16, 16 + len(PASSWORD), "password")
    assert PASSWORD not in repr(found)


def test_overlapping_rules_leave_nothing_uncovered() -> None:
    """A token inside a longer secret is not the only part that goes."""
    redacted = redact(f"https://bot:{GITHUB}@git.acme.dev and Authorization: Bearer {GITHUB}")

    assert GITHUB[-8:] not in redacted.text
    assert [one.kind for one in redacted.found] == ["github-token", "github-token"]


def test_redacting_twice_changes_nothing_more() -> None:
    """A placeholder is never taken for a secret, whatever stands around it."""
    for sample in SAMPLES:
        once = redact(sample.text).text
        assert redact(once) == (once, ())


@pytest.mark.parametrize("text", ["", " ", "\n", "\x00", "\x1a", "\ud800", "[secret: ", "İ" * 9])
def test_text_without_secrets_is_returned_as_it_was(text: str) -> None:
    """Empty, broken and odd texts are no reason to fail."""
    assert redact(text) == (text, ())


def test_invisible_characters_do_not_hide_a_secret() -> None:
    """Zero-width signs inside a token go with it; those elsewhere stay."""
    broken = GITHUB[:9] + "\u200b" + GITHUB[9:20] + "\ufeff" + GITHUB[20:]

    assert redact(f"a\u200bb {broken} c").text == "a\u200bb [secret: github-token] c"


def test_token_cut_by_a_line_end_goes_whole() -> None:
    """Wrapped tokens are joined; the next line's words stay."""
    key = "sk-" + "ant-api03-" + body("word", 93, "wrapped") + "AA"
    text = f"key: {key[:50]}\n  {key[50:]}\nsecond line\n"

    assert redact(text).text == "key: [secret: anthropic-key]\nsecond line\n"
    assert redact(f"{GITHUB}\nsecond line 2").text == "[secret: github-token]\nsecond line 2"


def test_token_next_to_escapes_is_found() -> None:
    r"""The n of `\n` and the D of `%3D` are no part of a word."""
    assert redact(f"a\\n{GITHUB}\\nb").text == "a\\n[secret: github-token]\\nb"
    assert redact(f"token%3D{GITHUB}").text == "token%3D[secret: github-token]"


def test_letters_before_a_prefix_make_it_no_token() -> None:
    """A prefix inside a longer word is no prefix."""
    assert find(f"x{GITHUB}") == ()


def test_randomness_alone_is_no_reason() -> None:
    """Drawn strings of every alphabet pass when nothing announces a secret."""
    for alphabet in ("alnum", "hex", "upper", "lower", "base64", "letters"):
        for length in (16, 20, 24, 32, 36, 40, 48, 64, 88, 128):
            text = f"build {body(alphabet, length, f'plain {length}')} of Tuesday"
            assert redact(text).text == text


@pytest.mark.parametrize("seed", range(40))
def test_any_text_is_redacted_without_failure_and_kept_outside(seed: int) -> None:
    """Random mixtures of secrets, harmless text and any Unicode: spans fit, the rest is kept."""
    chance = random.Random(seed)  # noqa: S311  (a failure must repeat)
    for _ in range(6):
        text = "".join(_piece(chance) for _ in range(chance.randrange(1, 12)))
        redacted = redact(text)
        rest, at = [], 0
        for start, end, kind in redacted.found:
            assert at <= start < end <= len(text)
            rest += [text[at:start], f"[secret: {kind}]"]
            at = end
        assert redacted.text == "".join(rest) + text[at:]
        assert redact(redacted.text).text == redacted.text


def _piece(chance: random.Random) -> str:
    turn = chance.randrange(5)
    if turn == 0:
        return chance.choice(SAMPLES).text
    if turn == 1:
        return chance.choice(harmless.HARMLESS)
    if turn == 2:
        cut = chance.choice(SAMPLES).text
        return cut[chance.randrange(len(cut)) :]
    if turn == 3:
        return "".join(chr(chance.randrange(0x110000)) for _ in range(chance.randrange(30)))
    return "".join(chance.choice(" \n\t\"'`:=@/.,{}[]()\x00\u200b\ud800İß密") for _ in range(9))


# A busy machine only ever adds to what a text costs, and to what lasts as long about as much: the
# least of these is the nearest to it.
MEASUREMENTS = 8
ATTACKS = (
    "password ", "password is ", "the password for the ", "token=", "pass=", "secret: ", "api_key_",
    "密码", "パスワードは", "eyJ", "eyJa.", "eyJ-", "sk-ant-", "glpat-", "AKIA", "://a:", "://a:b@",
    "-----BEGIN RSA PRIVATE KEY-----", "-----BEGIN RSA PRIVATE KEY-----\n" + "A1b" * 20 + "\n",
    "seed: abandon ", "card 4111 ", "curl -u a:", "mysql -p", "login: a/", "bearer ", ".", "==",
    "'", '"', "\\\n", "\u200b", "[secret: ", "[secret: x]", "x password y as ", "a", " ", "A1" * 40,
    "private-lines: 1\n" + "A1b" * 20 + "\n", 'password="', "<password>", "identified by ", "_",
    "-",
)  # fmt: skip


@pytest.mark.once
@pytest.mark.parametrize("attack", ATTACKS)
def test_time_grows_no_faster_than_the_text(attack: str) -> None:
    """A text costs about as much time as its eight pieces together, not eight times as much."""
    text = (attack * (64_000 // len(attack) + 1))[:64_000]
    eight = [text[at : at + 8_000] for at in range(0, 64_000, 8_000)]
    whole = pieces = math.inf
    for _ in range(MEASUREMENTS):
        whole = min(whole, _seconds([text]))
        pieces = min(pieces, _seconds(eight))
        if whole < 3 * pieces + 0.01:
            break

    assert whole < 3 * pieces + 0.01


def _seconds(texts: list[str]) -> float:
    before = time.thread_time()
    for text in texts:
        find(text)
    return time.thread_time() - before


@pytest.mark.once
def test_megabyte_of_broken_keys_is_read_to_its_end() -> None:
    """The secret behind a megabyte of beginnings is still found."""
    text = "-----BEGIN EC PRIVATE KEY-----\n" * 30_000 + f"token: {GITHUB}"

    assert [one.kind for one in find(text)] == ["github-token"]


def test_every_token_of_the_table_is_told_from_a_drawn_line() -> None:
    """The same shapes filled with one letter are placeholders."""
    for number, (kind, recipe) in enumerate(TOKENS):
        drawn = token(recipe, f"{kind}{number}")
        tail = drawn[len(drawn) // 2 :]
        assert find(f"use {drawn.replace(tail, 'x' * len(tail))} here") == ()


def test_detector_loads_only_what_a_hook_may_load() -> None:
    """Hooks redact: each further module would slow every prompt."""
    code = (
        "import sys; before = set(sys.modules); import re, collections, functools;"
        "free = set(sys.modules); from claude_memory.redaction import detector;"
        "print(sorted(name for name in set(sys.modules) - free if 'claude_memory' not in name))"
    )
    answer = subprocess.run(
        [sys.executable, "-S", "-E", "-c", f"import sys; sys.path.insert(0, {str(MCP)!r}); {code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.strip() in {"[]", "['__future__']"}
