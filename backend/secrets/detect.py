"""Finds secrets in what is about to be written, by the plugin's rules (see detection/).

Each rule begins by looking for a literal, and most texts hold none of them: one pattern of all
literals answers for those texts, many times faster than rule by rule. It is pydantic's engine that
looks, which reads a text once however many literals there are; Python's tries one after the other.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import groupby

from pydantic_core import SchemaValidator, core_schema

from backend.secrets.detection import detector
from backend.secrets.detection.detector import INVISIBLE, Redacted
from backend.secrets.detection.page import Page

__all__ = ["Redacted", "may_hold", "redact"]

# Literals that stand in nearly every text, and no more than their rules want to follow.
TAILS = {".": r"\S{6}\.", "s.": r"[a-z0-9]{4}"}
UNREADABLE = re.compile("[\ud800-\udfff]")  # to the engine, which takes only what is text


def redact(text: str) -> Redacted:
    """Put `[secret: <kind>]` in the place of each secret; done twice it changes nothing more."""
    return detector.redact(text) if may_hold(text) else Redacted(text, ())


def may_hold(text: str) -> bool:
    """Tell whether any rule would get beyond its first look, at one text or at several lines."""
    visible = text if text.isascii() else INVISIBLE.sub("", text)
    if _first_look().isinstance_python(visible.lower()):
        return True
    return not visible.isascii() and UNREADABLE.search(visible) is not None


@cache
def _first_look() -> SchemaValidator:
    """Let the rules look at a text that holds nothing: what they ask it for are the literals."""
    nothing = _Nothing()
    found = tuple(detector.reports(Page(nothing, nothing)))
    assert not found  # noqa: S101  (a rule that reports without a literal would be lost)
    words = {word.lower() for word in nothing.asked}
    needed = [one for one in words if not any(other in one for other in words - {one, *TAILS})]
    pattern = _pattern(sorted(needed))
    return SchemaValidator(core_schema.str_schema(pattern=pattern, regex_engine="rust-regex"))


class _Nothing(str):
    """An empty text that remembers what it was asked for."""

    __slots__ = ("asked",)
    asked: set[str]

    def __init__(self) -> None:
        self.asked = set()

    def __contains__(self, word: str) -> bool:  # type: ignore[override]
        self.asked.add(word)
        return False


def _pattern(words: list[str], before: str = "") -> str:
    """Write sorted words as one pattern that reads common beginnings once."""
    branches = [
        re.escape(first) + _pattern([word[1:] for word in group], before + first)
        if first
        else TAILS.get(before, "")
        for first, group in groupby(words, key=lambda word: word[:1])
    ]
    return branches[0] if len(branches) == 1 else f"(?:{'|'.join(branches)})"
