"""Reads other people's files into plain facts: JSON lines of many shapes, and Markdown notes.

Understood: our own export; a JSON array or JSON lines of objects with a text field; the knowledge
graph of the reference MCP memory server; `CLAUDE.md`; Claude Code's own memory files (one fact a
file, with front matter).
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from claude_memory.errors import BadInput
from claude_memory.memory import CATEGORIES

if TYPE_CHECKING:
    from collections.abc import Iterator

TEXT_FIELDS = ("content", "text", "memory", "fact", "observation", "value", "note", "body")
TIME_FIELDS = ("created_at", "createdAt", "created", "timestamp", "date", "time")
KINDS = {  # what others call our categories
    "preference": "preferences",
    "user": "preferences",
    "feedback": "preferences",
    "decision": "decisions",
    "project": "projects",
    "person": "people",
}
FILE_LIMIT = 512 * 1_048_576  # bytes
BULLET = re.compile(r"\s*(?:[-*+]|\d+[.)])\s+")
HEADING = re.compile(r"#{1,6}\s+(.*)")
FENCE = re.compile(r"\s*(```|~~~)")


@dataclass(frozen=True)
class Fact:
    """One thing to import; `ours` holds the whole line of an export of ours."""

    content: str
    where: str
    category: str = "facts"
    tags: str = ""
    importance: float = 0.5
    expanded_keywords: str = ""
    created_at: str = ""
    ours: dict[str, Any] = field(default_factory=dict)


def facts(path: str) -> list[Fact]:
    """Read every fact of one file, or of the .md, .json and .jsonl files of a folder.

    Raises:
        BadInput: the file cannot be read or understood; the line is named.
    """
    try:
        if os.path.isdir(path):
            names = sorted(os.listdir(path))
            known = [name for name in names if name.endswith((".md", ".json", ".jsonl"))]
            return [fact for name in known for fact in facts(os.path.join(path, name))]
        if os.path.getsize(path) > FILE_LIMIT:
            message = f"{path} is larger than {FILE_LIMIT // 1_048_576} MiB."
            raise BadInput(message, "Split it.")
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path} cannot be read: {error}."
        raise BadInput(message) from error
    if path.endswith((".md", ".markdown")):
        return list(_markdown(path, text))
    return list(_objects(path, text))


def _objects(path: str, text: str) -> Iterator[Fact]:
    if text.lstrip().startswith("["):
        parsed = _parsed(f"{path}", text)
        for number, entry in enumerate(parsed, 1):
            yield from _entry(f"{path}, entry {number}", entry)
        return
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            where = f"{path}, line {number}"
            yield from _entry(where, _parsed(where, line))


def _parsed(where: str, text: str) -> Any:  # noqa: ANN401  (JSON can be anything)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        message = f"{where} is not JSON: {error}."
        raise BadInput(message, "Nothing was imported.") from error


def _entry(where: str, entry: Any) -> Iterator[Fact]:  # noqa: ANN401
    if isinstance(entry, str):
        entry = {"content": entry}
    if not isinstance(entry, dict):
        message = f"{where} is no object with a text."
        raise BadInput(message, "Nothing was imported.")
    if "format" in entry and "format_version" in entry:
        _check_header(where, entry)
    elif entry.get("type") == "entity" and isinstance(entry.get("observations"), list):
        for observation in entry["observations"]:
            yield Fact(f"{entry.get('name', '')}: {observation}", where, tags=_tags(entry, "name"))
    elif entry.get("type") == "relation":
        parts = (str(entry.get(name, "")) for name in ("from", "relationType", "to"))
        yield Fact(" ".join(parts), where)
    else:
        yield _fact(where, entry)


def _check_header(where: str, entry: dict[str, Any]) -> None:
    if entry["format"] != "claude-memory" or entry["format_version"] != 1:
        message = f"{where}: an export in format {entry['format']} {entry['format_version']}."
        raise BadInput(message, "Update the plugin and import again.")


def _fact(where: str, entry: dict[str, Any]) -> Fact:
    content = next((entry[name] for name in TEXT_FIELDS if isinstance(entry.get(name), str)), None)
    if content is None:
        message = f"{where} has no text; looked for {', '.join(TEXT_FIELDS)}."
        raise BadInput(message, "Nothing was imported.")
    importance = entry.get("importance")
    fits = isinstance(importance, (int, float)) and 0 <= importance <= 1
    created = next((entry[name] for name in TIME_FIELDS if isinstance(entry.get(name), str)), "")
    return Fact(
        content=content,
        where=where,
        category=_category(entry),
        tags=_tags(entry, "tags"),
        importance=float(importance) if fits and importance is not None else 0.5,
        expanded_keywords=str(entry.get("expanded_keywords") or ""),
        created_at=created,
        ours=entry if "uid" in entry and "session_seq" in entry else {},
    )


def _category(entry: dict[str, Any]) -> str:
    for name in ("category", "type", "kind"):
        value = str(entry.get(name) or "").lower()
        if value in CATEGORIES:
            return value
        if value in KINDS:
            return KINDS[value]
    return "facts"


def _tags(entry: dict[str, Any], name: str) -> str:
    value = entry.get(name)
    return ",".join(map(str, value)) if isinstance(value, list) else str(value or "")


def _markdown(path: str, text: str) -> Iterator[Fact]:
    front, body = _front_matter(text)
    if front:
        kind = front.get("type", "")
        title = front.get("description") or front.get("name") or ""
        words = " ".join(body.split())
        content = words if title in words else f"{title}: {words}"
        yield Fact(content, path, category=KINDS.get(kind, "facts"), tags=front.get("name", ""))
    elif os.path.basename(path) != "MEMORY.md":  # the index of the files beside it
        for number, content in _paragraphs(body):
            yield Fact(content, f"{path}, line {number}", tags="notes")


def _front_matter(text: str) -> tuple[dict[str, str], str]:
    match = re.match(r"---\n(.*?)\n---\n?", text, re.DOTALL)
    if not match:
        return {}, text
    pairs = (line.split(":", 1) for line in match[1].splitlines() if ":" in line)
    front = {name.strip(): value.strip().strip("\"'") for name, value in pairs}
    return {name: value for name, value in front.items() if value}, text[match.end() :]


def _paragraphs(text: str) -> Iterator[tuple[int, str]]:
    """Yield bullets and paragraphs under their headings; code blocks are not facts."""
    heading, start, is_code = "", 0, False
    part: list[str] = []
    for number, line in enumerate([*text.splitlines(), ""], 1):
        if FENCE.match(line):
            is_code = not is_code
        title = HEADING.match(line)
        ends = not line.strip() or title or BULLET.match(line)
        if ends and part:
            yield start, _under(heading, " ".join(part))
            part = []
        if title:
            heading = title[1].strip()
        elif line.strip() and not is_code and not FENCE.match(line):
            start = start if part else number
            part.append(BULLET.sub("", line, count=1).strip())


def _under(heading: str, text: str) -> str:
    return f"{heading}: {text}" if heading else text
