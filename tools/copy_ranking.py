"""Writes the backend's copy of how the plugin ranks: `python -m tools.copy_ranking`.

Both must order alike, and take the same texts for one. What decides that has one source, in
plugin/mcp/claude_memory/store; what is read of a memory, and from where, is each half's own.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]  # it is run as a file, too

from tools.copying import CLIENT, ROOT, Copying  # noqa: E402

RANKING = Copying(
    "copy_ranking.py",
    CLIENT / "store",
    ROOT / "backend" / "ranking",
    {
        "claude_memory.memory": "backend.ranking.found",
        "claude_memory.store.postings": "backend.ranking.found",
        "claude_memory.store.recall": "backend.ranking.found",
        "claude_memory.store": "backend.ranking",
    },
    (
        *("commonness.py", "copies.py", "embedding.py", "ranking.py"),
        *("sameness.py", "terms.py", "vectors.py", "words.py"),
    ),
)

if __name__ == "__main__":
    RANKING.write()
