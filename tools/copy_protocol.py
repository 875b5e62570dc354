"""Writes the backend's copies of what /mcp and stdio do alike: `python -m tools.copy_protocol`.

A message that is refused over stdio is refused over HTTP, in the same words, and a memory is
written for a model in the same way.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]  # it is run as a file, too

from tools.copying import CLIENT, ROOT, Copying  # noqa: E402

PROTOCOL = Copying(
    "copy_protocol.py",
    CLIENT,
    ROOT / "backend" / "remote",
    {"claude_memory.memory": "backend.remote.shown"},
    ("stdio/jsonrpc.py", "store/lines.py"),
)

if __name__ == "__main__":
    PROTOCOL.write()
