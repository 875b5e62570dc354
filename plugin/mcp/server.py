"""Doorway to the MCP server, and to commands such as `python3 server.py doctor`.

Unlike the rest it stays readable for old Pythons, so that it can say what is missing.
"""

import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

if sys.version_info < (3, 9):
    import old_python

    sys.exit(old_python.sentence())
if len(sys.argv) == 1:  # a client may end the server before it is up
    for _signal in (signal.SIGINT, signal.SIGTERM):
        signal.signal(_signal, lambda *_: os._exit(0))
else:  # until the command itself says what an interrupt means, no traceback
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from claude_memory.__main__ import main

raise SystemExit(main(sys.argv[1:]))
