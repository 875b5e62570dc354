"""Cuts pairs of texts out of a package: docstrings, comments, headings with their paragraphs."""

from __future__ import annotations

import ast
import html
import json
import re
import subprocess
import tarfile
import tempfile
import zipfile
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Pair = tuple[str, str]

TAG = re.compile(r"<(script|style|pre|table).*?</\1>|<[^>]*>", re.DOTALL | re.IGNORECASE)
BLOCK = re.compile(r"<(h[1-6]|p|dt|dd|li)\b[^>]*>(.*?)</\1>", re.DOTALL | re.IGNORECASE)
COMMENT = re.compile(r"/\*\*(.*?)\*/\s*([^\n{;=(]*)", re.DOTALL)
LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)|https?://\S+")
MARK = re.compile(r"[*`#>|]+|(?<!\w)_+|_+(?!\w)|:\w+:|\{@\w+|\}")
FENCED = re.compile(r"```.*?```|~~~.*?~~~", re.DOTALL)
NAME = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")
GLOSS = re.compile(r"\d{8} \d\d \w [0-9a-f]{2} (.*?) \d{3} .*\| (.*)")
LARGEST = 2_000_000  # bytes of one file
AN_EXAMPLE = '"'


def wheel(path: Path) -> Iterator[Pair]:
    """Yield what a Python package says about itself and its functions."""
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if info.file_size > LARGEST:
                continue
            name = info.filename
            if name.endswith(".py") and "/tests/" not in name:
                yield from docstrings(_text(archive.read(info)))
            elif name.endswith(("METADATA", ".md", ".rst")):
                yield from markdown(_text(archive.read(info)).partition("\n\n")[2])
            elif name.endswith((".yml", ".yaml")) and "english" in name:
                yield from conversations(_text(archive.read(info)))
            elif name.endswith("service-2.json"):
                yield from documentation(json.loads(archive.read(info)))


def tarball(path: Path) -> Iterator[Pair]:
    """Yield what an npm package says in its documents and comments."""
    with tarfile.open(path) as archive:
        for info in archive:
            if not info.isfile() or info.size > LARGEST:
                continue
            if info.name.lower().endswith((".md", ".d.ts", ".js", ".mjs", ".cjs")):
                file = archive.extractfile(info)
                text = _text(file.read()) if file else ""
                is_document = info.name.lower().endswith(".md")
                yield from markdown(text) if is_document else comments(text)


def debian(path: Path) -> Iterator[Pair]:
    """Yield what a Debian package has in HTML pages, or WordNet's glosses."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["dpkg-deb", "-x", str(path), folder], check=True)
        for page in sorted(Path(folder).rglob("*")):
            if page.is_symlink() or not page.is_file():
                continue
            if page.suffix == ".html":
                yield from pages(page.read_text(encoding="utf-8", errors="replace"))
            elif page.parent.name == "wordnet" and page.name.startswith("data."):
                yield from glosses(page.read_text(encoding="ascii", errors="replace"))


def docstrings(text: str) -> Iterator[Pair]:
    """Yield a name with its summary, and a summary with each of the next paragraphs."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef | ast.Module):
            told = [_plain(part) for part in (ast.get_docstring(node) or "").split("\n\n")]
            if told[0]:
                yield words(getattr(node, "name", "")), told[0]
                yield from ((told[0], part) for part in told[1:3] if not part.startswith(">>>"))


def comments(text: str) -> Iterator[Pair]:
    """Yield what is commented with its comment."""
    for comment, name in COMMENT.findall(text):
        told = re.split(r"\n\s*\*\s*@", comment)[0]
        yield words(name), _plain(re.sub(r"^\s*\*", "", told, flags=re.MULTILINE))


def markdown(text: str) -> Iterator[Pair]:
    """Yield headings with their paragraphs, and neighbouring sentences."""
    heading = ""
    for part in re.split(r"\n\s*\n|\n(?=[#*-])", FENCED.sub("", text)):
        told = _plain(part)
        if part.lstrip().startswith("#"):
            heading = told
        elif told:
            yield heading, told
            yield from _neighbours(told)


def pages(text: str) -> Iterator[Pair]:
    """Yield the headings and terms of an HTML page with the paragraphs below."""
    heading = ""
    for tag, inner in BLOCK.findall(text):
        told = _plain(html.unescape(TAG.sub(" ", inner))).replace("\xb6", "")
        if tag.lower() in {"p", "dd", "li"}:
            yield heading, told
            yield from _neighbours(told)
        else:
            heading = told


def documentation(value: Any, name: str = "") -> Iterator[Pair]:  # noqa: ANN401 (JSON)
    """Yield the names of a service's operations and shapes with their descriptions."""
    if isinstance(value, dict):
        told = value.get("documentation")
        if isinstance(told, str):
            plain = _plain(html.unescape(TAG.sub(" ", told)))
            yield words(name), SENTENCE.split(plain)[0]
            yield from _neighbours(plain)
        for key, inner in value.items():
            yield from documentation(inner, key)


def conversations(text: str) -> Iterator[Pair]:
    """Yield what is said with its answer, from lists of conversations."""
    said = ""
    for line in text.splitlines():
        if line.startswith(("- - ", "  - ")):
            answer = line[4:].strip().strip("'\"")
            if line.startswith("  - ") and said:
                yield said, answer
            said = answer


def glosses(text: str) -> Iterator[Pair]:
    """Yield the words of each synset with its gloss, and the gloss with each example."""
    for listed, gloss in GLOSS.findall(text):
        named = ", ".join(word.replace("_", " ") for word in listed.split()[::2])
        meaning, *examples = [part.strip() for part in gloss.split("; ")]
        yield named, meaning
        yield from ((meaning, one.strip('"')) for one in examples if one.startswith(AN_EXAMPLE))


def words(name: str) -> str:
    """Return the words of a name in code."""
    return " ".join(part.lower() for part in NAME.findall(name.strip().rpartition(" ")[2]))


def _neighbours(text: str) -> Iterable[Pair]:
    sentences = SENTENCE.split(text)
    return pairwise(sentences)


def _plain(text: str) -> str:
    return " ".join(MARK.sub("", LINK.sub(r"\1", text)).replace(":: ", " ").split())


def _text(data: bytes) -> str:
    return data.decode("utf-8", errors="replace")


READERS: dict[str, Callable[[Path], Iterator[Pair]]] = {
    "pypi": wheel,
    "npm": tarball,
    "debian": debian,
}
