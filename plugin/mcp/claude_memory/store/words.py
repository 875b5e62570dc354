"""Finds the words in a text that the full-text tokenizer does not see by itself. Hot.

The index cuts at everything that is no letter or digit: `fetch_user` is two words to it, but
`fetchUser` is one, and so is a whole Chinese sentence. What is missing is written beside a
memory when it is stored (`extra_words`), and asked for in the same way when it is recalled.
"""

from __future__ import annotations

import re
import unicodedata

# Scripts that put no spaces between words: kana, han, hangul (whose particles cling to the word).
CJK = (  # in order: the first one is the lowest
    "\u1100-\u11ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
    "\uf900-\ufaff\U00020000-\U0003134f"
)
# Signs that belong to the letter before them: accents, and vowels of scripts from India to Siam.
MARKS = "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u0670\u0900-\u109f\u1780-\u17ff"
PLAIN = rf"(?:[^\W_]|[{MARKS}])+"
WORD = re.compile(PLAIN)
ASCII_WORD = re.compile(r"[0-9A-Za-z]+")  # the same in ASCII, in a fifth of the time
CJK_RUN = f"[{CJK}]+"  # compiled by its first use: that costs more than the work of a hook's words
# Where a name such as `parseHTTPResponse2` or `python3` is cut.
CAMEL = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
LANGUAGE = re.compile(r"(?<!\w)([A-Za-z])(\+\+|#)(?!\w)")
LANGUAGES = {"++": "plusplus", "#": "sharp"}
SHORTEST_PART = 2


def of(text: str) -> list[str]:
    """Return the words of a text, in their order."""
    return (ASCII_WORD if text.isascii() else WORD).findall(text)


def extra_words(content: str, tags: str, expanded_keywords: str) -> str:
    """Return what else a memory is to be found by: parts of names, pairs of CJK characters."""
    text = f"{content}\n{tags}\n{expanded_keywords}"
    found: dict[str, None] = {}
    for token in of(text):
        if not token.isascii():
            found.update(dict.fromkeys(_in_other_scripts(token)))
        elif not (token.islower() and token.isalpha()):
            found.update(dict.fromkeys(camel_parts(token)))
    found.update(dict.fromkeys(languages(text)))
    return " ".join(found)


def camel_parts(token: str) -> list[str]:
    """Cut a name in camelCase, or a word with digits at its end, into its words."""
    parts = CAMEL.findall(token)
    if len(parts) < SHORTEST_PART:
        return []
    return [part.lower() for part in parts if len(part) >= SHORTEST_PART and not part.isdigit()]


def languages(text: str) -> list[str]:
    """Return a word for each name such as C++ or F#, which are one letter to the index."""
    return [sign[0].lower() + LANGUAGES[sign[1]] for sign in LANGUAGE.findall(text)]


def pairs(run: str) -> list[str]:
    """Return each two neighbouring characters of a CJK run, and its last one alone.

    Every character thus begins an entry of the index, so that a prefix finds single ones.
    """
    return [run[place : place + 2] for place in range(len(run))]


def cjk_runs(text: str) -> list[str]:
    """Return the stretches of a text that are written without spaces."""
    if text.isascii() or max(text) < CJK[0]:
        return []
    return re.findall(CJK_RUN, text)


def without_cjk(text: str) -> str:
    """Return a text with a space in the place of each CJK run."""
    return re.sub(CJK_RUN, " ", text)


def folded(text: str) -> str:
    """Write a text in the characters that people type: no full-width letters, composed accents."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def _in_other_scripts(token: str) -> list[str]:
    plain = folded(token)
    found = [] if plain == token else [plain]
    runs = cjk_runs(plain)
    for run in runs:
        found += pairs(run)
    if runs:  # other letters that touch a CJK run are one word with it to the index
        for rest in of(without_cjk(plain)):
            found += [rest, *camel_parts(rest)]
    else:
        found += camel_parts(plain)
    return found
