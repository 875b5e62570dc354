"""Where heavy tests find the real programs that `./dev test --all` installs.

A missing one fails the test that asked: a heavy test that was wanted never passes by not running.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tools import components, deploying

if TYPE_CHECKING:
    from pathlib import Path


def claude_code() -> Path:
    """Return the real Claude Code client."""
    return there(components.CLAUDE_CODE, f"Claude Code {components.CLAUDE_CODE_VERSION}")


def openbao() -> Path:
    """Return the real OpenBao server, `bao`."""
    return there(components.openbao_program(), "OpenBao")


def mcp_line_one_python() -> Path:
    """Return a Python that has the MCP SDK's 1.x line."""
    return there(components.mcp_line_one_python(), "the MCP SDK 1.x")


def pgbouncer() -> Path:
    """Return PgBouncer, a package of the system."""
    return _of_system(components.pgbouncer_program(), "pgbouncer")


def chromium() -> Path:
    """Return the browser, a package of the system."""
    return _of_system(components.chromium_program(), "chromium")


def browser_python() -> Path:
    """Return a Python that has Playwright."""
    return there(components.browser_python(), "Playwright")


def semantic_python() -> Path:
    """Return a Python that has all that a server needs, and MiniLM."""
    return there(components.semantic_python(), "MiniLM")


def gitleaks() -> Path:
    """Return gitleaks, with the rules that are built into it."""
    return there(components.gitleaks_program(), "gitleaks")


def _of_system(path: Path, package: str) -> Path:
    if not path.is_file():
        fix = f"{package} is missing. Install it: sudo apt install {package}"
        pytest.fail(fix, pytrace=False)
    return path


def deploying_program(name: str) -> Path:
    """Return a program that checks deploy/, such as `helm`."""
    return there(deploying.program(name), name)


def there(path: Path, name: str) -> Path:
    """Return `path` if it is a file, else fail the running test with the fix."""
    if not path.is_file():
        pytest.fail(f"{name} is not installed. `./dev test --all` installs it.", pytrace=False)
    return path
