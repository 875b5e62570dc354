"""Checks on what is written for people: links lead somewhere, decisions have their parts."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

from tools.environment import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"^(```|~~~).*?^\1|`[^`\n]*`", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)
DECISION_PARTS = ("Context", "Decision", "Consequences", "Alternatives", "References")


def main() -> int:
    """Print what is wrong in the documents; return 1 if anything is."""
    pages = _pages()
    wrong = [complaint for page in pages for complaint in broken_links(page, ROOT)]
    wrong += decision_complaints(ROOT / "docs" / "decisions")
    for complaint in wrong:
        print(complaint)
    return int(bool(wrong))


def _pages() -> list[Path]:
    """Return every Markdown file that is or could be committed."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "*.md"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = [ROOT / name for name in listed.split("\0") if name]
    return [path for path in paths if path.is_file()]


def broken_links(page: Path, root: Path) -> Iterator[str]:
    """Yield a sentence for each link to a file or heading that does not exist."""
    name = page.relative_to(root)
    for target in LINK.findall(CODE.sub("", page.read_text(encoding="utf-8"))):
        place, _, anchor = target.partition("#")
        if "://" in target or target.startswith("mailto:"):
            continue
        aim = (page.parent / place) if place else page
        if not aim.exists():
            yield f"{name}: {target} leads to no file"
        elif anchor and aim.suffix == ".md" and anchor not in anchors(aim):
            yield f"{name}: {target} leads to no heading"


def anchors(page: Path) -> set[str]:
    """Return the names by which links can reach the headings of `page`."""
    headings = HEADING.findall(page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def decision_complaints(folder: Path) -> list[str]:
    """Return what the decision records lack: a part, or a number of their own."""
    wrong: list[str] = []
    numbers: dict[str, str] = {}
    for page in sorted(folder.glob("[0-9]*.md")):
        headings = HEADING.findall(page.read_text(encoding="utf-8"))
        wrong += [f"{page.name}: no part {part}" for part in DECISION_PARTS if part not in headings]
        number = page.name[:4]
        if number in numbers:
            wrong.append(f"{page.name}: {numbers[number]} has the same number")
        numbers[number] = page.name
    return wrong


if __name__ == "__main__":
    sys.exit(main())
