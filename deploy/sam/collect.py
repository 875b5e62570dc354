"""Collects in deploy/sam/source what the functions consist of, for `sam build`."""

from __future__ import annotations

import shutil
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SOURCE = HERE / "source"
NOT_NEEDED = ("__pycache__", "*.pyc")
TABLE = ROOT / "plugin" / "mcp" / "claude_memory" / "store" / "embedding.bin"

shutil.rmtree(SOURCE, ignore_errors=True)
for folder in ("backend", "migrations"):
    shutil.copytree(ROOT / folder, SOURCE / folder, ignore=shutil.ignore_patterns(*NOT_NEEDED))
shutil.copy(TABLE, SOURCE / "backend" / "ranking")
shutil.copy(ROOT / "requirements-function.lock", SOURCE / "requirements.txt")
