"""The generated documents are those of the code, and declare everything that can be answered."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from backend import commands, errors
from backend.version import VERSION

if TYPE_CHECKING:
    from tests.support.api import Api

ROOT = Path(__file__).parents[3]
OPENAPI = ROOT / "docs/api/openapi.json"
ERRORS = ROOT / "docs/api/errors.md"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """Return the OpenAPI document of the code."""
    found: dict[str, Any] = json.loads(commands.openapi())
    return found


def test_openapi_is_the_generated_one() -> None:
    """Whoever changes the API runs `python -m backend openapi > docs/api/openapi.json`."""
    assert OPENAPI.read_text("utf-8") == commands.openapi() + "\n"


def test_errors_page_is_the_generated_one() -> None:
    """Whoever adds an error runs `python -m backend errors > docs/api/errors.md`."""
    assert ERRORS.read_text("utf-8") == commands.errors() + "\n"


def test_each_error_has_a_fix_and_an_anchor() -> None:
    """No error without a way out; no two share a code."""
    kinds = errors.every_error()
    anchors = re.findall(r"^## (\w+)$", ERRORS.read_text("utf-8"), re.MULTILINE)
    assert sorted(anchors) == sorted({kind.code for kind in kinds})
    for kind in kinds:
        assert len(kind.fix) > 10
        assert kind.title.endswith(".")
        assert 400 <= kind.status < 600


def test_every_operation_declares_its_problems(document: dict[str, Any]) -> None:
    """Keyed operations name the key and what everybody may get; texts are problems throughout."""
    assert len(document["paths"]) == 22 - 4
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            declared = set(operation["responses"])
            assert {"200", "413", "500"} <= declared, (method, path)
            if not path.startswith("/api"):
                assert "security" not in operation
                continue
            assert operation["security"] == [{"key": []}]
            assert {"401", "403", "415", "422", "429", "503"} <= declared, (method, path)
            assert ("404" in declared) or "{" not in path, (method, path)
            for status, answer in operation["responses"].items():
                if status != "200":
                    assert list(answer["content"]) == ["application/problem+json"]


@pytest.mark.anyio
async def test_document_describes_what_is_answered(api: Api, document: dict[str, Any]) -> None:
    """A problem and a word on health have the members that are declared, and no others."""
    schemas = document["components"]["schemas"]
    problem = (await api.nobody.get("/api/memories")).json()
    assert set(problem) == set(schemas["Problem"]["properties"])
    assert set(problem) == set(schemas["Problem"]["required"])
    health = (await api.nobody.get("/health")).json()
    assert health == {"status": "ok", "version": VERSION}
    assert set(health) == set(schemas["Health"]["properties"])
    assert schemas["Health"]["properties"]["status"]["const"] == "ok"


def test_operations_have_names_of_their_own(document: dict[str, Any]) -> None:
    """Generated clients need one name for each operation, and a sentence about it."""
    operations = [one for path in document["paths"].values() for one in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names))
    assert all(operation["description"] for operation in operations)


def test_version_is_the_plugin_s() -> None:
    """The truth is plugin.json."""
    plugin = json.loads((ROOT / "plugin/.claude-plugin/plugin.json").read_text("utf-8"))
    assert plugin["version"] == VERSION
