"""What a Python older than 3.9 is told, which can run nothing else of this plugin.

Like server.py it stays readable for old Pythons.
"""

import json
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO


def sentence() -> str:
    """Name the Python that was found, the one that is needed, and how to choose it."""
    found = sys.version.split()[0] + " (" + str(sys.executable) + ")"
    return (
        "claude-memory cannot work: it needs Python 3.9 or later, and `python3` is " + found + ". "
        "Install a newer one, put its folder first in PATH so that `python3` starts it, and start "
        "Claude Code again."
    )


def run(_doorway: str, _source: object, sink: "BinaryIO", _environ: object) -> None:
    """Answer the start of a session in the place of the hooks' runtime."""
    sink.write(json.dumps({"systemMessage": sentence()}).encode("ascii"))
    sink.flush()
