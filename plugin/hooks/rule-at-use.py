"""Doorway of PreToolUse on commands: event on stdin, answer on stdout, exit code 0."""

import os
import sys

if sys.version_info >= (3, 9):  # noqa: UP036  (an older one says nothing)
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "mcp"))
    try:
        from claude_memory.hooks import runtime

        runtime.run("rule-at-use", sys.stdin.buffer, sys.stdout.buffer, os.environ)
    except Exception:  # noqa: BLE001  (a broken installation must not harm the call)
        sys.exit(0)
