"""The server ranks by the plugin's own modules and table, wherever it is put."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from backend import meaning
from tools.copy_ranking import RANKING

ROOT = Path(__file__).parents[2]
TABLE = meaning.PLACES[1].relative_to(ROOT).as_posix()
LOOK = "from backend import meaning; print(meaning.table() is not None)"

FUNCTIONS = "import artefact, pathlib, sys; artefact.add_ours(pathlib.Path(sys.argv[1]))"


def has_table(folder: Path) -> str:
    """Ask a copy of the server whether it found the table."""
    command = [sys.executable, "-c", LOOK]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


def test_copy_is_what_the_plugin_has() -> None:
    """After a change of the ranking: python tools/copy_ranking.py."""
    assert RANKING.differences() == []


def test_copy_knows_nothing_of_the_plugin() -> None:
    """No name of its package is left in it."""
    texts = [path.read_text("utf-8") for path in RANKING.target.glob("*.py")]
    assert len(texts) > 6
    assert not [
        text for text in texts if re.search(r"^\s*(from|import) claude_memory", text, re.MULTILINE)
    ]


def test_checkout_reads_the_table_of_the_plugin() -> None:
    """So that it lies in the repository once."""
    assert has_table(ROOT) == "True\n"
    assert not meaning.PLACES[0].exists()


def test_functions_get_the_table(tmp_path: Path) -> None:
    """What `sam build` makes has it beside the ranking."""
    command = [sys.executable, "-c", FUNCTIONS, str(tmp_path)]
    subprocess.run(command, cwd=ROOT / "deploy" / "sam", check=True)
    assert has_table(tmp_path) == "True\n"


def test_image_gets_the_table() -> None:
    """The builder puts it where the server looks first."""
    text = (ROOT / "deploy" / "docker" / "Dockerfile").read_text("utf-8")
    target = meaning.PLACES[0].parent.relative_to(ROOT).as_posix()
    assert f"COPY {TABLE} {target}/\n" in text


@pytest.mark.parametrize("content", [None, b"", b"CMEMVEC1 and no table"])
def test_server_does_without_the_table(tmp_path: Path, content: bytes | None) -> None:
    """Where it is missing or damaged, words alone decide."""
    shutil.copytree(ROOT / "backend", tmp_path / "backend")
    if content is not None:
        (tmp_path / "backend" / "ranking" / "embedding.bin").write_bytes(content)
    assert has_table(tmp_path) == "False\n"


def test_start_of_the_server_reads_no_table() -> None:
    """A cold start does not pay for it: it is mapped by the first text that is compared."""
    program = "import backend.asgi; from backend import meaning; print(meaning.table.cache_info())"
    command = [sys.executable, "-c", program]
    environ = {"DATABASE_URL": "postgresql://nowhere.invalid/x", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, check=True
    )
    assert "currsize=0" in done.stdout
