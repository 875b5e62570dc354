"""Writes the backend's copy of how a JSON-RPC message is read: `python -m tools.copy_protocol`.

A message that is refused over stdio is refused over HTTP, in the same words.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]  # it is run as a file, too

from tools.copying import CLIENT, ROOT, Copying  # noqa: E402

PROTOCOL = Copying(
    "copy_protocol.py", CLIENT / "stdio", ROOT / "backend" / "remote", {}, ("jsonrpc.py",)
)

if __name__ == "__main__":
    PROTOCOL.write()
