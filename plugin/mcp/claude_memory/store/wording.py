"""Tells from how a prompt is worded whether it is about somebody's own work. Hot.

`where do we keep the invoices` can have an answer here, `explain what an invoice is` hardly, even
if both share every word with a memory. Words alone decide little: the floor weighs them.
"""

from __future__ import annotations

import re

from claude_memory.store import words

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


def _said(plain: str) -> set[str]:
    return {word.lower() for word in words.of(plain)[:READ]}
