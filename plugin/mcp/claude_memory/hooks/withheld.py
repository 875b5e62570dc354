"""Whether a person asks not to keep what was said, or to forget something. Hot.

What is no such request, for all that it has the same words, is a rule of work: "never store
passwords in clear text", "don't forget the changelog", "forget npm, we use pnpm". The languages are
those of the cues of auto-learn.
"""

from __future__ import annotations

import re

from claude_memory.hooks import typed
from claude_memory.hooks import withheld_languages as languages

BLANKS = re.compile(r"[^\S\n]+")
REQUEST = re.compile("|".join(f"(?:{one})" for one in languages.PATTERNS), re.MULTILINE)


def is_asked(text: str) -> bool:
    """Tell whether the text holds such a request; what it quotes as code does not count."""
    plain = typed.FENCED.sub("\n", typed.ends(text)).lower().replace("\u2019", "'")
    return REQUEST.search(BLANKS.sub(" ", plain).strip()) is not None
