"""Turns what somebody asks into the terms that the full-text index is asked for. Hot."""

from __future__ import annotations

import re
from collections import Counter, namedtuple

from claude_memory.store import commonness, words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import NamedTuple

    class Term(NamedTuple):
        """One thing to look for.

        `match` is an FTS5 expression; `parts` are looked for where nothing matches it;
        `asked` tells words of the context from those of the expanded query.
        """

        text: str
        match: str
        parts: tuple[str, ...]
        asked: bool

else:
    Term = namedtuple("Term", "text match parts asked")

MOST = 40  # terms that are looked up at all
READ = 8_000  # characters looked at from each end of a long text
NAME = re.compile(rf"{words.PLAIN}(?:[._\-/:\\@]{{1,3}}{words.PLAIN})*")
ENDING = re.compile(r"(?<=\w)['\u2019](?:s|t|re|ve|ll|d|m)\b", re.IGNORECASE)
VERSION = re.compile(r"v?(\d+(?:\.\d+)+)")


def terms(context: str, expanded: str) -> list[Term]:
    """Return what to look for: the context's terms first, each once, without stop words."""
    asked = _chosen(context, asked=True)
    if not expanded:
        return asked
    known = {term.match for term in asked}
    return asked + [term for term in _chosen(expanded, asked=False) if term.match not in known]


def of_words(texts: Iterable[str], *, asked: bool) -> list[Term]:
    """Return the terms of single words, stop words left out."""
    return [
        term for text in texts if not commonness.is_stop(text) for term in _of_word(text, asked)
    ]


def _chosen(text: str, *, asked: bool) -> list[Term]:
    if len(text) > 2 * READ:
        text = text[:READ] + " " + text[-READ:]
    plain = ENDING.sub("", words.folded(text))
    counts = Counter(words.languages(plain))
    counts.update(NAME.findall(plain))
    found: dict[str, Term] = {}
    seen: Counter[str] = Counter()
    for name, count in counts.items():
        for term in _of_name(name, asked=asked):
            found.setdefault(term.match, term)
            seen[term.match] += count
    kept = [term for term in found.values() if not commonness.is_stop(term.text)]
    return _most_telling(kept or list(found.values()), seen)


def _most_telling(found: list[Term], seen: Counter[str]) -> list[Term]:
    """Keep the terms that are likely rare, said often, or near either end of a long text."""
    if len(found) <= MOST:
        return found
    middle = len(found) / 2

    def weight(place: int) -> tuple[float, float]:
        term = found[place]
        share = commonness.share(term.text)
        return share / min(seen[term.match], 3), -abs(place - middle)

    return [found[place] for place in sorted(sorted(range(len(found)), key=weight)[:MOST])]


def _of_name(name: str, *, asked: bool) -> list[Term]:
    parts = words.of(name.lower())
    if len(parts) == 1 or words.cjk_runs(name):
        return [term for part in words.of(name) for term in _of_word(part, asked)]
    version = VERSION.fullmatch(name.lower())
    if version:
        bare = version[1].replace(".", " ")
        return [Term(name.lower(), f'"{bare}" OR "v{bare}"', (), asked)]
    return [Term(name.lower(), f'"{" ".join(parts)}"', tuple(parts), asked)]


def _of_word(word: str, asked: bool) -> list[Term]:  # noqa: FBT001
    runs = words.cjk_runs(word)
    if runs:
        rest = words.of(words.without_cjk(word))
        return [_of_pair(pair, asked) for run in runs for pair in _pairs(run)] + [
            term for other in rest for term in _of_word(other, asked)
        ]
    text = word.lower()
    return [Term(text, f'"{text}"', tuple(words.camel_parts(word)), asked)]


def _of_pair(pair: str, asked: bool) -> Term:  # noqa: FBT001
    return Term(pair, f'"{pair}"' if len(pair) > 1 else f'"{pair}"*', (), asked)


def _pairs(run: str) -> list[str]:
    found = words.pairs(run)
    return found[:-1] or found
