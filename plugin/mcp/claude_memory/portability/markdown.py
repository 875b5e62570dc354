"""Reads Markdown notes: `CLAUDE.md`, and Claude Code's own memory files (one fact a file)."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from claude_memory.memory import SPLIT_ADVICE
from claude_memory.portability.facts import KINDS, Fact

if TYPE_CHECKING:
    from collections.abc import Iterator

INDEX = "MEMORY.md"  # lists the memory files beside it and holds no fact of its own
BULLET = re.compile(r"\s*(?:[-*+]|\d+[.)])\s+")
NESTED = 2  # columns further in than the bullet it belongs to
LINK = re.compile(r"\s*(?:[-*+]\s+)?@\S*[./]\S*\s*$")  # `@docs/other.md`
HEADING = re.compile(r"#{1,6}\s+(.*?)(?:\s+#+)?\s*$")
FENCE = re.compile(r"\s*(```|~~~)")
COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
FRONT = re.compile(r"---\n(.*?)\n---(?:\n|\Z)", re.DOTALL)

BLANK, TITLE, ITEM, TEXT = "", "a heading", "an item", "text"
CODE, TABLE, FILE = "a code block", "a table", "the name of another file"


@dataclass(frozen=True)
class _Line:
    number: int
    text: str
    kind: str

    @property
    def indent(self) -> int:
        wide = self.text.expandtabs(4)
        return len(wide) - len(wide.lstrip())


END = _Line(0, "", "the end")


def read(path: str, text: str, left_out: list[str]) -> Iterator[Fact]:
    """Yield the facts of one file; comments and headings alone are none.

    Nor are code blocks, tables, and lines that only name another file: their places are added to
    `left_out`.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    front, skipped = _front_matter(text)
    if os.path.basename(path) == INDEX:
        return
    if front.keys() & {"type", "description"}:
        yield _memory_file(path, front, text[skipped:])
        return
    start = text.count("\n", 0, skipped)
    lines = list(_lines(text[skipped:]))
    left_out += [f"{path}, line {start + one.number}: {one.kind}" for one in _left_out(lines)]
    for number, content in _paragraphs(lines):
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


def _lines(text: str) -> Iterator[_Line]:
    """Yield the lines with what each is, the blank ones too."""
    is_code = False
    uncommented = COMMENT.sub(lambda match: "\n" * match[0].count("\n"), text)
    for number, line in enumerate(uncommented.split("\n"), 1):
        is_fence = FENCE.match(line) is not None
        yield _Line(number, line, CODE if is_code or is_fence else _kind(line))
        is_code ^= is_fence


def _kind(line: str) -> str:
    if not line.strip():
        return BLANK
    if HEADING.match(line):
        return TITLE
    if line.lstrip().startswith("|"):
        return TABLE
    if LINK.match(line):
        return FILE
    return ITEM if BULLET.match(line) else TEXT


def _left_out(lines: list[_Line]) -> Iterator[_Line]:
    """Yield the first line of each block that holds something and is no fact."""
    before = BLANK
    for one in lines:
        if one.kind in (CODE, TABLE, FILE) and one.kind != before:
            yield one
        before = one.kind


def _paragraphs(lines: list[_Line]) -> Iterator[tuple[int, str]]:
    """Yield bullets and paragraphs under their headings, each with the number of its line.

    What is indented under a bullet belongs to it: alone, it could mean something else.
    """
    heading = ""
    part: list[_Line] = []
    for one in [*lines, END]:
        if part and not _belongs(one, part):
            for lines_of_one in _divided(part):
                text = ": ".join(filter(None, [heading, _joined(lines_of_one)]))
                yield part[0].number, text
            part = []
        if one.kind == TITLE:
            heading = HEADING.sub(r"\1", one.text)
        elif one.kind in (ITEM, TEXT) or (part and one.kind == BLANK):
            part.append(one)


def _belongs(one: _Line, part: list[_Line]) -> bool:
    """Tell whether a line goes on with what these lines began."""
    first = part[0]
    if one.kind == BLANK:
        return first.kind == ITEM
    if first.kind == ITEM and one.kind in (ITEM, TEXT) and one.indent >= first.indent + NESTED:
        return True
    return one.kind == TEXT and part[-1].kind != BLANK


def _divided(part: list[_Line]) -> Iterator[list[_Line]]:
    """Yield the lines of each memory: all, or if too long each nested item under the first."""
    nested = [at for at, one in enumerate(part) if at and one.kind == ITEM]
    if not nested or len(_joined(part)) <= SPLIT_ADVICE:
        yield part
        return
    starts = [at for at in nested if part[at].indent <= part[nested[0]].indent]
    for start, end in zip(starts, [*starts[1:], len(part)]):
        yield part[: nested[0]] + part[start:end]


def _joined(part: list[_Line]) -> str:
    text = ""
    for one in part:
        glue = "; " if one.kind == ITEM and text and text[-1] not in ".:;,!?" else " "
        text = (text + glue + BULLET.sub("", one.text, count=1).strip()).strip()
    return text
