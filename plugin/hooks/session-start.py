"""Doorway of SessionStart but compact: event on stdin, answer on stdout, exit code 0."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "mcp"))
try:
    if sys.version_info >= (3, 9):  # noqa: UP036  (an older one is told what is missing)
        from claude_memory.hooks import runtime
    else:
        import old_python as runtime

    runtime.run("session-start", sys.stdin.buffer, sys.stdout.buffer, os.environ)
except Exception:  # noqa: BLE001  (a broken installation must not harm the prompt)
    sys.exit(0)
