"""Whether the value that a name or a sentence announces is a secret: one judgement per setting."""

from __future__ import annotations

from claude_memory.redaction import values
from claude_memory.redaction.page import compiled

EMAIL = r"(?a)[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[a-z]{2,8}"
FILE_NAME = (
    r"(?a)[\w./-]+\.(?:json|ya?ml|toml|txt|md|env|pem|key|crt|py|js|ts|go|rs|sh|ini|cfg|conf|kdbx)"
)
OPTION = r"(?i)\w+=(?:(?:true|false|none|null)?$|['\"])|--?[a-z\[]"
NAME_END = r"(?:Key|Token|Secret|Password|Passwd|Passphrase)s?$"
TICKET = r"[A-Z]{2,6}-\d{1,6}"
MEASURE = (
    r"[<>~≥]?\d{1,4}(?:[.,-]\d{1,4})?[+%]?-?[a-z]{0,8}|\d{4}-\d\d-\d\d.*|v\d.*|#\d+|"
    r"0x[0-9a-f]{1,39}|\d+:[\d.]+[+~-]\S*"
)
NUMBERED_NAME = r"[A-Za-z_]+\d{0,2}"
SHORTEST_PASSWORD = 4
SPOKEN_KEY = 10  # characters; one that is assigned may have fewer
LONG_KEY = 24
# A UUID that is only called a token or a secret is an identifier more often than not.
UNSURE_KINDS = frozenset(("token", "secret", "access-token"))
BASE64 = r"(?=.*[A-Z])(?=.*[a-z])(?=.*\d)[A-Za-z0-9+/]{32,}={0,2}"
CODE_LETTERS = 3  # changes between digits and letters that no identifier has


def is_assigned_password(value: str, *, is_quoted: bool, is_alone: bool) -> bool:
    """Tell whether a password is set here; alone means that the line holds nothing else."""
    if _is_no_password(value):
        return False
    if " " in value.strip():
        return is_quoted and _is_spaced_password(value)
    if is_quoted:
        return not (values.is_technical(value) and not values.is_strong(value)) and (
            not _is_name(value)
        )
    if value.isdigit() or values.is_scrambled(value):
        return True
    if values.is_mixed(value):
        return not _is_numbered_name(value) and not values.is_technical(value)
    return is_alone and value.isalpha() and value.islower() and len(value) > SHORTEST_PASSWORD


def is_assigned_key(value: str, kind: str, *, is_quoted: bool) -> bool:
    """Tell whether a key or a token is set here."""
    if _is_no_key(value):
        return False
    if compiled(values.UUID).fullmatch(value.lower()):
        return kind not in UNSURE_KINDS
    return is_quoted or _is_coded(value)


def is_spoken_password(value: str, *, is_quoted: bool, is_last: bool) -> bool:
    """Tell whether a sentence gives a password away; last means that no further word follows."""
    if (
        _is_no_password(value)
        or compiled(EMAIL).fullmatch(value)
        or compiled(FILE_NAME).fullmatch(value)
    ):
        return False
    if compiled(TICKET).fullmatch(value) or compiled(OPTION).match(value):
        return False
    if " " in value.strip():
        return is_quoted and _is_spaced_password(value)
    if value.isdigit():
        return is_last
    if values.is_technical(value) or compiled(MEASURE).fullmatch(value.lower()):
        return False
    if is_quoted:
        return not _is_name(value)
    return (values.is_mixed(value) and not _is_numbered_name(value)) or values.is_scrambled(value)


def is_spoken_key(value: str, kind: str) -> bool:
    """Tell whether a sentence gives a key or a token away."""
    if (
        len(value) < SPOKEN_KEY
        or _is_no_key(value)
        or compiled(FILE_NAME).fullmatch(value)
        or compiled(EMAIL).fullmatch(value)
    ):
        return False
    if compiled(values.UUID).fullmatch(value.lower()):
        return kind not in UNSURE_KINDS
    return _is_coded(value)


