"""Rules of the layout that no linter knows."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from tools.locks import LOCKS

ROOT = Path(__file__).resolve().parents[2]
CLIENT = ROOT / "plugin" / "mcp" / "claude_memory"


def test_no_package_marker_shadows_another_package() -> None:
    """An __init__.py in plugin/, plugin/mcp/ or tests/ would hide the MCP SDK or a half of ours."""
    outside = [*(ROOT / "plugin").rglob("__init__.py"), *(ROOT / "tests").rglob("__init__.py")]
    assert [path for path in outside if not path.is_relative_to(CLIENT)] == []


def test_package_markers_of_the_client_are_empty() -> None:
    """Hooks pay for every line in them."""
    assert [path for path in CLIENT.rglob("__init__.py") if path.read_bytes().strip()] == []


def test_every_folder_of_the_client_is_a_package() -> None:
    """A folder without its marker would be left out of the import rules."""
    folders = {path.parent for path in CLIENT.rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").is_file()] == []


def test_the_version_is_the_same_everywhere() -> None:
    """The plugin's manifest has the truth; the project's table repeats it."""
    manifest = json.loads((ROOT / "plugin/.claude-plugin/plugin.json").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == manifest["version"]


@pytest.mark.parametrize(("group", "lock"), [(key, name) for key, (name, _) in LOCKS.items()])
def test_a_lock_satisfies_the_group_it_was_made_from(group: str, lock: str) -> None:
    """A changed requirement without a new lock would not be installed."""
    pinned = dict(re.findall(r"(?m)^([\w.-]+)==(\S+)", (ROOT / lock).read_text()))
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    for requirement in map(Requirement, _requirements(groups, group)):
        assert requirement.specifier.contains(pinned[requirement.name]), requirement


def _requirements(groups: dict[str, list[Any]], name: str) -> list[str]:
    """Return what a group asks for, with the groups that it includes (PEP 735)."""
    found: list[str] = []
    for entry in groups[name]:
        included = isinstance(entry, dict)
        found += _requirements(groups, entry["include-group"]) if included else [entry]
    return found


def test_locks_hold_hashes_and_no_place_to_download_from() -> None:
    """A lock must work with whatever package index a machine uses."""
    for lock in ROOT.glob("requirements*.lock"):
        text = lock.read_text(encoding="utf-8")
        assert re.findall(r"://|index-url|find-links", text) == [], lock.name
        pinned = re.split(r"(?m)^(?=\w)", text)[1:]
        assert [
            entry for entry in pinned if "==" not in entry or "--hash=sha256:" not in entry
        ] == []
