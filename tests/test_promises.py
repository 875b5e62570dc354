"""Every promise has a test, every test's promise exists, and documents say what was promised."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

TESTS = Path(__file__).resolve().parent
PROMISES: dict[str, dict[str, str]] = tomllib.loads((TESTS / "promises.toml").read_text())


def test_each_promise_is_kept_by_a_test() -> None:
    """A promise that no test carries is only a hope."""
    assert sorted(set(PROMISES) - _ids_in_tests()) == []


def test_each_id_in_a_test_is_promised() -> None:
    """A test cannot refer to a promise that nobody reads."""
    assert sorted(_ids_in_tests() - set(PROMISES)) == []


def test_each_promise_is_one_sentence_with_a_well_formed_id() -> None:
    """Ids read area.what-happens; claims are sentences."""
    for name, entry in PROMISES.items():
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*\.[a-z0-9]+(-[a-z0-9]+)*", name), name
        assert set(entry) <= {"claim", "said_in"}, name
        assert re.fullmatch(r"[A-Z`].*[.!]", entry["claim"]), name


def test_each_quoted_claim_stands_in_its_document() -> None:
    """Where an entry names a document, the claim is found there word for word."""
    for name, entry in PROMISES.items():
        if "said_in" in entry:
            text = (TESTS.parent / entry["said_in"]).read_text(encoding="utf-8")
            assert " ".join(entry["claim"].split()) in " ".join(text.split()), name


def _ids_in_tests() -> set[str]:
    return {
        str(argument.value)
        for path in TESTS.rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "promise"
        for argument in node.args
        if isinstance(argument, ast.Constant)
    }
