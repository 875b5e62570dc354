"""Writes the backend's copy of the plugin's detector: `python -m tools.copy_detector`.

Both must find the same secrets. The rules have one source, plugin/mcp/claude_memory/redaction.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]  # it is run as a file, too

from tools.copying import CLIENT, ROOT, Copying  # noqa: E402

DETECTOR = Copying(
    "copy_detector.py",
    CLIENT / "redaction",
    ROOT / "backend" / "secrets" / "detection",
    {"claude_memory.redaction": "backend.secrets.detection"},
)

if __name__ == "__main__":
    DETECTOR.write()
