"""What the documents say is what the code has, and the other way round."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
from claude_memory import commands, tools
from claude_memory.hooks import runtime
from claude_memory.memory import CATEGORIES
from claude_memory.settings import Settings

from tests.support.pages import cells, quoted, table, text
from tests.support.promises import promise
from tests.support.readme import README, ROOT, blocks, configuration
from tests.support.readme import commands as shell_lines
from tests.support.stdio_peer import HANG, Peer
from tools import dev as dev_program
from tools import documents

if TYPE_CHECKING:
    import argparse
    from typing import Any

    from claude_memory.service.interface import MemoryService, StatusService

    Json = dict[str, Any]

PLUGIN = ROOT / "plugin"
PACKAGE = PLUGIN / "mcp" / "claude_memory"
DOCS = ROOT / "docs"
PAGES = [README, *sorted(ROOT.glob("[A-Z]*.md")), *sorted(DOCS.rglob("*.md"))]
VARIABLE = re.compile(
    r"(?:MEMORY|CLAUDE_MEMORY|VAULT|DEBUG_CLAUDE_MEMORY|DISABLE_CLAUDE_MEMORY)_[A-Z_]+"
)
INTERNAL = {"CLAUDE_MEMORY_JUDGE"}  # how our own judge is silenced; nobody sets it
TESTED_ELSEWHERE = {  # shell lines of the README, by how they begin, and who runs them
    "claude plugin": "tests/client/test_readme.py",
    "git clone": "tests/client/test_readme.py",
    "claude mcp": "tests/client/test_readme.py",
    "./dev run": "tests/tools/test_prove_plugin.py",
    "python3 plugin": "tests/test_documents.py",
    "export DATABASE_URL=": "tests/backend/test_documents.py",
    "export API_KEY": "tests/backend/test_documents.py",
    "export MEMORY_KEY_FILE": "tests/deploy/test_readme.py",
    "python -m backend serve": "tests/backend/test_serving.py",
    "python -m backend keys": "tests/backend/test_commands.py",
    "python -m backend migrate": "tests/backend/test_migrate.py",
    "alembic upgrade head": "tests/backend/test_migrate.py",
    "docker compose": "tests/deploy/test_image.py",
    "python3 -m venv": "tests/deploy/test_readme.py",
    ". server/bin/activate": "tests/deploy/test_readme.py",
    "python -m pip": "tests/deploy/test_readme.py",
    "helm install": "tests/deploy/test_readme.py",
    "kubectl": "tests/deploy/test_readme.py",
    "cd deploy/sam": "tests/deploy/test_readme.py",
    "sam ": "tests/deploy/test_readme.py",
}


def parsers() -> dict[str, argparse.ArgumentParser]:
    """Return the parser of each command of server.py."""
    actions = commands._parser("0")._actions
    [found] = [action.choices for action in actions if isinstance(action.choices, dict)]
    return cast("dict[str, argparse.ArgumentParser]", found)


def test_tools_and_their_arguments_are_those_of_the_readme() -> None:
    """In the order in which Claude sees them."""
    built = tools.build(cast("MemoryService", None), cast("StatusService", None))
    wanted = [(tool.name, list(cast("Json", tool.schema["properties"]))) for tool, _ in built]
    assert [(quoted(row[0])[0], quoted(row[1])) for row in table(README, "tool")] == wanted


def test_categories_are_those_of_the_readme() -> None:
    """Both name all five."""
    sentence = re.search(r"Categories are (.*?)\.", text(README), re.DOTALL)
    assert sentence
    assert tuple(quoted(sentence[1])) == CATEGORIES


def test_settings_are_those_of_the_readme() -> None:
    """Every variable that the plugin reads has a row, and every row is read."""
    read = {
        node.value
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(text(path)))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if VARIABLE.fullmatch(node.value)
    }
    assert set(cells(README, "variable")) == read - INTERNAL


def test_options_of_the_plugin_are_those_of_the_readme() -> None:
    """What `/plugin configure memory` offers."""
    options = json.loads(text(PLUGIN / ".claude-plugin" / "plugin.json"))["userConfig"]
    assert sorted(cells(README, "variable", 1)) == sorted(options)


def test_defaults_are_those_of_the_readme() -> None:
    """A default that was changed in one place only misleads."""
    written = {quoted(row[0])[0]: quoted(row[3]) for row in table(README, "variable")}
    used = Settings.from_env({})
    assert written["MEMORY_RECALL_BUDGET"] == [str(used.recall_budget)]
    assert written["MEMORY_LEARN"] == [used.learn]
    assert written["MEMORY_LEARN_JUDGE"] == [used.judge]
    assert written["MEMORY_LEARN_DAILY"] == [str(used.learn_daily)]
    assert written["MEMORY_APPROVE"] == [used.approve]
    assert written["MEMORY_SYNC_INTERVAL"] == [f"{used.sync_interval:g}"]
    assert os.path.expanduser(written["MEMORY_HOME"][0]) == used.home  # noqa: PTH111


@pytest.mark.parametrize("page", [README, PLUGIN / "README.md"], ids=["README", "plugin"])
def test_commands_of_the_client_are_those_of_the_documents(page: Path) -> None:
    """Each file of plugin/commands is a command."""
    names = sorted(f"/memory:{path.stem}" for path in (PLUGIN / "commands").glob("*.md"))
    head = "in Claude Code" if page == README else "command"
    found = [re.sub(r" <.*", "", name) for name in cells(page, head) if name.startswith("/memory")]
    assert sorted(found) == names


def test_commands_of_the_shell_are_those_of_the_readme() -> None:
    """Every subcommand and every option has been named, and nothing else."""
    lines = [line.split()[2:] for line in shell_lines("python3 plugin/mcp/server.py")]
    used = {words[0] for words in lines if not words[0].startswith("-")}
    assert used == set(parsers())
    options = {
        option
        for parser in parsers().values()
        for action in parser._actions
        for option in action.option_strings
        if option.startswith("--") and option != "--help"
    }
    assert {option for option in options if option not in text(README)} == set()


def test_doorways_and_events_are_those_of_the_documents() -> None:
    """The files, what the code answers, what is registered, and what is written are one list."""
    rows = table(DOCS / "hooks.md", "doorway")
    written = {quoted(row[0])[0].removesuffix(".py"): tuple(quoted(row[1])) for row in rows}
    assert written == runtime.DOORWAYS
    assert {path.stem for path in (PLUGIN / "hooks").glob("*.py")} == set(written)
    registered = json.loads(text(PLUGIN / "hooks" / "hooks.json"))["hooks"]
    assert set(registered) == {event for events in written.values() for event in events}


@pytest.mark.parametrize("page", [README, ROOT / "CONTRIBUTING.md"], ids=lambda page: page.stem)
def test_commands_of_a_checkout_are_those_of_the_documents(page: Path) -> None:
    """`./dev` knows no command that is not written down, and the other way round."""
    known = set(re.findall(r"^  ([a-z]+)", dev_program.USAGE, re.MULTILINE)) - {"lock"}
    written = {name.split()[1] for name in cells(page, "command") if name.startswith("./dev")}
    assert written - {"lock"} == known


def test_modules_are_those_of_the_architecture() -> None:
    """Each module at the top of the package has an owner's line."""
    there = {path.name + "/" for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()}
    there |= {path.stem for path in PACKAGE.glob("*.py")} - {"__init__"}
    assert set(cells(DOCS / "architecture.md", "module")) == there


