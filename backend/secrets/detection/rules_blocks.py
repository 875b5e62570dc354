# Generated from plugin/mcp/claude_memory/redaction/rules_blocks.py by tools/copy_detector.py: change that, not this.
"""Secrets of many lines or many words: private keys, seed phrases, card numbers."""

from __future__ import annotations

from backend.secrets.detection import values
from backend.secrets.detection.page import Found, compiled, places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from backend.secrets.detection.page import Page

BLOCK_LIMIT = 100_000  # characters from BEGIN to END
SEED_LENGTHS = (24, 21, 18, 15, 12)
SEED_NAMES = (
    "seed", "recovery phrase", "recovery words", "mnemonic", "backup phrase", "bip39", "bip-39",
    "wiederherstellungsphrase", "phrase de récupération",
    "frase de recuperación", "frase semilla", "frase semente", "frase di recupero", "助记词",
    "シードフレーズ", "リカバリーフレーズ",
)  # fmt: skip
CARD_NAMES = (
    "card", "visa", "mastercard", "amex", "american express", "kreditkarte", "carte bancaire",
    "carte bleue", "tarjeta", "cartão", "carta di credito", "信用卡", "カード",
)  # fmt: skip
# The processors' published test numbers.
TEST_CARDS = frozenset(
    """
    4242424242424242 4111111111111111 4012888888881881 4000056655665556 5555555555554444
    5105105105105100 2223003122003222 5200828282828210 378282246310005 371449635398431
    6011111111111117 6011000990139424 3056930009020004 3566002020360505 4000000000000002
    4000002500003155 4000000000009995 4222222222222 30569309025904 38520000023237
    """.split()
)


def find(page: Page) -> Iterator[Found]:
    """Give every private key, seed phrase and card number."""
    if "PRIVATE" in page.text:
        yield from _private_keys(page.text)
    if "private-lines" in page.lower:
        yield from _putty_keys(page)
    yield from _seed_phrases(page)
    yield from _cards(page)


BEGIN = r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
END = r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
KEY_LINES = (
    r"(?:(?:\\[nr]|[\s\"'+,\\|>#*]){0,40}"
    r"(?:[A-Za-z-]{4,20}: [^\n\\]{0,100}|[A-Za-z0-9+/=]{16,4000}))*"
)


def _private_keys(text: str) -> Iterator[Found]:
    """Take a block whole; one whose end is missing goes on as long as its lines look like a key."""
    ends = [match.end() for match in compiled(END).finditer(text)]
    done = 0
    next_end = 0
    for begin in compiled(BEGIN).finditer(text):
        if begin.start() < done:
            continue
        while next_end < len(ends) and ends[next_end] < begin.end():
            next_end += 1
        end = ends[next_end] if next_end < len(ends) else -1
        if end < 0 or end - begin.start() > BLOCK_LIMIT:
            end = compiled(KEY_LINES).match(text, begin.end()).end()  # type: ignore[union-attr]
        body = text[begin.end() : end]
        if _holds_key(body):
            done = end
            yield Found(begin.start(), end, "private-key")


def _holds_key(body: str) -> bool:
    """Tell key material from a sentence about the format, or from dots in its place."""
    lines = compiled(r"[A-Za-z0-9+/=]{16,}").findall(body[:8000])
    return any(
        values.is_random(line) and not values.is_placeholder(line) and "private" not in line.lower()
        for line in lines
    )


PUTTY = (
    r"(?i:private-lines): ?\d{1,3}\s{1,4}"
    r"([A-Za-z0-9+/=]{16,80}(?:\s{1,3}[A-Za-z0-9+/=]{4,80}(?![A-Za-z0-9+/=:-]))*)"
)


def _putty_keys(page: Page) -> Iterator[Found]:
    for at in places(page.lower, "private-lines:"):
        match = compiled(PUTTY).match(page.text, at)
        if match:
            yield Found(match.start(1), match.end(1), "private-key")


SEED_LEAD = (
    r"[^\n]{0,60}?(?:[:=：]|\b(?:is|are|ist|lautet|est|es|é|è)\b|是|は)[ \t]{0,2}[:：]?"
    r"\s{0,6}[\"'`“「\[(]{0,3}"
)
SEED_WORD = r"(?:\d{1,2}[.):]\s?)?([a-z]{3,8})(?![a-zà-ÿ0-9'’])"
SEED_NEXT = r"[\s,|]{1,4}"


def _seed_phrases(page: Page) -> Iterator[Found]:
    for name in SEED_NAMES:
        for at in places(page.lower, name):
            lead = compiled(SEED_LEAD).match(page.lower, at + len(name))
            ends = _seed_word_ends(page.lower, lead.end()) if lead else []
            length = next((size for size in SEED_LENGTHS if len(ends) >= size), 0)
            if lead and length:
                yield Found(lead.end(), ends[length - 1], "seed-phrase")


def _seed_word_ends(lower: str, start: int) -> list[int]:
    """Return where each of up to 24 words of a list, not of a sentence, ends."""
    ends: list[int] = []
    at = start
    word = compiled(SEED_WORD).match(lower, at)
    while word and len(ends) < SEED_LENGTHS[0] and word.group(1) not in values.FUNCTION_WORDS:
        ends.append(word.end())
        gap = compiled(SEED_NEXT).match(lower, word.end())
        word = compiled(SEED_WORD).match(lower, gap.end()) if gap else None
    return ends


CARD = r"(?<![\d.-])[2-6](?:[ -]?\d){12,18}(?![\d-])"
CARD_REACH = 60  # characters between the word "card" and the number


def _cards(page: Page) -> Iterator[Found]:
    if not any(name in page.lower for name in CARD_NAMES):
        return
    for match in compiled(CARD).finditer(page.text):
        digits = "".join(char for char in match.group() if char.isdigit())
        before = page.lower[max(0, match.start() - CARD_REACH) : match.start()]
        named = any(name in before for name in CARD_NAMES)
        if named and digits.isascii() and _is_luhn(digits) and digits not in TEST_CARDS:
            yield Found(match.start(), match.end(), "card-number")


def _is_luhn(digits: str) -> bool:
    """Check the sum that every card number carries (ISO/IEC 7812-1, annex B)."""
    doubled = (int(digit) * 2 for digit in digits[-2::-2])
    total = sum(map(int, digits[-1::-2])) + sum(number - 9 * (number > 9) for number in doubled)
    return total % 10 == 0
