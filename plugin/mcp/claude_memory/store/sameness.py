"""Tells whether two texts say the same, letter by letter. Hot."""

from __future__ import annotations

import unicodedata


def normalise(text: str) -> str:
    """Fold what does not make two texts different: NFC, white space, one trailing full stop."""
    folded = " ".join(unicodedata.normalize("NFC", text).split())
    return folded[:-1].rstrip() if folded.endswith(".") and not folded.endswith("..") else folded
