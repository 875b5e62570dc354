"""The plugin imports the standard library alone, and hooks only the cheap part of it."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.promises import promise

if TYPE_CHECKING:
    from collections.abc import Iterator

PLUGIN = Path(__file__).resolve().parents[2] / "plugin"
ROOT = PLUGIN / "mcp"
CLIENT = ROOT / "claude_memory"
TESTS = PLUGIN.parent / "tests"
CHEAP = set(
    "__future__ collections datetime enum functools heapq json math mmap os re sqlite3 struct sys"
    " time unicodedata errno _thread".split()  # the last two are compiled into the interpreter
)
COSTLY = (
    "typing dataclasses pathlib logging subprocess urllib uuid asyncio inspect http ssl".split()
)
MAYBE_THERE = {"cryptography"}  # the keeper uses it where it is installed, and works without it
HOT = sorted(
    [
        *(CLIENT / f"{name}.py" for name in ("paths", "memory", "errors")),
        *(CLIENT / "store").rglob("*.py"),
        *(path for path in (CLIENT / "hooks").rglob("*.py") if path.stem != "learn"),
    ]
)


def _label(path: Path) -> str:
    return str(path.relative_to(PLUGIN))


@promise("plugin.standard-library-only")
@pytest.mark.parametrize("path", sorted(PLUGIN.rglob("*.py")), ids=_label)
def test_only_the_standard_library_is_imported(path: Path) -> None:
    """A stranger's machine has Python and nothing else."""
    known = sys.stdlib_module_names | {"claude_memory", "old_python"}
    if path.is_relative_to(CLIENT / "keeper"):
        known |= MAYBE_THERE
    assert _imported(ast.walk(_parsed(path))) - known == set()


@promise("plugin.hooks-start-fast")
@pytest.mark.parametrize("path", HOT, ids=_label)
def test_hot_modules_import_only_what_costs_nothing(path: Path) -> None:
    """Importing typing alone would cost a hook half of its time."""
    assert _imported(_run_on_import(_parsed(path))) - CHEAP - {"claude_memory"} == set()


@promise("plugin.hooks-start-fast")
@pytest.mark.parametrize("path", HOT, ids=_label)
def test_nothing_costly_is_loaded_by_way_of_another_module(path: Path) -> None:
    """What a hot module pulls in through others counts as well."""
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); import {module}; "
        f"print(*[name for name in {COSTLY!r} if name in sys.modules])"
    )
    command = [sys.executable, "-S", "-E", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout.split(), done.stderr) == ([], "")


@pytest.mark.parametrize("path", sorted((TESTS / "plugin").rglob("*.py")), ids=lambda one: one.stem)
def test_suite_of_the_plugin_needs_pytest_alone(path: Path) -> None:
    """On each other Python that it runs on, nothing else is installed."""
    waiting, seen, found = {path}, set[Path](), set[str]()
    while waiting:
        seen |= waiting
        nodes = [node for one in waiting for node in _run_on_import(_parsed(one))]
        found |= _imported(iter(nodes))
        waiting = set(_supports(nodes)) - seen
    assert found - sys.stdlib_module_names <= {"claude_memory", "pytest", "tests", "tools"}


def _supports(nodes: list[ast.AST]) -> Iterator[Path]:
    """Yield the files below tests/ that are imported."""
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            names = [str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)]
            files = (TESTS.parent / f"{name.replace('.', '/')}.py" for name in names)
            yield from (file for file in files if file.is_relative_to(TESTS) and file.exists())


def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _imported(nodes: Iterator[ast.AST]) -> set[str]:
    """Return the top-level names that `nodes` import."""
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add("claude_memory" if node.level else str(node.module).partition(".")[0])
    return names


def _run_on_import(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what runs when the module is imported: no function bodies, nothing for types only."""
    for child in ast.iter_child_nodes(node):
        only_for_types = isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
        if not only_for_types and not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield child
            yield from _run_on_import(child)