def is_named_password(value: str, *, is_quoted: bool) -> bool:
    """Tell whether `password <value>`, with no verb between, gives it away."""
    if _is_no_password(value) or values.is_technical(value) or compiled(EMAIL).fullmatch(value):
        return False
    if " " in value.strip():
        return is_quoted and _is_spaced_password(value)
    if is_quoted:
        return values.is_mixed(value) and not _is_numbered_name(value)
    has_sign = compiled(r"[!#$%^&*@+~]").search(value) is not None
    return values.is_strong(value) and (has_sign or _changes(value) >= 2)


def is_argument(value: str) -> bool:
    """Tell a secret that follows its quoted name from the next word of a list of words."""
    return (
        " " not in value
        and values.is_mixed(value)
        and not compiled(MEASURE).fullmatch(value.lower())
        and (not compiled(r"[a-z]{1,5}\d").fullmatch(value))
    )


def is_pin(value: str) -> bool:
    """Tell whether a value is a personal number: 4 to 8 digits, or digits with one sign."""
    return compiled(r"\d{4,8}[#*]?|\d{2,4}-\d{2,4}").fullmatch(value) is not None


def _is_no_password(value: str) -> bool:
    return (
        len(value) < SHORTEST_PASSWORD
        or values.is_placeholder(value)
        or values.is_stop_word(value)
        or (values.is_reference(value) and not _has_reference_look(value))
    )


def _has_reference_look(value: str) -> bool:
    """Tell `x(k2!pQ9` and `/4pq;Z!` from calls and paths: signs that neither has."""
    return (
        values.is_strong(value)
        and compiled(r"[!#%^&*;?@]").search(value) is not None
        and (compiled(r"\$\{|\{\{|\$\(|://|\[\w+\]|\(.*\)").search(value) is None)
    )


def _is_no_key(value: str) -> bool:
    return (
        not values.is_key(value)
        or values.is_placeholder(value)
        or values.is_sequence(value)
        or compiled(NAME_END).search(value) is not None
        or (values.is_reference(value) and not compiled(BASE64).fullmatch(value))
        or (values.is_technical(value) and not compiled(BASE64).fullmatch(value))
        or compiled(MEASURE).fullmatch(value.lower()) is not None
    )


def _changes(value: str) -> int:
    """Count how often letters and digits follow each other."""
    return len(compiled(r"(?<=\d)[A-Za-z]|(?<=[A-Za-z])\d").findall(value))


def _is_coded(value: str) -> bool:
    """Tell a made key from an identifier or a compound word with a number in it."""
    return (
        _changes(value) >= CODE_LETTERS
        or values.is_scrambled(value)
        or compiled(r"[0-9a-f]{16,}|[0-9A-F]{16,}").fullmatch(value) is not None
        or (len(value) >= LONG_KEY and compiled(r"[-_./]").search(value) is None)
    )


def _is_name(value: str) -> bool:
    """Tell `user_password` and `db.password` from passwords: words joined as names are."""
    pieces = {piece.lower() for piece in compiled(r"[-_./]").split(value)}
    if value.isalpha() and compiled(NAME_END).search(value):
        return True
    return values.is_plain(value) and (
        bool(compiled(r"[_./]").search(value))
        or (len(pieces) > 1 and bool(pieces & (values.STOP_WORDS | values.PLACEHOLDER_PIECES)))
    )


def _is_numbered_name(value: str) -> bool:
    """Tell `password2` and `newPw1` from passwords: a placeholder with a number."""
    name = value.rstrip("0123456789")
    return compiled(NUMBERED_NAME).fullmatch(value) is not None and (
        values.is_placeholder(name)
        or (name[0].islower() and compiled(NAME_END).search(name) is not None)
    )


def _is_spaced_password(value: str) -> bool:
    """Tell a passphrase from a message: plain words that make no sentence, or few with signs."""
    words = value.split()
    lows = {word.lower().strip(".,:;!?'") for word in words}
    if lows & (values.FUNCTION_WORDS | values.STOP_WORDS | {"password", "passwords", "passphrase"}):
        return False
    return values.is_word_phrase(value) or (len(words) <= 4 and values.is_strong(value))