def test_version_has_an_entry_in_the_changelog() -> None:
    """The newest entry is the version that plugin.json names."""
    version = json.loads(text(PLUGIN / ".claude-plugin" / "plugin.json"))["version"]
    released = re.findall(r"^## \[(\d[^\]]*)\]", text(ROOT / "CHANGELOG.md"), re.MULTILINE)
    assert released[0] == version


def test_words_of_the_glossary_are_in_use() -> None:
    """A word that nobody uses is not one of ours."""
    code = [*PACKAGE.rglob("*.py"), *(ROOT / "backend").rglob("*.py")]
    sources = [*PAGES, *code, *(PLUGIN / "commands").glob("*.md")]
    used = "\n".join(text(page) for page in sources if page.name != "glossary.md").lower()
    words = [word for row in table(DOCS / "glossary.md", "word") for word in row[0].split(", ")]
    assert [word for word in words if word.lower() not in used] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_page_leads_somewhere_and_holds_no_placeholder(page: Path) -> None:
    """Links, files named in code marks, and the one placeholder that there is."""
    assert list(documents.broken_links(page, ROOT)) == []
    written = text(page)
    found = set(re.findall(r"<[a-z][\w /-]*>", re.sub(r"<!--.*?-->", "", written)))
    assert found <= {"<owner>", "<repo>", "<key>"}, found
    named = re.findall(r"`((?:plugin|tests|tools|bench)/[\w./-]+)`", written)
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_policy_for_vault_is_the_one_that_was_tried() -> None:
    """A real OpenBao is given the same in tests/system."""
    [policy] = blocks("hcl", DOCS / "secrets.md")
    tried = re.search(
        r'LEAST = """(.*?)"""', text(ROOT / "tests/system/test_openbao.py"), re.DOTALL
    )
    assert tried
    assert policy.split() == tried[1].split()


