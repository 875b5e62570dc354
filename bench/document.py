"""Puts the table of a run into docs/benchmarks.md, between two markers; the rest stays."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.report import Report

PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
BEGIN = "<!-- measured: written by ./dev bench --write -->"
END = "<!-- /measured -->"


def write(report: Report, page: Path = PAGE) -> None:
    """Replace what stands between the markers.

    Raises:
        ValueError: the page has no markers.
    """
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page.name} lacks the lines {BEGIN} and {END}")
    page.write_text(f"{before}{BEGIN}\n{report.markdown()}\n{END}{after}", encoding="utf-8")
