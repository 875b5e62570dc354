"""server.py: its own package and no other, old Pythons told so, quiet when ended early."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.stdio_peer import CLIENT, HANG

if TYPE_CHECKING:
    from pathlib import Path

DOORWAY = CLIENT / "server.py"
STUB = "def main(argv):\n    print(__file__, *argv)\n    return len(argv)\n"


def place(folder: Path, main: str) -> Path:
    """Write a package `claude_memory` with this `__main__` into `folder`."""
    package = folder / "claude_memory"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(main)
    return folder


@pytest.mark.parametrize("options", [[], ["-S", "-E"], ["-I"]])
def test_its_own_package_is_taken(tmp_path: Path, options: list[str]) -> None:
    """A package of the same name in the user's folder or path is not ours."""
    installed = place(tmp_path / "a folder é" / "mcp", STUB)
    decoy = place(tmp_path / "decoy", "def main(argv):\n    print('decoy')\n    return 9\n")
    shutil.copy(DOORWAY, installed)
    done = subprocess.run(
        [sys.executable, *options, str(installed / "server.py"), "doctor", "--json"],
        cwd=decoy,
        env={**os.environ, "PYTHONPATH": str(decoy), "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        timeout=HANG,
        check=False,
    )
    main = str(installed / "claude_memory" / "__main__.py")
    assert done.stdout.split(" doctor")[0] == main, done.stderr
    assert done.stdout.endswith(" doctor --json\n")
    assert done.returncode == 2


@pytest.mark.parametrize("name", ["PYTHONPATH", "PYTHONHOME"])
def test_client_starts_it_whatever_python_is_told_elsewhere(tmp_path: Path, name: str) -> None:
    """A project's own modules on PYTHONPATH do not stand in for those of Python."""
    for module in ("json", "queue", "types", "sqlite3"):
        (tmp_path / f"{module}.py").write_text("raise SystemExit(9)\n")
    registered = json.loads((CLIENT.parent / ".mcp.json").read_text())["mcpServers"]["memory"]
    root = str(CLIENT.parent)
    words = [word.replace("${CLAUDE_PLUGIN_ROOT}", root) for word in registered["args"]]
    done = subprocess.run(
        [sys.executable, *words],
        input='{"jsonrpc": "2.0", "id": 1, "method": "ping"}\n',
        env={**os.environ, name: str(tmp_path), "MEMORY_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        timeout=HANG,
        check=False,
    )
    assert json.loads(done.stdout) == {"jsonrpc": "2.0", "id": 1, "result": {}}, done.stderr


def test_old_python_is_told_what_to_do() -> None:
    """One sentence that names the version and the fix; nothing of the client is imported."""
    code = (
        "import sys; sys.version_info = (3, 8, 18, 'final', 0); sys.version = '3.8.18 (old)'; "
        f"sys.executable = '/old/python3'; __file__ = {str(DOORWAY)!r}; "
        "exec(compile(open(__file__).read(), 'server.py', 'exec'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=HANG, check=False
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        "claude-memory cannot work: it needs Python 3.9 or later, and `python3` is 3.8.18 "
        "(/old/python3). Install a newer one, put its folder first in PATH so that `python3` "
        "starts it, and start Claude Code again.\n"
    )


@pytest.mark.parametrize("name", ["server.py", "old_python.py", "../hooks/session-start.py"])
def test_old_python_can_read_it(name: str) -> None:
    """No syntax younger than Python 3: no f-string, no typed variable, no walrus, no __future__."""
    source = (CLIENT / name).read_text(encoding="ascii")
    tree = ast.parse(source, feature_version=(3, 4))
    young = (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr)
    assert [ast.dump(node) for node in ast.walk(tree) if isinstance(node, young)] == []
    assert "__future__" not in source


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_signal_during_the_start_ends_it_quietly(tmp_path: Path, name: str) -> None:
    """A client that changes its mind while modules are still imported sees no traceback."""
    slow_import = f"import os, signal\nos.kill(os.getpid(), signal.{name})\nprint('too far')\n"
    installed = place(tmp_path, slow_import + STUB)
    shutil.copy(DOORWAY, installed)
    done = subprocess.run(
        [sys.executable, str(installed / "server.py")],
        capture_output=True,
        text=True,
        timeout=HANG,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
