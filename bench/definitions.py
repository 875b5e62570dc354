"""What the plugin takes of a context window, and of a disk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from claude_memory.store.embedding import PATH

from bench import stores
from bench.processes import PLUGIN, Server

if TYPE_CHECKING:
    from bench.report import Report

PER_TOKEN = 4  # characters


def run(report: Report) -> None:
    """Count the tool definitions and the instructions, and the files."""
    with stores.folder() as place, Server(place / "home") as server:
        opened = server.ask(
            "initialize", protocolVersion="2025-11-25", capabilities={}, clientInfo={}
        )
        tools = server.ask("tools/list")["tools"]
        server.leave()
    shown = json.dumps(tools, ensure_ascii=False, separators=(",", ":"))
    report.add("all tool definitions", len(shown) / PER_TOKEN, "tokens", 1_000)
    report.add("server instructions", len(opened["instructions"]) / PER_TOKEN, "tokens")
    words = Path(PATH).stat().st_size
    report.add("table of word vectors", words / 1e6, "MB", 8)
    report.add("plugin/ on the disk without it", (_disk_bytes() - words) / 1e6, "MB", 1)


def _disk_bytes() -> int:
    """Add up the blocks of all files and folders that are not made by Python itself."""
    kept = (path for path in PLUGIN.rglob("*") if "__pycache__" not in path.parts)
    return sum(path.lstat().st_blocks * 512 for path in kept)
