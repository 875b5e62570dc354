"""The words of a memory and of a question that PostgreSQL's own parser does not see.

To it `fetchUser` is one word, and so is a whole Chinese sentence. What is missing is written beside
a memory when it is stored, and asked for in the same way when it is recalled.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# Scripts that put no spaces between words: kana, han, hangul (whose particles cling to the word).
CJK = (
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\u1100-\u11ff\uac00-\ud7af"
    "\uf900-\ufaff\U00020000-\U0003134f"
)
MARKS = "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u0670\u0900-\u109f\u1780-\u17ff"
PLAIN = rf"(?:[^\W_]|[{MARKS}])+"
WORD = re.compile(PLAIN)
CJK_RUN = re.compile(f"[{CJK}]+")
NAME = re.compile(rf"{PLAIN}(?:[._\-/:\\@]{{1,3}}{PLAIN})*")
CAMEL = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
LANGUAGE = re.compile(r"(?<!\w)([A-Za-z])(\+\+|#)(?!\w)")
# Where a name of ASCII letters may be cut, or a language ends: else no word is missing. Each branch
# begins with a sign that is rare, so most of a text is skipped at once.
CUT = re.compile(r"[A-Z](?<=[a-z].)|[0-9](?<=[A-Za-z].)|[0-9][A-Za-z]|[A-Z][A-Z][a-z]|[+#]")
LANGUAGES = {"++": "plusplus", "#": "sharp"}
ENDING = re.compile(r"(?<=\w)['\u2019](?:s|t|re|ve|ll|d|m)\b", re.IGNORECASE)
SHORTEST_PART = 2
LONGEST_WORD = 200  # characters; longer ones are no words
READ = 8_000  # characters looked at from each end of a long question
MOST_ASKED, MOST_EXPANDED = 24, 12  # terms
ASKED, ASKED_PART, EXPANDED, EXPANDED_PART = 1.0, 0.5, 0.45, 0.2


def extra_words(content: str, tags: str, expanded_keywords: str) -> str:
    """Return what else a memory is to be found by: parts of names, pairs of CJK characters."""
    text = f"{content}\n{tags}\n{expanded_keywords}"
    if text.isascii() and not CUT.search(text):
        return ""
    found: dict[str, None] = {}
    for token in WORD.findall(text):
        if not token.isascii():
            found.update(dict.fromkeys(_in_other_scripts(token)))
        elif not (token.islower() and token.isalpha()):
            found.update(dict.fromkeys(_camel_parts(token)))
    found.update(dict.fromkeys(_languages(text)))
    return " ".join(word for word in found if len(word) <= LONGEST_WORD)


def terms(context: str, expanded: str) -> dict[str, float]:
    """Return what to look for and how much each is worth, the context's words first."""
    found: dict[str, float] = {}
    _add(found, context, ASKED, ASKED_PART, MOST_ASKED)
    _add(found, expanded, EXPANDED, EXPANDED_PART, len(found) + MOST_EXPANDED)
    return found


def _add(found: dict[str, float], text: str, whole: float, part: float, most: int) -> None:
    if len(text) > 2 * READ:
        text = f"{text[:READ]} {text[-READ:]}"
    plain = ENDING.sub("", unicodedata.normalize("NFKC", text))
    names = [name for name in NAME.findall(plain) if len(name) <= LONGEST_WORD]
    for name in [*_languages(plain), *names]:
        if len(found) >= most:
            return
        for word, is_part in _looked_for(name):
            found.setdefault(word, part if is_part else whole)


def _looked_for(name: str) -> Iterator[tuple[str, bool]]:
    """Yield what one name of a question is looked for by, and whether that is a part of it only."""
    for run in CJK_RUN.findall(name):
        for pair in _asked_pairs(run):
            yield pair, False
    rest = CJK_RUN.sub(" ", name).strip()
    if rest:
        yield rest.lower(), False
    words = WORD.findall(rest)
    for word in words:
        if len(words) > 1:
            yield word.lower(), True
        for piece in _camel_parts(word):
            yield piece, True


def _asked_pairs(run: str) -> list[str]:
    return [run[place : place + 2] for place in range(len(run) - 1)] or [f"{run}*"]


def _pairs(run: str) -> list[str]:
    return [run[place : place + 2] for place in range(len(run))]


def _camel_parts(token: str) -> list[str]:
    """Cut a name in camelCase, or a word with digits at its end, into its words."""
    parts = CAMEL.findall(token)
    if len(parts) < SHORTEST_PART:
        return []
    return [part.lower() for part in parts if len(part) >= SHORTEST_PART and not part.isdigit()]


def _languages(text: str) -> list[str]:
    """Return a word for each name such as C++ or F#, which are one letter to the parser."""
    return [sign[0].lower() + LANGUAGES[sign[1]] for sign in LANGUAGE.findall(text)]


def _in_other_scripts(token: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", token)
    found = [] if plain == token else [plain]
    runs = CJK_RUN.findall(plain)
    for run in runs:
        found += _pairs(run)
    if runs:  # other letters that touch a CJK run are one word with it to the parser
        for rest in WORD.findall(CJK_RUN.sub(" ", plain)):
            found += [rest, *_camel_parts(rest)]
    else:
        found += _camel_parts(plain)
    return found
