"""Reads other people's files into plain facts: JSON of many shapes, and Markdown notes.

Understood: our own export, and a store of ours itself; a JSON array, JSON lines, or a list inside
one JSON object, of objects with a text field; the knowledge graph of the reference MCP memory
server; Markdown.
"""

from __future__ import annotations

import codecs
import json
import os
import sqlite3
from typing import TYPE_CHECKING, Any

from claude_memory.errors import BadInput
from claude_memory.memory import CATEGORIES, utc_now
from claude_memory.portability import markdown, outgoing
from claude_memory.portability.facts import KINDS, Fact
from claude_memory.store import header, schema
from claude_memory.store.connection import open_reader

if TYPE_CHECKING:
    from collections.abc import Iterator

TEXT_FIELDS = ("content", "text", "memory", "fact", "observation", "value", "note", "body")
TIME_FIELDS = ("created_at", "createdAt", "created", "timestamp", "date", "time")
LISTS = ("memories", "results", "entities", "relations", "items", "data")
MARKDOWN = (".md", ".markdown")
FOLDER = (*MARKDOWN, ".json", ".jsonl")
FILE_LIMIT = 512 * 1_048_576  # bytes
NOTHING = "Nothing was imported."


def facts(path: str, left_out: list[str]) -> list[Fact]:
    """Read every fact of one file, or of the .md, .json and .jsonl files of a folder.

    The places of what is there and is no fact are added to `left_out`.

    Raises:
        BadInput: the file cannot be read or understood; the line is named.
    """
    try:
        if os.path.isdir(path):
            names = sorted(name for name in os.listdir(path) if name.lower().endswith(FOLDER))
            files = [os.path.join(path, name) for name in names]
            return [
                fact for file in files if os.path.isfile(file) for fact in facts(file, left_out)
            ]
        with open(path, "rb") as file:
            content = file.read(FILE_LIMIT + 1)
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.", NOTHING) from error
    if len(content) > FILE_LIMIT:
        raise BadInput(f"{path} is larger than {FILE_LIMIT // 1_048_576} MiB.", "Split it.")
    if content.startswith(header.MAGIC):
        return list(_of_store(path))
    text = _decoded(path, content)
    if path.lower().endswith(MARKDOWN):
        return list(markdown.read(path, text, left_out))
    return list(_objects(path, text))


def _of_store(path: str) -> Iterator[Fact]:
    """Read a store as if it had been exported; nothing is written to it."""
    try:
        reader = open_reader(path)
        try:
            schema.refuse_unknown(reader, path)
            exported = list(outgoing.lines(reader, utc_now(), ""))
        finally:
            reader.close()
    except sqlite3.Error as error:
        raise BadInput(f"{path} is no store of claude-memory.", NOTHING) from error
    yield from _objects(path, "\n".join(exported))


def _decoded(path: str, content: bytes) -> str:
    """Read the text as UTF-8, or as UTF-16 where it says so, as Windows' shell writes it."""
    is_wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return content.decode("utf-16" if is_wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"{path}, line {line} is not text in {'UTF-16' if is_wide else 'UTF-8'}."
        raise BadInput(message, NOTHING) from error


def _objects(path: str, text: str) -> Iterator[Fact]:
    start = text.lstrip()[:1]
    whole = _parsed(path, text) if start == "[" else _one_object(text) if start == "{" else None
    if isinstance(whole, dict):
        listed = [entry for name in LISTS for entry in _list(whole, name)]
        whole = listed or [whole]
    if whole is not None:
        for number, entry in enumerate(whole, 1):
            yield from _entry(f"{path}, entry {number}", entry)
        return
    for number, line in enumerate(text.split("\n"), 1):  # texts may hold what splitlines splits at
        if line.strip():
            where = f"{path}, line {number}"
            yield from _entry(where, _parsed(where, line))


def _one_object(text: str) -> Any:  # noqa: ANN401  (JSON can be anything)
    """Return the one object that a text is, or None when it is several lines of JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _parsed(where: str, text: str) -> Any:  # noqa: ANN401
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{where} is not JSON: {error}.", NOTHING) from error


def _entry(where: str, entry: Any) -> Iterator[Fact]:  # noqa: ANN401
    if isinstance(entry, str):
        entry = {"content": entry}
    if not isinstance(entry, dict):
        raise BadInput(f"{where} is no object with a text.", NOTHING)
    if "format" in entry and "format_version" in entry:
        _check_header(where, entry)
    elif isinstance(entry.get("observations"), list):
        for observation in entry["observations"]:
            yield Fact(f"{entry.get('name', '')}: {observation}", where, tags=_tags(entry, "name"))
    elif "relationType" in entry:
        parts = (str(entry.get(name, "")) for name in ("from", "relationType", "to"))
        yield Fact(" ".join(parts), where)
    else:
        yield _fact(where, entry)


def _check_header(where: str, entry: dict[str, Any]) -> None:
    if (entry["format"], entry["format_version"]) != (outgoing.FORMAT, outgoing.FORMAT_VERSION):
        message = f"{where}: an export in format {entry['format']} {entry['format_version']}."
        raise BadInput(message[:200], "Update the plugin and import again. Nothing was imported.")


def _fact(where: str, entry: dict[str, Any]) -> Fact:
    if "uid" in entry and "session_seq" in entry:
        return Fact("", where, ours=entry)
    content = next((entry[name] for name in TEXT_FIELDS if isinstance(entry.get(name), str)), None)
    if content is None:
        raise BadInput(f"{where} has no text; looked for {', '.join(TEXT_FIELDS)}.", NOTHING)
    return Fact(
        content=content,
        where=where,
        category=_category(entry),
        tags=_tags(entry, "tags"),
        importance=_importance(entry.get("importance")),
        expanded_keywords=_tags(entry, "expanded_keywords").replace(",", " "),
        created_at=next((entry[n] for n in TIME_FIELDS if isinstance(entry.get(n), str)), ""),
    )


def _category(entry: dict[str, Any]) -> str:
    for name in ("category", "type", "kind"):
        value = str(entry.get(name) or "").lower()
        if value in CATEGORIES:
            return value
        if value in KINDS:
            return KINDS[value]
    return "facts"


def _importance(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return 0.5
    return float(value) if 0 <= value <= 1 else 0.5


def _tags(entry: dict[str, Any], name: str) -> str:
    value = entry.get(name)
    return ",".join(map(str, value)) if isinstance(value, list) else str(value or "")


def _list(whole: dict[str, Any], name: str) -> list[Any]:
    value = whole.get(name)
    return value if isinstance(value, list) else []
