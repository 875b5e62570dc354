"""What the documents say of the server is what the code has, and the other way round."""

from __future__ import annotations

import ast
import re
import sys
from typing import TYPE_CHECKING, cast

import pytest

from backend import __main__ as program
from backend.app import create_app
from backend.errors import ApiError
from backend.settings import Settings
from tests.support.pages import cells, quoted, table, text
from tests.support.readme import README, ROOT, blocks, commands

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

BACKEND = ROOT / "backend"
DOCS = ROOT / "docs"


def environment() -> dict[str, str]:
    """Return what the README's shell lines for the server export."""
    return {
        name: value.strip("\"'")
        for line in commands("export ")
        for name, value in [line.removeprefix("export ").split("=", 1)]
    }


def parsers(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Return the parser of each subcommand."""
    found = [action.choices for action in parser._actions if isinstance(action.choices, dict)]
    return cast("dict[str, argparse.ArgumentParser]", found[0] if found else {})


def test_endpoints_are_those_of_the_readme() -> None:
    """Every method of every address, and nothing else."""
    paths = create_app(Settings()).openapi()["paths"]
    there = {
        (method.upper(), path.replace("{memory_id}", "{id}"))
        for path, operations in paths.items()
        for method in operations
    }
    written = [cast("tuple[str, str]", tuple(one.split())) for one in cells(README, "endpoint")]
    assert sorted(written) == sorted(there)


def test_parameters_are_those_of_the_readme() -> None:
    """Each one of a query or a header is named in the row of its address."""
    paths = create_app(Settings()).openapi()["paths"]
    asked = {quoted(row[0])[0]: row[1].lower() for row in table(README, "endpoint")}
    missing = [
        (method, path, one["name"])
        for path, operations in paths.items()
        for method, operation in operations.items()
        for one in operation.get("parameters", [])
        if one["in"] != "path" and method != "put"  # whose row says that it is as PATCH
        if f"`{one['name']}" not in asked[f"{method.upper()} {path}".replace("memory_id", "id")]
    ]
    assert missing == []


def test_variables_are_those_of_the_readme() -> None:
    """Every variable that the settings read has a row, and every row is read."""
    read = {
        node.value
        for module in ("settings.py", "secrets/settings_source.py")
        for node in ast.walk(ast.parse(text(BACKEND / module)))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if re.fullmatch(r"(?:MEMORY|VAULT|API|DATABASE|OTEL)_[A-Z_]+", node.value)
    }
    assert sorted(cells(README, "server variable")) == sorted(read)


def test_defaults_are_those_of_the_readme() -> None:
    """A default that was changed in one place only misleads."""
    written = {quoted(row[0])[0]: quoted(row[2]) for row in table(README, "server variable")}
    used = Settings.from_env({})
    assert written["MEMORY_MIGRATE"] == [used.migrate]
    assert written["MEMORY_METRICS_PORT"] == [str(used.metrics_port)]
    assert written["MEMORY_POOL_SIZE"] == [str(used.pool_size)]
    assert written["MEMORY_WORKERS"] == [str(used.workers)]
    assert written["MEMORY_RATE"] == [str(used.rate)]
    assert written["MEMORY_BURST"] == [str(used.burst)]
    assert written["VAULT_MOUNT"] == [used.vault_mount]
    assert written["VAULT_PREFIX"] == [used.vault_prefix]


def test_exported_examples_are_settings() -> None:
    """What the README exports is understood."""
    shown = environment()
    assert set(shown) == {"DATABASE_URL", "API_KEY", "API_KEYS", "MEMORY_KEY_FILE"}
    assert set(Settings.from_env(shown).keys) == {"default", "alice", "bob"}


def test_commands_are_those_of_the_readme() -> None:
    """Every command of `python -m backend`, and every action of `keys`."""
    known = parsers(program._parser())
    written = [name.split()[3] for name in cells(README, "server command") if "-m" in name]
    assert written == list(known)
    [actions] = [row[1] for row in table(README, "server command") if "backend keys" in row[0]]
    assert quoted(actions) == list(parsers(known["keys"]))


@pytest.mark.parametrize("page", [README, DOCS / "operations.md"], ids=lambda page: page.stem)
def test_command_lines_are_understood(page: Path) -> None:
    """Every line in a shell block that calls the server's program."""
    lines = [line for block in blocks("sh", page) for line in block.splitlines()]
    called = [line.split("-m backend ", 1)[1].split() for line in lines if "-m backend " in line]
    assert called
    for words in called:
        program._parser().parse_args(words)


def test_options_of_the_operations_page_exist() -> None:
    """An option that is not there stops an operator in the middle of a job."""
    known = set()
    waiting = [program._parser()]
    while waiting:
        parser = waiting.pop()
        known |= {option for action in parser._actions for option in action.option_strings}
        waiting += parsers(parser).values()
    others = r"```.*?```|`docker [^`]*`"
    page = re.sub(others, "", text(DOCS / "operations.md"), flags=re.DOTALL)
    found = set(re.findall(r"--[a-z][a-z-]+", page))
    assert found <= known, found - known


def test_errors_are_those_of_their_page() -> None:
    """Every code has its heading, and every heading is a code."""
    codes, waiting = {ApiError.code}, [ApiError]
    while waiting:
        kinds = waiting.pop().__subclasses__()
        codes |= {kind.code for kind in kinds}
        waiting += kinds
    headings = re.findall(r"^## (\w+)$", text(DOCS / "api" / "errors.md"), re.MULTILINE)
    assert sorted(headings) == sorted(codes)


def test_modules_are_those_of_the_architecture() -> None:
    """Each module at the top of the package has an owner's line."""
    there = {path.name + "/" for path in BACKEND.iterdir() if (path / "__init__.py").is_file()}
    there |= {path.stem for path in BACKEND.glob("*.py")} - {"__init__"}
    assert set(cells(DOCS / "architecture.md", "backend module")) == there


def test_each_guard_is_shown_by_tests_that_exist() -> None:
    """A guard whose test has gone is only a hope."""
    tests = "\n".join(text(path) for path in (ROOT / "tests" / "backend").rglob("*.py"))
    named = cells(DOCS / "security.md", "chapter", 2)
    assert len(named) > 50
    missing = [name for name in named if name[:5] == "test_" and f"def {name}(" not in tests]
    assert missing == []


def test_metrics_are_those_of_the_operations_page() -> None:
    """Names that a dashboard is built on."""
    source = text(BACKEND / "telemetry.py")
    made = set(re.findall(r'"(memory_[a-z_]+)"', source))
    named = re.findall(
        r"`(memory_(?:keeper|requests?|semantic)[a-z_]*)`", text(DOCS / "operations.md")
    )
    assert {name.removesuffix("_total") for name in named} == made


def test_python_of_the_server_is_the_one_required() -> None:
    """The README and the project file name the same oldest version."""
    required = re.search(r'requires-python = ">=(3\.\d+)"', text(ROOT / "pyproject.toml"))
    assert required
    assert f"It needs Python {required[1]} or later" in text(README)
    assert sys.version_info[:2] >= tuple(int(part) for part in required[1].split("."))
