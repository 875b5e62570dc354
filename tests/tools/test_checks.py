"""The checks of ./dev lint that are ours find what they are for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tools import documents, sizes

if TYPE_CHECKING:
    from pathlib import Path


def test_a_function_over_the_limit_is_named(tmp_path: Path) -> None:
    """50 lines pass, 51 do not."""
    source = tmp_path / "plugin" / "long.py"
    source.parent.mkdir()
    source.write_text("def fits():\n" + "    x = 1\n" * 49)
    assert list(sizes.complaints(source.parent)) == []
    source.write_text("def grows():\n" + "    x = 1\n" * 50)
    assert list(sizes.complaints(source.parent)) == [
        "plugin/long.py:1: grows has 51 lines, the limit is 50"
    ]


@pytest.mark.parametrize(("folder", "limit"), [("plugin", 400), ("tests", 600)])
def test_a_file_over_the_limit_is_named(tmp_path: Path, folder: str, limit: int) -> None:
    """Test files may be longer than the rest."""
    source = tmp_path / folder / "long.py"
    source.parent.mkdir()
    source.write_text("x = 1\n" * limit)
    assert list(sizes.complaints(source.parent)) == []
    source.write_text("x = 1\n" * (limit + 1))
    assert list(sizes.complaints(source.parent)) == [
        f"{folder}/long.py: {limit + 1} lines, the limit is {limit}"
    ]


def test_links_to_missing_files_and_headings_are_named(tmp_path: Path) -> None:
    """Examples in code are no links; other sites are not our business."""
    page = tmp_path / "page.md"
    page.write_text(
        "# A `fine` heading, here\n[a](page.md) [b](#a-fine-heading-here) [c](no.md) [d](#none)\n"
        "[e](https://example.org/x) `[f](nowhere.md)`\n```\n[g](nowhere.md)\n```\n"
    )
    assert list(documents.broken_links(page, tmp_path)) == [
        "page.md: no.md leads to no file",
        "page.md: #none leads to no heading",
    ]


def test_a_decision_without_its_parts_or_number_is_named(tmp_path: Path) -> None:
    """Two records with one number cannot be told apart."""
    whole = "".join(f"## {part}\n" for part in documents.DECISION_PARTS)
    (tmp_path / "0001-a.md").write_text(whole)
    (tmp_path / "0001-b.md").write_text(whole.replace("## Alternatives\n", ""))
    assert documents.decision_complaints(tmp_path) == [
        "0001-b.md: no part Alternatives",
        "0001-b.md: 0001-a.md has the same number",
    ]
