"""The free, local rule of auto-learn: it finds what may be worth keeping in the user's own words.

It decides whether the judge is asked at all, and extracts by itself where there is no judge.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from claude_memory.learn import cues
from claude_memory.learn.cues_english import CORRECTION, PREFERENCE
from claude_memory.learn.events import CJK, Event, quoted
from claude_memory.store.commonness import STOPS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SHORTEST, LONGEST = 8, 400  # characters of a sentence; a CJK one may have half of the shortest
EXTRACTED = 2  # events from one turn
KEYWORDS = 12
IMPORTANCE = {"correction": 0.7, "preference": 0.6, "decision": 0.7, "fact": 0.5}

FENCE = re.compile(r"```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)", re.DOTALL)
# A quotation of several words is somebody else's sentence.
QUOTATION = re.compile(r"[\"“„«「『][^\"”“»」』\n]{12,}[\"”“»」』]|`[^`\n]{25,}`")
SENTENCE_END = re.compile(r"(?<=[.!?;])[\"')\]]*\s+|(?<=[。\uff01\uff1f\uff1b])|\n+")
QUESTION = ("?", "\uff1f")
BULLET = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s+")
PASTED = re.compile(
    r"^\s*(?:>|\$ |# |#!|//|/\*|\*/|\+\+\+|---|@@|[+-]\s{2,}|at \S+[(:]|File \"|Traceback|"
    r"\[?\d{4}-\d\d-\d\d[ T]\d\d|\[?\d\d:\d\d:\d\d|\[?(?:ERROR|WARN(?:ING)?|INFO|DEBUG|FATAL|TRACE|"
    r"error|warning|info|debug)\]?[: ]|(?:\w+Error|\w+Exception)\b|npm (?:ERR|WARN|notice)|"
    r"E\s{3,}|\S+\.\w{1,4}:\d+|(?:if|for|while)\s*\(|"
    r"(?:import|from|def|class|function|const|let|var|return|public|private|SELECT|INSERT|UPDATE|"
    r"CREATE|FROM) [^.?!,]*[(){};=\[\]])|[{};]\s*$|=>|</?\w+[ >/]"
)
LETTER = re.compile(r"[^\W\d_]")
WORD = re.compile(r"[^\W_]+")
# What is said of something that only this turn shows.
POINTING = STOPS | frozenset(
    "already always correct incorrect like never nope remember right stop told way wrong das est "
    "falsch faux immer jamais nie non nunca richtig sempre siempre toujours".split()
)


@dataclass(frozen=True)
class Cue:
    """A sentence of the user that may hold something durable, and what kind of thing."""

    kind: str
    sentence: str


def find_cues(words: Sequence[str]) -> list[Cue]:
    """Return the sentences that may be worth keeping; none means that the judge is not asked."""
    found = (Cue(kind_of(sentence), sentence) for sentence in sentences(words))
    return [cue for cue in found if cue.kind]


def extract(words: Sequence[str]) -> list[Event]:
    """Make events of the sentences that hold a cue, in the user's own words."""
    said = list(sentences(words))
    found = [Cue(kind_of(sentence), sentence) for sentence in said]
    chosen = [cue for cue in found if cue.kind and _names_something(cue.sentence)][:EXTRACTED]
    rest = [cue.sentence for cue in found if not cue.kind]
    return [_event(cue, rest) for cue in chosen]


def _names_something(sentence: str) -> bool:
    """Tell whether a sentence can be understood without the turn that it was said in."""
    return any(word not in POINTING for word in WORD.findall(plain(sentence)))


def _event(cue: Cue, rest: Sequence[str]) -> Event:
    nearby = dict.fromkeys(re.findall(r"[^\W\d_]{4,}", " ".join(rest).lower()))
    is_wish = cue.kind == CORRECTION and cues.STRONG[PREFERENCE].search(plain(cue.sentence))
    return Event(
        type=PREFERENCE if is_wish else cue.kind,
        content=quoted(cue.sentence),
        importance=IMPORTANCE[cue.kind],
        tags="",
        expanded_keywords=" ".join(list(nearby)[:KEYWORDS]),
        supersedes="",
    )


def kind_of(sentence: str) -> str:
    """Return what a sentence announces (correction, preference, decision, fact), or nothing."""
    text = plain(sentence)
    if len(text) * (2 if CJK.search(text) else 1) < SHORTEST or len(text) > LONGEST:
        return ""
    is_question = text.endswith(QUESTION) or cues.REQUEST.search(text)
    if is_question and not cues.ASKED.search(text):
        return ""
    strong = _first(cues.STRONG, text)
    if strong:
        return strong
    return "" if cues.VETO.search(text) else _first(cues.WEAK, text)


def sentences(words: Sequence[str]) -> Iterator[str]:
    """Give the sentences that the user wrote, without pasted code, logs and quoted lines."""
    for text in words:
        for line in FENCE.sub("\n", text).splitlines():
            if _is_prose(line):
                bare = BULLET.sub("", line).strip()
                yield from (part.strip() for part in SENTENCE_END.split(bare) if part.strip())


def _is_prose(line: str) -> bool:
    if PASTED.search(line):
        return False
    letters = len(LETTER.findall(line))
    readable = letters + sum(sign.isdigit() or sign == " " for sign in line)
    return letters >= len(line) * 0.4 and readable >= len(line) * 0.75


def plain(sentence: str) -> str:
    """Return a sentence as patterns are tried on it: lower case, quotations left out."""
    without = QUOTATION.sub(' "" ', sentence)
    return " ".join(without.lower().replace("’", "'").replace("`", "").split()).rstrip(
        ".!。\uff01 "
    )


def _first(patterns: dict[str, re.Pattern[str]], text: str) -> str:
    return next((kind for kind, pattern in patterns.items() if pattern.search(text)), "")
