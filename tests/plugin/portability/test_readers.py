"""Files of other stores, in the shapes that people have them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from claude_memory.errors import BadInput
from claude_memory.portability import readers

if TYPE_CHECKING:
    from pathlib import Path

    from claude_memory.portability.facts import Fact


def read(folder: Path, content: str | bytes, name: str = "x.jsonl") -> list[Fact]:
    """Write a file and read its facts."""
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return readers.facts(str(file), [])


def texts(folder: Path, content: str | bytes) -> list[str]:
    """Return the texts of a file."""
    return [fact.content for fact in read(folder, content)]


@pytest.mark.parametrize(
    "name", ["content", "text", "memory", "fact", "observation", "value", "note", "body"]
)
def test_text_is_found_under_the_names_others_use(tmp_path: Path, name: str) -> None:
    """The other fields may be anything."""
    entry = {"id": 7, "score": None, name: "Use pnpm", "embedding": [0.1, 0.2]}
    assert texts(tmp_path, json.dumps(entry)) == ["Use pnpm"]


@pytest.mark.parametrize(
    "shape",
    [
        '{"text": "one"}\n{"text": "two"}\n',
        '\n\n{"text": "one"}\r\n\r\n{"text": "two"}',
        '"one"\n"two"\n',
        '[{"text": "one"}, {"text": "two"}]',
        '  [\n  "one",\n  "two"\n]\n',
        '{"results": [{"memory": "one"}, {"memory": "two"}], "relations": []}',
        '{\n "memories": [\n  {"text": "one"},\n  {"text": "two"}\n ]\n}',
        '\ufeff{"text": "one"}\n{"text": "two"}\n',
    ],
)
def test_lists_come_in_many_shapes(tmp_path: Path, shape: str) -> None:
    """JSON lines, an array, a list inside an object; any line ends, with and without a BOM."""
    assert texts(tmp_path, shape) == ["one", "two"]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_wide_file_is_read(tmp_path: Path, encoding: str) -> None:
    """Windows PowerShell writes UTF-16 when a command's output goes to a file."""
    assert texts(tmp_path, '\ufeff{"text": "Z\u00fcrich"}\r\n'.encode(encoding)) == ["Z\u00fcrich"]


@pytest.mark.parametrize("sign", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c"])
def test_only_a_line_feed_ends_a_line_of_json(tmp_path: Path, sign: str) -> None:
    """Our own exports hold such signs as they are, unless JSON forbids it."""
    line = json.dumps({"text": f"a{sign}b"}, ensure_ascii=False)
    assert texts(tmp_path, f"{line}\n{line}\n") == [f"a{sign}b"] * 2


@pytest.mark.parametrize("content", ["", "\n \n", "[]", '{"memories": []}\n' * 0, "\ufeff"])
def test_empty_file_has_no_facts(tmp_path: Path, content: str) -> None:
    """Nothing is nothing, and no failure."""
    assert read(tmp_path, content) == []


def test_fields_are_taken_where_they_fit(tmp_path: Path) -> None:
    """Categories by the names of others, lists of tags, and no importance on another scale."""
    [fact, other] = read(
        tmp_path,
        '{"text": "a", "type": "Preference", "tags": ["x", 7], "importance": 0.9, '
        '"expanded_keywords": "k l", "created": "2024-01-02"}\n'
        '{"text": "b", "category": {"odd": 1}, "tags": "x, y", "importance": 8, "date": 5}',
    )
    assert (fact.category, fact.tags, fact.importance) == ("preferences", "x,7", 0.9)
    assert (fact.expanded_keywords, fact.created_at) == ("k l", "2024-01-02")
    assert (other.category, other.tags, other.importance) == ("facts", "x, y", 0.5)
    assert other.created_at == ""


@pytest.mark.parametrize("wrapped", [False, True])
def test_knowledge_graph_of_the_reference_server_is_read(tmp_path: Path, wrapped: bool) -> None:
    """Each observation is a fact, each relation a sentence; as a file of lines and as one graph."""
    entity = {
        "type": "entity",
        "name": "Ann",
        "entityType": "person",
        "observations": ["likes tea", "works at Acme"],
    }
    relation = {"type": "relation", "from": "Ann", "to": "Bob", "relationType": "manages"}
    lines = f"{json.dumps(entity)}\n{json.dumps(relation)}\n"
    graph = json.dumps({"entities": [entity], "relations": [relation]})
    found = ["Ann: likes tea", "Ann: works at Acme", "Ann manages Bob"]
    assert texts(tmp_path, graph if wrapped else lines) == found


def test_folder_is_read_file_by_file(tmp_path: Path) -> None:
    """Markdown and JSON of the folder itself, in the order of their names; nothing else."""
    (tmp_path / "b.jsonl").write_text('{"text": "from json lines"}')
    (tmp_path / "A.MD").write_text("from markdown")
    (tmp_path / "c.json").write_text('["from json"]')
    (tmp_path / "d.txt").write_text("not read")
    (tmp_path / "inner.md").mkdir()
    found = [fact.content for fact in readers.facts(str(tmp_path), [])]
    assert found == ["from markdown", "from json lines", "from json"]


def test_file_in_another_encoding_is_refused_by_its_line(tmp_path: Path) -> None:
    """Guessing an encoding would store wrong words."""
    content = '{"text": "ok"}\n{"text": "Z\u00fcrich"}\n'.encode("latin-1")
    with pytest.raises(BadInput, match="line 2 is not text in UTF-8"):
        read(tmp_path, content)


def test_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The reason comes from the system."""
    with pytest.raises(BadInput, match=r"missing\.jsonl cannot be read: "):
        readers.facts(str(tmp_path / "missing.jsonl"), [])