def test_each_shell_line_of_the_readme_is_run_by_a_test() -> None:
    """A command that nobody has run may not work."""
    unknown = [line for line in shell_lines() if not line.startswith(tuple(TESTED_ELSEWHERE))]
    assert unknown == []
    assert [name for name in TESTED_ELSEWHERE.values() if not (ROOT / name).is_file()] == []


def typed(line: str, clone: Path) -> str:
    """Run a line of a shell in a folder that looks like a clone; return what it printed."""
    (clone / "bin").mkdir(exist_ok=True)
    for link, target in (("bin/python3", Path(sys.executable).resolve()), ("plugin", PLUGIN)):
        if not (clone / link).exists():
            (clone / link).symlink_to(target)
    done = subprocess.run(
        ["/bin/sh", "-euc", line],
        cwd=clone,
        env={"HOME": str(Path.home()), "PATH": f"{clone}/bin:/usr/bin:/bin"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=HANG,
        check=True,
    )
    return done.stdout


def test_shell_lines_of_the_readme_work_in_their_order(tmp_path: Path) -> None:
    """The check-up, the status, an export, and its import."""
    said = [typed(line, tmp_path) for line in shell_lines("python3 plugin/mcp/server.py")]
    assert len(said) == 7
    assert said[0].startswith("ok    python: claude-memory ")
    assert json.loads(said[1])["ok"] is True
    assert said[2].startswith("Mode: SQLite-only\n")
    assert said[-1].startswith("claude-memory 0.")


def test_shell_lines_of_the_hooks_page_work(tmp_path: Path) -> None:
    """A doorway greets a person who tries it."""
    [line] = blocks("sh", DOCS / "hooks.md")
    said = json.loads(typed(line, tmp_path))
    assert said["hookSpecificOutput"]["additionalContext"] == "claude-memory: no memories yet."


@promise("plugin.other-clients-can-use-it")
def test_configuration_for_other_clients_starts_the_server(tmp_path: Path) -> None:
    """The entry as it stands in the README, with the place of the clone put in."""
    entry = configuration()["mcpServers"]["memory"]
    [argument] = entry["args"]
    clone, home = "/home/you/claude-memory", entry["env"]["MEMORY_HOME"]
    assert (entry["type"], entry["command"]) == ("stdio", "python3")
    assert argument.startswith(f"{clone}/")
    assert home == "/home/you/.claude/claude-memory"
    command = [sys.executable, argument.replace(clone, str(ROOT))]
    with Peer(command, env={**os.environ, "MEMORY_HOME": str(tmp_path)}) as peer:
        assert len(peer.answer("tools/list")["result"]["tools"]) == 7


def test_python_versions_are_those_that_are_tested() -> None:
    """The oldest that the plugin promises is the oldest that its suite is run on."""
    supported = re.search(r"\| Python \| (3\.\d+) to (3\.\d+);", text(README))
    assert supported
    settings = tomllib.loads(text(ROOT / "pyproject.toml"))
    oldest = settings["tool"]["ruff"]["per-file-target-version"]["plugin/**"]
    assert f"py{supported[1].replace('.', '')}" == oldest


def test_client_version_is_the_one_that_is_tested() -> None:
    """The README names the client that the heavy tests install."""
    pinned = tomllib.loads(text(ROOT / "tools" / "claude-code.toml"))["version"]
    assert f"tested with {pinned}" in text(README)
