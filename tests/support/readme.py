"""The README's own commands and configuration, for the tests that run them as they stand there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(language: str, page: Path = README) -> list[str]:
    """Return the code blocks of a page in one language, in their order."""
    found = BLOCK.findall(page.read_text(encoding="utf-8"))
    return [text for kind, text in found if kind == language]


def commands(*starts: str) -> list[str]:
    """Return the lines of the README's shell blocks that begin with one of these words."""
    joined = [re.sub(r"\\\n *", "", block) for block in blocks("sh")]
    lines = [line for block in joined for line in block.splitlines() if line.strip()]
    return [line for line in lines if not starts or line.startswith(starts)]


def configuration() -> dict[str, Any]:
    """Return the entry for other MCP clients."""
    [block] = [text for text in blocks("json") if "mcpServers" in text]
    read: dict[str, Any] = json.loads(block)
    return read
