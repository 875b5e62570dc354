# Generated from plugin/mcp/claude_memory/redaction/detector.py by tools/copy_detector.py: change that, not this.
"""Finds credentials in text and puts placeholders in their place, before anything is written.

Every rule is announced by a literal: a token's own prefix, a name, a noun. How random a text looks
is never a reason by itself. The rules live in rules_*.py; this module runs them and settles what
they report.
"""

from __future__ import annotations

import re
from collections import namedtuple

from backend.secrets.detection import (
    rules_addresses,
    rules_assignments,
    rules_blocks,
    rules_commands,
    rules_names,
    rules_prose,
    rules_shapes,
    rules_tokens,
)
from backend.secrets.detection.page import MASK, Found, open_page

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import NamedTuple

    from backend.secrets.detection.page import Page

    class Redacted(NamedTuple):
        """A text without its secrets, and where in the original they stood."""

        text: str
        found: tuple[Found, ...]

else:
    Redacted = namedtuple("Redacted", "text found")

__all__ = ["Found", "Redacted", "find", "redact"]

PLACEHOLDER = re.compile(r"\[secret: [a-z0-9-]{1,40}\]")
# Zero-width signs and soft hyphens, which copying out of a web page leaves inside a token.
INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]")
# What one look leaves covered by something else, the next sees; more than this never helped.
LOOKS = 4


def find(text: str) -> tuple[Found, ...]:
    """Return every secret in a text, in order and without overlaps."""
    if not text:
        return ()
    clean, offsets = _without_invisible(text)
    covered = PLACEHOLDER.sub(lambda match: MASK * len(match.group()), clean)
    found: list[Found] = []
    for _ in range(LOOKS):
        more = _settle(reports(open_page(covered)), covered)
        if not more:
            break
        found += more
        covered = _replaced(covered, more, lambda one: MASK * (one.end - one.start))
    found.sort()
    if offsets:
        found = [Found(offsets[a], offsets[b - 1] + 1, kind) for a, b, kind in found]
    return tuple(found)


def redact(text: str) -> Redacted:
    """Put `[secret: <kind>]` in the place of each secret; done twice it changes nothing more."""
    found = find(text)
    return Redacted(_replaced(text, found, lambda one: f"[secret: {one.kind}]"), found)


def _replaced(text: str, found: Sequence[Found], by: Callable[[Found], str]) -> str:
    pieces: list[str] = []
    at = 0
    for one in found:
        pieces += (text[at : one.start], by(one))
        at = one.end
    return "".join((*pieces, text[at:]))


def _without_invisible(text: str) -> tuple[str, list[int]]:
    """Return the text without invisible signs and, if there were any, where each rest stood."""
    if text.isascii() or not INVISIBLE.search(text):
        return text, []
    offsets = [at for at, char in enumerate(text) if not INVISIBLE.match(char)]
    return "".join(text[at] for at in offsets), offsets


def reports(page: Page) -> Iterator[Found]:
    """Give what each rule sees, the surest rules first."""
    yield from rules_tokens.find(page)
    yield from rules_shapes.find(page)
    yield from rules_blocks.find(page)
    yield from rules_addresses.find(page)
    yield from rules_commands.find(page)
    for name in rules_names.names(page):
        assigned = tuple(rules_assignments.find(page, name))
        yield from assigned or rules_prose.find(page, name)
    yield from rules_prose.find_logins(page)


def _settle(reports: Iterable[Found], covered: str) -> list[Found]:
    """Join reports that overlap, under the kind of the surest, and drop what is covered already."""
    ranked = [(found, rank) for rank, found in enumerate(reports)]
    settled: list[tuple[Found, int]] = []
    for found, rank in sorted(ranked):
        if found.start >= found.end or MASK in covered[found.start : found.end]:
            continue
        if settled and found.start < settled[-1][0].end:
            last, last_rank = settled.pop()
            kind = last.kind if last_rank < rank else found.kind
            joined = Found(last.start, max(last.end, found.end), kind)
            settled.append((joined, min(rank, last_rank)))
        else:
            settled.append((found, rank))
    return [found for found, _ in settled]
