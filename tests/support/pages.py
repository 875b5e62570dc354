"""The documents, and the tables in them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def text(page: Path) -> str:
    """Return the text of a page."""
    return page.read_text(encoding="utf-8")


def table(page: Path, head: str) -> list[list[str]]:
    """Return the rows of the table whose head line begins with `head`, cell by cell."""
    lines = iter(text(page).splitlines())
    for line in lines:
        if line.startswith(f"| {head} |"):
            next(lines)
            break
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    assert rows, f"{page.name} has no table '{head}'"
    return rows


def quoted(cell: str) -> list[str]:
    """Return what stands in code marks."""
    return re.findall(r"`([^`]+)`", cell)


def cells(page: Path, head: str, column: int = 0) -> list[str]:
    """Return what stands in code marks in one column of a table."""
    return [name for row in table(page, head) for name in quoted(row[column])]
