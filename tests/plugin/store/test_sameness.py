"""Texts that say the same."""

from __future__ import annotations

import pytest
from claude_memory.store.sameness import normalise


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("Use  pnpm\n", "Use pnpm.", True),
        ("e\u0301", "\u00e9", True),
        ("Use pnpm", "Use pnpm..", False),
        ("Use pnpm", "use pnpm", False),
        ("Wait ...", "Wait", False),
    ],
)
def test_what_makes_no_difference_is_folded(one: str, other: str, equal: bool) -> None:
    """White space, composition of letters, and one full stop."""
    assert (normalise(one) == normalise(other)) is equal
