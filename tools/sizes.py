"""The limits on how long a function and a file may be; no file is on an exception list."""

from __future__ import annotations

import ast
import sys
from typing import TYPE_CHECKING

from tools.environment import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FOLDERS = ("plugin", "backend", "tools", "bench", "tests")
FUNCTION_LIMIT = 50
FILE_LIMIT = 400
TEST_FILE_LIMIT = 600


def main() -> int:
    """Print what is over a limit; return 1 if anything is."""
    over = [complaint for folder in FOLDERS for complaint in complaints(ROOT / folder)]
    for complaint in over:
        print(complaint)
    return int(bool(over))


def complaints(folder: Path) -> Iterator[str]:
    """Yield a sentence for each file or function below `folder` that is too long."""
    for path in sorted(folder.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        name = path.relative_to(folder.parent)
        limit = TEST_FILE_LIMIT if folder.name == "tests" else FILE_LIMIT
        lines = len(text.splitlines())
        if lines > limit:
            yield f"{name}: {lines} lines, the limit is {limit}"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > FUNCTION_LIMIT:
                    yield (
                        f"{name}:{node.lineno}: {node.name} has {length} lines, "
                        f"the limit is {FUNCTION_LIMIT}"
                    )


if __name__ == "__main__":
    sys.exit(main())
