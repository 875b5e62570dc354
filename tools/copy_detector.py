"""Writes the backend's copy of the plugin's detector: `python tools/copy_detector.py`.

Plugin and backend never import each other, and both must find the same secrets. So the rules have
one source, plugin/mcp/claude_memory/redaction, and a test fails while the copy differs from it.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "plugin" / "mcp" / "claude_memory" / "redaction"
COPY = ROOT / "backend" / "secrets" / "detection"
HEADER = "# Generated from {source} by tools/copy_detector.py: change that, not this.\n"
PACKAGE = re.compile(r"\bclaude_memory\.redaction\b")


def copies() -> dict[str, str]:
    """Return what each file of the copy has to hold."""
    return {path.name: _copy(path) for path in sorted(SOURCE.glob("*.py"))}


def differences() -> list[str]:
    """Name the files of the copy that are missing, left over or different."""
    wanted = copies()
    there = {path.name: path.read_text(encoding="utf-8") for path in COPY.glob("*.py")}
    return sorted(name for name in wanted | there if wanted.get(name) != there.get(name))


def write() -> None:
    """Bring the copy to what the source says."""
    COPY.mkdir(exist_ok=True)
    wanted = copies()
    for path in COPY.glob("*.py"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (COPY / name).write_text(text, encoding="utf-8")


def _copy(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    if not text:
        return ""
    header = HEADER.format(source=path.relative_to(ROOT).as_posix())
    return header + PACKAGE.sub("backend.secrets.detection", text)


if __name__ == "__main__":
    changed = differences()
    write()
    sys.stdout.write("".join(f"wrote {name}\n" for name in changed))
