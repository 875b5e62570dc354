"""Reads Markdown notes: `CLAUDE.md`, and Claude Code's own memory files (one fact a file)."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from claude_memory.portability.facts import KINDS, Fact

if TYPE_CHECKING:
    from collections.abc import Iterator

INDEX = "MEMORY.md"  # lists the memory files beside it and holds no fact of its own
BULLET = re.compile(r"\s*(?:[-*+]|\d+[.)])\s+")
HEADING = re.compile(r"#{1,6}\s+(.*?)(?:\s+#+)?\s*$")
FENCE = re.compile(r"\s*(```|~~~)")
COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
FRONT = re.compile(r"---\n(.*?)\n---(?:\n|\Z)", re.DOTALL)


def read(path: str, text: str) -> Iterator[Fact]:
    """Yield the facts of one file; code blocks, comments and headings alone are none."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    front, skipped = _front_matter(text)
    if os.path.basename(path) == INDEX:
        return
    if front.keys() & {"type", "description"}:
        yield _memory_file(path, front, text[skipped:])
        return
    start = text.count("\n", 0, skipped)
    for number, content in _paragraphs(text[skipped:]):
        yield Fact(content, f"{path}, line {start + number}", tags="notes")


def _memory_file(path: str, front: dict[str, str], body: str) -> Fact:
    title = front.get("description") or front.get("name") or ""
    words = " ".join(body.split())
    content = ": ".join(filter(None, [title if title not in words else "", words]))
    kind = KINDS.get(front.get("type", ""), "facts")
    return Fact(content, path, category=kind, tags=front.get("name", ""))


def _front_matter(text: str) -> tuple[dict[str, str], int]:
    """Return the fields of the front matter, nested ones too, and how long it is."""
    match = FRONT.match(text)
    if not match:
        return {}, 0
    pairs = (line.split(":", 1) for line in match[1].splitlines() if ":" in line)
    front = {name.strip(): value.strip().strip("\"'") for name, value in pairs}
    return {name: value for name, value in front.items() if value}, match.end()


def _paragraphs(text: str) -> Iterator[tuple[int, str]]:
    """Yield bullets and paragraphs under their headings, each with the number of its line."""
    heading, start, is_code = "", 0, False
    part: list[str] = []
    uncommented = COMMENT.sub(lambda match: "\n" * match[0].count("\n"), text)
    for number, line in enumerate([*uncommented.split("\n"), ""], 1):
        is_fence = bool(FENCE.match(line))
        is_code ^= is_fence
        title = None if is_code else HEADING.match(line)
        ends = not line.strip() or title or is_fence or BULLET.match(line)
        if ends and part:
            yield start, ": ".join(filter(None, [heading, " ".join(part)]))
            part = []
        if title:
            heading = title[1]
        elif line.strip() and not is_code and not is_fence:
            start = start if part else number
            part.append(BULLET.sub("", line, count=1).strip())
