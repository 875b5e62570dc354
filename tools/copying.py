"""Copies modules of the plugin into the backend: the two halves never import each other.

What both must do alike has one source, in the plugin, and a test fails while a copy differs.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[1]
CLIENT = ROOT / "plugin" / "mcp" / "claude_memory"
HEADER = "# Generated from {source} by tools/{tool}: change that, not this.\n"


@dataclass(frozen=True)
class Copying:
    """Some modules of a package of the plugin, and the package of the backend that has copies."""

    tool: str  # the file that is to be run
    source: Path
    target: Path
    renamed: Mapping[str, str]  # what is imported, under the names that it has in the plugin
    names: tuple[str, ...] = ()  # of the files, from `source` on; else all of the package

    def copies(self) -> dict[str, str]:
        """Return what each file of the copy has to hold."""
        names = self.names or [path.name for path in self.source.glob("*.py")]
        return {Path(name).name: self._copy(self.source / name) for name in sorted(names)}

    def differences(self) -> list[str]:
        """Name the files of the copy that are missing, left over or different."""
        wanted = self.copies()
        there = {path.name: path.read_text(encoding="utf-8") for path in self._there()}
        return sorted(name for name in wanted | there if wanted.get(name) != there.get(name))

    def write(self) -> None:
        """Bring the copy to what the source says, and tell what that changed."""
        changed = self.differences()
        self.target.mkdir(exist_ok=True)
        wanted = self.copies()
        for path in self._there():
            if path.name not in wanted:
                path.unlink()
        for name, text in wanted.items():
            (self.target / name).write_text(text, encoding="utf-8")
        sys.stdout.write("".join(f"wrote {name}\n" for name in changed))

    def _there(self) -> list[Path]:
        """Return the files that are copies: all, or those that say so where others lie beside."""
        found = sorted(self.target.glob("*.py"))
        if not self.names:
            return found
        return [path for path in found if path.read_text("utf-8").startswith("# Generated from")]

    def _copy(self, path: Path) -> str:
        text = path.read_text(encoding="utf-8")
        if not text:
            return ""
        for name, other in self.renamed.items():
            text = re.sub(rf"\b{re.escape(name)}\b", other, text)
        source = path.relative_to(ROOT).as_posix()
        return HEADER.format(source=source, tool=self.tool) + text
