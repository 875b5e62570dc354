"""Tells from how a prompt is worded whether it is about somebody's own work. Hot.

`where do we keep the invoices` can have an answer here, `explain what an invoice is` hardly, even
if both share every word with a memory. What single words and the phrases of a prompt have to say
was learned from tens of thousands of prompts by tools/fit_floor.py, and stands in phrases.bin: half
a byte for each place that a phrase can fall on. None of it decides alone: the floor weighs it.
"""

from __future__ import annotations

import math
import os
import re
from functools import lru_cache

from claude_memory.store import commonness, words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "phrases.bin")
PLACES = 262_139  # of phrases, a prime: few of them share one
ZERO = 8  # what half a byte stands for nothing with
SIZE = PLACES // 2 + 1  # of phrases.bin, bytes
NOTHING = bytes([ZERO << 4 | ZERO])
BEGINNING, END = 3, 2  # words of a prompt that are looked at as one phrase as well
SHAPES = (2, 3, 4)  # words that are looked at as one by their kinds
SIGN = re.compile(r"\w+|[^\w\s]")
SIGN_ABROAD = rf"[{words.CJK}]|[^\W{words.CJK}]+|[^\w\s]"  # compiled by its first use
READ = 80  # words of a prompt that are looked at
START = re.compile(r"\s*[\w+#.-]+:\s")  # `python: how do I ...`
FENCE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
NAMES = ("ours", "who", "work", "general", "chore", "headed", "quotes", "asks")
OURS = frozenset(
    "we our us ours team teams colleague colleagues manager employee employees customer customers"
    " client clients user users tester testers player players people somebody someone partner"
    " publisher product security support wir uns unser unsere unserem unseren unserer kunde kunden"
    " kollege kollegen nous notre nos utilisateurs joueurs équipe nosotros nuestra nuestras nuestro"
    " nuestros nós nosso nossa noi nostra nostro wij onze".split()
)
WHO = frozenset("who whom whose wer wem wen qui quién quem chi wie".split())
WORK = frozenset(
    "add build bump change clean commit cover create deploy drop extend fix hook implement let make"
    " migrate move need new open put release rename roll script set ship upgrade use wire ajoute"
    " baue crea füge".split()
)
GENERAL = frozenset(
    "algorithm analogy beginner book called cancelled complexity concept conceptually definition"
    " diff difference differences english equivalent explain explanation french general generally"
    " german grammar haiku history intern japanese joke mean meaning means mother orthographe"
    " phrase poem roughly shortcut spanish spelling synonym synonyms theory translate translation"
    " tutorial typo usually word auf bedeutet englisch erklär erkläre unterschied übersetze"
    " différence dit expliquer explique traduis dice diferencia explica significa traduce".split()
)
POINTING = frozenset(
    "this these above diese diesen dieser dieses ce cet cette ces este esta estos estas questo"
    " questa deze dit denna detta ten tę".split()
)
POINTING_CJK = re.compile("この|这个|这段|이 ")
CHORE = frozenset(
    "array ascii class code comment comments convert dict docstring email example examples format"
    " function here indentation json letter line lines list loop names paragraph pretty random"
    " refactor regex sentence shorter snippet sort sorted string table type variable whitespace"
    " yaml".split()
)


def points(prompt: str) -> bool:
    """Tell whether a prompt points at something that lies before its eyes: `fix this test`."""
    plain = FENCE.sub(" ", prompt)
    return not _said(plain).isdisjoint(POINTING) or POINTING_CJK.search(plain) is not None


def traits(prompt: str) -> tuple[float, ...]:
    """Return what can be told about a prompt, in the order of NAMES."""
    plain = FENCE.sub(" ", prompt)
    said = _said(plain)
    return (
        float(not said.isdisjoint(OURS)),
        float(not said.isdisjoint(WHO)),
        float(not said.isdisjoint(WORK)),
        min(len(said & GENERAL), 2.0),
        float(not said.isdisjoint(CHORE)),
        float(START.match(plain) is not None),
        float('"' in plain),
        float("?" in plain),
    )


def phrases(prompt: str) -> dict[int, float]:
    """Return the places of a prompt's phrases, and what each counts.

    There are three sorts: its words, their pairs, its beginning and end; words with one between
    them, and three in a row; and how it is built, with only a kind for each word that not
    everybody uses. All of a sort together count as the root of how many they are.
    """
    plain = FENCE.sub(" ` ", prompt).lower()
    signs = (SIGN.findall(plain) if plain.isascii() else re.findall(SIGN_ABROAD, plain))[:READ]
    if not signs:
        return {}
    said = ["^", *signs, "$"]
    built = ["^", *map(_kind, signs), "$"]
    near = [*signs, *_runs(said, 2)]
    near += [" ".join(("^^", *signs[:count])) for count in range(1, BEGINNING + 1)]
    near += [" ".join((*signs[-count:], "$$")) for count in range(1, END + 1)]
    far = [*_runs(said, 3), *map(" * ".join, zip(said, said[2:]))]
    shapes = [f"{count} {run}" for count in SHAPES for run in _runs(built, count)]
    found: dict[int, float] = {}
    for sort in (near, far, shapes):
        places = {int.from_bytes(one.encode(errors="replace"), "little") % PLACES for one in sort}
        counts = 1 / math.sqrt(len(places) or 1)
        for place in places:
            found[place] = found.get(place, 0.0) + counts
    return found


def spoken(prompt: str) -> float:
    """Return how far the phrases of a prompt are those of somebody who speaks of own work."""
    weights = _weights()
    halves = (
        ((weights[place >> 1] >> 4 * (place & 1) & 15) - ZERO, counts)
        for place, counts in phrases(prompt).items()
    )
    return sum(weight * counts for weight, counts in halves)


def _runs(signs: Sequence[str], count: int) -> Iterable[str]:
    return map(" ".join, zip(*(signs[start:] for start in range(count))))


def _kind(sign: str) -> str:
    """Return a word that everybody uses as it is, and of any other what kind of word it is."""
    if sign.isdigit():
        return "9"
    if any(map(str.isdigit, sign)) or "_" in sign:
        return "x9"
    if not sign.isalpha() or commonness.is_ordinary(sign) or commonness.is_stop(sign):
        return sign
    return "x"


@lru_cache(maxsize=1)
def _weights() -> bytes:
    """Return what each place says; nothing where that cannot be read."""
    try:
        with open(PATH, "rb") as file:
            return file.read().ljust(SIZE, NOTHING)
    except OSError:
        return NOTHING * SIZE


def _said(plain: str) -> set[str]:
    return {word.lower() for word in words.of(plain)[:READ]}
